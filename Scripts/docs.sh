#!/bin/sh
# Builds the documentation of RasaKit into .build/docs, offline, with the toolchain's docc, from what
# `swift build` has compiled. Fails on a warning of docc and on a public symbol without documentation.
set -eu
cd "$(dirname "$0")/.."
graphs=.build/docs/graphs
archive=.build/docs/RasaKit.doccarchive
report=.build/docs/report.txt
rm -rf .build/docs
mkdir -p "$graphs"
# Words are split on purpose: each map is two arguments.
maps=$(for map in Sources/C*/module.modulemap .build/debug/*.build/module.modulemap; do
  # A system library's own comes first; a build of before may have left another one.
  name=$(basename "$(dirname "$map")" .build)
  case $map in .build/*) [ ! -e "Sources/$name/module.modulemap" ] || continue ;; esac
  [ ! -e "$map" ] || echo "-Xcc -fmodule-map-file=$map"
done)
# shellcheck disable=SC2086
swift symbolgraph-extract -module-name RasaKit -I .build/debug/Modules \
  -target "$(uname -m)-unknown-linux-gnu" -minimum-access-level public -skip-inherited-docs \
  -skip-synthesized-members -output-dir "$graphs" $maps
if ! docc convert Sources/RasaKit/RasaKit.docc --additional-symbol-graph-dir "$graphs" \
  --output-path "$archive" --fallback-display-name RasaKit \
  --fallback-bundle-identifier rasa.RasaKit --warnings-as-errors \
  --experimental-documentation-coverage --coverage-summary-level detailed >"$report" 2>&1; then
  grep -aE -A 3 '^(error|warning)' "$report" >&2
  exit 1
fi
# Articles and collections are no symbols, and what the compiler writes for a conformance needs no words.
undocumented=$(awk -F '|' '
  $3 ~ /false/ && $2 !~ /Article|Collection/ && $1 !~ /^(init\(rawValue:\)|init\(from:\)|encode\(to:\)|hash\(into:\)) *$/ &&
    $1 !~ /^(==|!=|<|<=|>|>=|\.\.\.)/ { sub(/ *$/, "", $1); print "  " $1 " (" $NF " )" }
' "$report")
if [ -n "$undocumented" ]; then
  echo "public symbols without documentation:" >&2
  echo "$undocumented" >&2
  exit 1
fi
echo "wrote $archive"
