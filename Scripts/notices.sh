#!/bin/sh
# notices.sh: prints the licences of everything that is part of the release binary, as the build machine has them.
# Fails when one is missing, or does not allow this.
set -eu
cd "$(dirname "$0")/.."

notice() { # TITLE FILE
  [ -r "$2" ] || {
    echo "the licence of $1 is missing: $2" >&2
    exit 1
  }
  printf '\n%s\n%s\n\n' "$1" "================================================================================"
  cat "$2"
}

cat <<'TEXT'
rasa is under the MIT licence (see LICENSE). Its binary contains the following, under the licences below. What is not
listed here, such as libcurl, OpenSSL, the C and the C++ library, is loaded from the system when it starts.
TEXT

swift=$(dirname "$(dirname "$(readlink -f "$(command -v swiftc)")")")
notice "The Swift runtime and standard library, with libdispatch" "$swift/share/swift/LICENSE.txt"

# The archives that Package.swift links in whole, and the library that is only headers.
files="/usr/include/toml++/toml.h"
for archive in $(grep -oE '"lib[A-Za-z0-9_+-]+\.a"' Package.swift | tr -d '"' | sort -u); do
  file=$(cc -print-file-name="$archive")
  [ "$file" != "$archive" ] || {
    echo "no $archive to be found" >&2
    exit 1
  }
  files="$files $(readlink -f "$file")"
done
for file in $files; do
  # Debian's merged /usr: a package may own the file by its other name.
  owner=$(dpkg -S "$file" 2>/dev/null || dpkg -S "${file#/usr}")
  package=${owner%%:*}
  copyright=/usr/share/doc/$package/copyright
  if grep -qE '^License: *L?GPL' "$copyright" && ! grep -A12 -E '^Files: *debian' "$copyright" | grep -qE '^License: *L?GPL'; then
    echo "$package is not free to be linked in; link it dynamically" >&2
    exit 1
  fi
  notice "$package $(dpkg-query -W -f='${Version}' "$package" | head -n 1) ($(basename "$file"))" "$copyright"
done
