#!/bin/sh
# The one test command: installs what is missing, builds with gcc and with clang without warnings, runs everything, and
# ends with ctest's summary. Build folders: build/tests (gcc) and build/sanitize (clang, ASan and UBSan).
set -eu
cd "$(dirname "$0")/.."
. host/packages.sh

need $packages_to_build $packages_of_data g++ clang clang-tidy cppcheck libclang-rt-dev libcmocka-dev oclgrind python3

build() {
    folder=$1
    shift
    echo "building $folder"
    mkdir -p "$folder"
    if ! { cmake -S . -B "$folder" -DCLTRAIN_WERROR=ON -DBUILD_TESTING=ON "$@" && cmake --build "$folder" -j "$(nproc)"; } \
        >"$folder/build.log" 2>&1; then
        grep -E -A 5 'error|warning' "$folder/build.log" >&2 || tail -n 40 "$folder/build.log" >&2
        exit 1
    fi
}

# Cold kernel caches of their own: the tests see what a new user sees, and leave nothing behind.
caches=$(mktemp -d)
trap 'rm -rf "$caches"' EXIT
export POCL_CACHE_DIR="$caches/pocl" CLTRAIN_CACHE_DIR="$caches/cltrain"
mkdir "$POCL_CACHE_DIR"

build build/tests
build build/sanitize -DCMAKE_C_COMPILER=clang -DCLTRAIN_SANITIZE=ON -DCLTRAIN_FUZZ=ON

# Everything on the reference device: PoCL and LLVM are not built for sanitizers.
echo "running the reference path and the parsers under ASan and UBSan, and libFuzzer on what is read"
CLTRAIN_DEVICE=reference ctest --test-dir build/sanitize --output-on-failure -L host -j "$(nproc)"
ctest --test-dir build/tests --output-on-failure -j "$(nproc)"
