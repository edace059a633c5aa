#!/bin/sh
# Builds everything for release and measures it against bare libcurl and bare SQLite. Arguments name single rows.
set -eu
cd "$(dirname "$0")/.."
sh Scripts/release.sh >&2
floors=.build/floors
mkdir -p "$floors"
for source in Bench/*.c; do
  cc -O2 -o "$floors/$(basename "$source" .c)" "$source" $(pkg-config --cflags --libs libcurl sqlite3)
done
bin="$PWD/.build/release"
exec "$bin/rasa-bench" "$bin/rasa" "$bin/rasa-provider" "$PWD/$floors" "$@"
