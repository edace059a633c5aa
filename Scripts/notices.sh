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
listed here, such as OpenSSL and the C library, is loaded from the system when it starts or when it is needed.
TEXT

swift=$(dirname "$(dirname "$(readlink -f "$(command -v swiftc)")")")
notice "The Swift runtime and standard library, with libdispatch" "$swift/share/swift/LICENSE.txt"

# The archives that Package.swift links in whole, those that Scripts/release.sh found, and the library that is only headers.
files="/usr/include/toml++/toml.h"
found=$(find .build/static -name '*.a' -exec basename {} \; 2>/dev/null | sort)
for archive in $(grep -oE '"lib[A-Za-z0-9_+-]+\.a"' Package.swift | tr -d '"' | sort -u) $found; do
  file=$(cc -print-file-name="$archive")
  [ "$file" != "$archive" ] || {
    echo "$archive is not installed" >&2
    exit 1
  }
  files="$files $(readlink -f "$file")"
done
for file in $files; do
  # Debian's merged /usr: a package may own the file by its other name.
  owner=$(dpkg -S "$file" 2>/dev/null || dpkg -S "${file#/usr}")
  package=${owner%%:*}
  copyright=/usr/share/doc/$package/copyright
  # Debian's own files for a package are no part of the library, and a licence with an exception is that of a build tool's
  # files or of a runtime library that allows this.
  if ! awk 'BEGIN { RS = "" } /(^|\n)License:[^\n]*GPL/ && /(^|\n)Files:/ && !/(^|\n)Files: *debian\// && !/(^|\n)License:[^\n]* exception/ { exit 1 }' "$copyright"; then
    echo "$package is under the (L)GPL: link it dynamically" >&2
    exit 1
  fi
  notice "$package $(dpkg-query -W -f='${Version}' "$package" | head -n 1) ($(basename "$file"))" "$copyright"
done
