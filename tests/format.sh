#!/bin/sh
# Holds the C files of host/, include/ and tests/ to .clang-format: sh format.sh SOURCE-FOLDER. What it finds is mended by
# clang-format -i FILE. The kernels are laid out by hand: their tables, macros and drawings read better so.
set -eu
[ $# = 1 ] || { echo "usage: sh format.sh SOURCE-FOLDER" >&2; exit 2; }
cd "$1"
# Versions lay out the same text in other ways: the one of Debian 12 decides.
formatter=
for name in clang-format-14 clang-format; do
    case $("$name" --version 2>/dev/null) in *" version 14."*) formatter=$name && break ;; esac
done
[ -n "$formatter" ] || { echo "there is no clang-format 14 here"; exit 77; }
files=$(find host include tests -name '*.[ch]' | sort)
"$formatter" --dry-run -Werror --ferror-limit=5 $files
echo "$(echo "$files" | wc -l) files are as .clang-format says"
