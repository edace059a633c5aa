#!/bin/sh
# release.sh [ARGUMENT…]: `swift build` for release, with what makes a start quick and small. The arguments are passed on.
#
# - Functions that a run calls lie side by side (Scripts/start.order), so that a start maps a few megabytes of the program
#   and not all of it. `sh Scripts/order.sh` writes the list anew; names that no longer exist are ignored.
# - Types are looked up by their accessors and not by their mangled names: demangling them was a third of all that ran
#   before the first token.
# - The C++ library and libcurl are part of the program where the machine has them as archives.
set -eu
cd "$(dirname "$0")/.."
folder=$PWD/.build/static
mkdir -p "$folder"
library=$(cc -print-file-name=libstdc++.a)
[ "$library" = libstdc++.a ] || {
  ln -sf "$library" "$folder/libstdc++.a"
  export RASA_STATIC_LIBRARIES="$folder"
}
# A libcurl of another version may want libraries that LinkedCurl.c does not stand for.
if printf '#include <curl/curl.h>\nint main(void) { return curl_global_init(0) || !curl_version_info(CURLVERSION_NOW); }\n' |
  cc -DRASA_STATIC_CURL -x c -o "$folder/curl-check" - Sources/CCurl/LinkedCurl.c -x none \
    -l:libcurl.a -lssl -lcrypto -l:libnghttp2.so.14 -lz 2>/dev/null && "$folder/curl-check"; then
  ln -sf "$(cc -print-file-name=libcurl.a)" "$folder/libcurl.a"
  export RASA_STATIC_CURL=1
else
  rm -f "$folder/libcurl.a"
fi
exec swift build -c release --static-swift-stdlib \
  -Xswiftc -use-ld=lld \
  -Xswiftc -Xfrontend -Xswiftc -function-sections \
  -Xswiftc -Xfrontend -Xswiftc -disable-concrete-type-metadata-mangled-name-accessors \
  -Xswiftc -Xfrontend -Xswiftc -disable-generic-metadata-prespecialization \
  -Xlinker --icf=all \
  -Xlinker "--symbol-ordering-file=$PWD/Scripts/start.order" -Xlinker --no-warn-symbol-ordering "$@"
