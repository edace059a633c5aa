#!/bin/sh
# order.sh: writes Scripts/start.order anew, the functions that runs call, in the order in which the linker lays them side
# by side. Needs valgrind, and a program and a provider that were built for release.
# valgrind does not know openat2, so what is run under it ships inside the program.
set -eu
cd "$(dirname "$0")/.."
bin=$PWD/.build/release
work=$(mktemp -d)
mkdir -p "$work/home"
trap 'rm -rf "$work"' EXIT
# With symbols, and without what describes the sources: valgrind cannot read Swift's.
strip --strip-debug -o "$work/rasa" "$bin/rasa"
mkfifo "$work/in" "$work/out"
"$bin/rasa-provider" <"$work/in" >"$work/out" &
exec 3>"$work/in"
read -r line <"$work/out"
export RASA_HOME="$work/home" OPENAI_BASE_URL="${line##* }/v1" OPENAI_API_KEY=sk-none
cd "$work/home"

called() { # ARGUMENT…
  valgrind --tool=callgrind --demangle=no --compress-strings=no --compress-pos=no \
    --callgrind-out-file="$work/calls" "$work/rasa" "$@" >/dev/null 2>"$work/errors" || {
    cat "$work/errors" >&2
    return 1
  }
  awk '/^ob=/ { ours = $0 ~ /\/rasa$/ }
    /^fn=/ && ours { name = substr($0, 4); sub(/\047.*/, "", name); if (name !~ /^0x/) print name }' "$work/calls"
}
{
  called run --persona strategic_stock_analyst --input hello --model openai:t50-d0 --quiet
  called run --persona strategic_stock_analyst --input hello --model openai:t3000-d0-each --quiet
  called runs list
  "$work/rasa" memory add --persona strategic_stock_analyst "I live in Oslo." >/dev/null
  called run --persona strategic_stock_analyst --input "Where do I live?" --model openai:t50-d0 --quiet
} | awk '!seen[$0]++' >"$work/order"
exec 3>&-
mv "$work/order" "$OLDPWD/Scripts/start.order"
