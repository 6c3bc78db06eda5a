#!/bin/sh
# Holds host/ to what cppcheck and clang-tidy find: sh analysers.sh BUILD-FOLDER SOURCE-FOLDER. Nothing may be found; what is
# suppressed says why where it stands, what is left out says so in .clang-tidy.
set -eu
[ $# = 2 ] || { echo "usage: sh analysers.sh BUILD-FOLDER SOURCE-FOLDER" >&2; exit 2; }
build=$(realpath "$1")
cd "$2"
for tool in cppcheck clang-tidy; do
    command -v $tool >/dev/null || { echo "there is no $tool here"; exit 77; }
done
cppcheck --std=c11 --enable=warning,performance,portability --inline-suppr --suppress=missingIncludeSystem \
    --error-exitcode=1 --quiet -j "$(nproc)" -I host -I include -I . host
ls host/*/*.c | xargs -P "$(nproc)" -n 8 clang-tidy -p "$build" --quiet
echo "$(ls host/*/*.c | wc -l) files, nothing found"
