#!/bin/sh
# package.sh deb|dist PROGRAM FOLDER: makes a Debian package, or a tarball and one of symbols, from a built program, with
# completions, manual page and notices. The same program and sources give the same bytes.
set -eu
cd "$(dirname "$0")/.."
kind=$1 program=$2 folder=$3
sh Scripts/setup.sh package
umask 022
version=$(env -i RASA_HOME=/nonexistent "$program" version)
version=${version#rasa }
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# files ROOT COMPLETIONS-OF-ZSH COMPLETIONS-OF-FISH
files() {
  install -D -m 755 "$program" "$1/bin/rasa"
  mkdir -p "$1/share/man/man1" "$1/share/doc/rasa" "$1/share/bash-completion/completions" "$1/$2" "$1/$3"
  sh Scripts/manual.sh "$program" "$version" >"$work/rasa.1"
  gzip -9n <"$work/rasa.1" >"$1/share/man/man1/rasa.1.gz"
  env -i "$program" completions bash >"$1/share/bash-completion/completions/rasa"
  env -i "$program" completions zsh >"$1/$2/_rasa"
  env -i "$program" completions fish >"$1/$3/rasa.fish"
  cp -R README.md CHANGELOG.md SECURITY.md LICENSE docs "$1/share/doc/rasa/"
  sh Scripts/notices.sh >"$1/share/doc/rasa/NOTICES"
}

archive() { # FOLDER-OF-ROOT ROOT NAME
  # No pipe: it would hide a failure of tar.
  tar -C "$1" --format=gnu --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" \
    -cf "$work/$3.tar" "$2"
  gzip -9n <"$work/$3.tar" >"$folder/$3"
}

# The checksums of all packages of this version that are in the folder.
sums() {
  (cd "$folder" && rm -f SHA256SUMS && sha256sum rasa[_-]"$version"* >SHA256SUMS)
  echo "$folder:" && ls "$folder"
}

case $kind in
deb)
  architecture=$(dpkg --print-architecture)
  package=$work/deb
  files "$package/usr" share/zsh/vendor-completions share/fish/vendor_completions.d
  documents=$package/usr/share/doc/rasa
  gzip -9n "$documents/CHANGELOG.md"
  { cat LICENSE && cat "$documents/NOTICES"; } >"$documents/copyright"
  rm "$documents/NOTICES" "$documents/LICENSE"
  # Which versions of which packages hold the shared libraries that the program names.
  mkdir -p "$work/debian" "$package/DEBIAN"
  printf 'Source: rasa\n\nPackage: rasa\nArchitecture: any\n' >"$work/debian/control"
  (cd "$work" && dpkg-shlibdeps -O "$package/usr/bin/rasa") >"$work/depends" 2>"$work/shlibdeps" || {
    cat "$work/shlibdeps" >&2
    exit 1
  }
  depends=$(sed -n 's/^shlibs:Depends=//p' "$work/depends")
  [ -n "$depends" ] || { echo "no package holds what the program loads" >&2; exit 1; }
  # In kilobytes, counted as Debian does: `du` would depend on the file system.
  size=$(find "$package/usr" -type f -printf '%s\n' -o -printf '1\n' | awk '{ sum += int(($1 + 1023) / 1024) } END { print sum }')
  (cd "$package" && find usr -type f | LC_ALL=C sort | xargs md5sum) >"$package/DEBIAN/md5sums"
  cat >"$package/DEBIAN/control" <<TEXT
Package: rasa
Version: $version
Architecture: $architecture
Maintainer: ${DEB_MAINTAINER:-The rasa authors <authors@rasa.invalid>}
Installed-Size: $size
Depends: $depends
Recommends: bubblewrap (>= 0.8), ca-certificates, tzdata, libmicrohttpd12, libcld2-0, libidn2-0, libbrotli1, libzstd1
Section: utils
Priority: optional
Description: run personas and agents against language models
 A persona is a YAML file that defines how an answer is reasoned out and what it
 may cost. rasa runs it against OpenAI, Anthropic, Gemini, Ollama and compatible
 servers, streams the answer, journals every step so that a stopped run resumes
 where it was, and reserves the money before each call.
TEXT
  find "$package" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  rm -f "$folder"/rasa_*.deb
  dpkg-deb --root-owner-group -Zxz --build "$package" "$folder/rasa_${version}_$architecture.deb" >&2
  ;;
dist)
  name=rasa-$version-linux-$(uname -m)
  files "$work/$name" share/zsh/site-functions share/fish/vendor_completions.d
  rm -f "$folder"/rasa-*.tar.gz
  archive "$work" "$name" "$name.tar.gz"
  mkdir "$work/$name-symbols"
  cp "$program.debug" "$work/$name-symbols/rasa.debug"
  archive "$work" "$name-symbols" "$name-symbols.tar.gz"
  ;;
*)
  echo "usage: package.sh deb|dist PROGRAM FOLDER" >&2
  exit 2
  ;;
esac
sums
