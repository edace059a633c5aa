#!/bin/sh
# strip.sh PROGRAM FOLDER: writes the program without symbols into the folder, and its symbols beside it as PROGRAM.debug,
# where gdb, perf and valgrind find them. Neither is written again while the program is the same.
set -eu
name=$(basename "$1")
mkdir -p "$2"
[ "$2/$name" -nt "$1" ] && [ "$2/$name.debug" -nt "$1" ] && exit 0
objcopy --only-keep-debug "$1" "$2/$name.debug"
chmod 644 "$2/$name.debug"
strip --strip-all -o "$2/$name.new" "$1"
(cd "$2" && objcopy --add-gnu-debuglink="$name.debug" "$name.new")
mv "$2/$name.new" "$2/$name"
