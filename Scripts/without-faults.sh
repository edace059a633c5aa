#!/bin/sh
# Fails if a program contains any fault point: they are for test builds only.
set -eu
cd "$(dirname "$0")/.."
names=$(grep -rhoE 'faultPoint\("[^"]+"' Sources | cut -d'"' -f2 | sort -u)
for name in RASA_FAULT $names; do
  if grep -q -a -F "$name" "$1"; then
    echo "$1 holds \`$name\`: fault points are for test builds only" >&2
    exit 1
  fi
done
echo "$1 holds none of the $(echo "$names" | grep -c .) fault points"
