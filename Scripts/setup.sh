#!/bin/sh
# Installs the Debian packages that the build needs and that are missing. Does nothing, and asks for
# nothing, when all of them are there.
set -eu

packages="libcurl4-openssl-dev libyaml-dev libsqlite3-dev zlib1g-dev libedit-dev libssl-dev"
packages="$packages libmicrohttpd-dev libtomlplusplus-dev libstemmer-dev libcld2-0 libutf8proc-dev g++ pkg-config make binutils"
[ "${1:-}" = test ] && packages="$packages bash procps tzdata bubblewrap"
[ "${1:-}" = external ] && packages="$packages bash procps tzdata bubblewrap zsh fish dpkg-dev man-db podman runc uidmap git python3 python3-venv curl"
[ "${1:-}" = package ] && packages="$packages dpkg-dev tar gzip"
[ "${1:-}" = bench ] && packages="$packages curl gcc libc6-dev bubblewrap"

missing=""
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
    missing="$missing $package"
done

if [ -n "$missing" ]; then
  command -v apt-get >/dev/null || {
    echo "rasa needs these packages, and there is no apt-get to install them:$missing" >&2
    exit 3
  }
  as_root=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      echo "as root, run: apt-get install$missing" >&2
      exit 3
    }
    as_root=sudo
  fi
  echo "installing:$missing" >&2
  $as_root env DEBIAN_FRONTEND=noninteractive sh -c "
    apt-get install -y -q --no-install-recommends $missing ||
    { apt-get update -q && apt-get install -y -q --no-install-recommends $missing; }" >&2
fi

command -v swift >/dev/null || {
  echo "rasa needs Swift 6.2 or later: see https://www.swift.org/install/linux" >&2
  exit 3
}

# Python programs that the tests use, each set of packages in an environment of its own: real MCP servers, with the
# release of the protocol's library that they need, and the suites of attacks.
if [ "${1:-}" = external ]; then
  python_environment() {
    folder=".build/$1"
    shift
    [ "$(cat "$folder/complete" 2>/dev/null)" = "$*" ] && return
    echo "installing: $*" >&2
    rm -rf "$folder"
    mkdir -p "$folder"
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check "$@" >&2
    echo "$*" >"$folder/complete"
  }
  python_environment mcp-servers/current mcp-server-time mcp-server-git mcp-server-fetch
  python_environment mcp-servers/sqlite mcp-server-sqlite 'mcp<2'
  python_environment clients/models openai anthropic ollama
  python_environment clients/llm llm
  python_environment clients/aider aider-chat
  python_environment clients/protocols mcp agent-client-protocol
  python_environment clients/mcp-1 'mcp<2'
  python_environment agentdojo agentdojo==0.1.35
fi
