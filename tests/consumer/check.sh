#!/usr/bin/env bash
# check.sh FOLDER: builds and runs, outside the tree, a project that finds the installed library and
# one that takes the sources. Wants build/release built; FOLDER is made and may be thrown away.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
tree="$(cd "$here/../.." && pwd)"
mkdir -p "$1"
folder="$(cd "$1" && pwd)"

# try NAME [CMAKE OPTION ...]: one consumer, built and run.
try() {
  local name="$1"
  shift
  mkdir -p "$folder/$name"
  cp "$here/main.cpp" "$here/$name/CMakeLists.txt" "$folder/$name"
  cmake -S "$folder/$name" -B "$folder/$name/build" -G Ninja "$@" > "$folder/$name/log"
  cmake --build "$folder/$name/build" >> "$folder/$name/log" || {
    cat "$folder/$name/log"
    return 1
  }
  "$folder/$name/build/consumer" | grep '^consumer: '
}

cmake --install "$tree/build/release" --prefix "$folder/prefix" > /dev/null
"$folder/prefix/bin/kith" --help > /dev/null
for file in man/man1/kith.1 bash-completion/completions/kith zsh/site-functions/_kith \
  fish/vendor_completions.d/kith.fish; do
  [ -s "$folder/prefix/share/$file" ] || {
    echo "share/$file is not installed"
    exit 1
  }
done
try installed -DCMAKE_PREFIX_PATH="$folder/prefix"
# Moved elsewhere the package must still work, so nothing in it may name this machine.
if grep -rlF -e "$folder" -e "$tree" "$folder/prefix/include" "$folder"/prefix/lib*/cmake; then
  echo "the installed package names the place it was built at"
  exit 1
fi

try subdirectory -DKITH_SOURCE_DIR="$tree"
library="$(find "$folder/subdirectory/build" -name 'libkith.so.*' -type f)"
readelf -d "$library" | grep -q NODELETE || {
  echo "the shared library could be unloaded"
  exit 1
}
echo "both consumers built and ran"
