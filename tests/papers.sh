#!/bin/sh
# Holds the papers for developers to the source: sh papers.sh SOURCE-FOLDER
# - Files that the papers name are there.
# - The map in host/README.md has each room of host/, and no other; its order is the rule that includes keep: none points upward.
# - No two rooms have files of one name. Only device/ includes OpenCL's header.
set -eu
export LC_ALL=C
[ $# = 1 ] || { echo "usage: sh papers.sh SOURCE-FOLDER" >&2; exit 2; }
cd "$1"
papers="README.md host/README.md kernels/README.md include/CHANGES.md .github/CONTRIBUTING.md"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wrong=$work/wrong list=$work/list
: >"$wrong"

# Words of a paper that are paths in this repository; in a recipe NAME stands for any name. Files beside kernels/README.md
# are named without their folder there.
named_in() {
    tr -c 'A-Za-z0-9_./*-' '\n' <"$1" | sed -n 's/[.]*$//
        /NAME/d
        /^\(host\|kernels\|tests\|include\|\.github\)\/./p' | sort -u
    [ "$1" != kernels/README.md ] || tr -c 'A-Za-z0-9_./*-' '\n' <"$1" | sed -n 's/^[a-z_]*\.\(cl\|h\|cmake\)$/kernels\/&/p' | sort -u
}

# is_there PATTERN: at least one file
is_there() {
    for file in $1; do [ -e "$file" ] && return 0; done
    return 1
}

names=0
for paper in $papers; do
    [ -e "$paper" ] || { echo "$paper is missing" >>"$wrong"; continue; }
    named_in "$paper" >"$list"
    while read -r name; do
        names=$((names + 1))
        is_there "$name" || echo "$paper names $name, which is not there" >>"$wrong"
    done <"$list"
done
[ $names -gt 50 ] || echo "the papers name $names files, where more than 50 are known to be there" >>"$wrong"

# ---- rooms

map=$(sed -n 's/^| `\([a-z_]*\)\/` |.*/\1/p' host/README.md) # from the top down
drawn=$(awk '/^```/ { inside = !inside; blocks += inside; next } inside && blocks == 1' host/README.md | tr -c 'a-z_/.' '\n')
rooms=$(cd host && ls -d */ | tr -d /)
[ -n "$map" ] || echo "host/README.md has no table of rooms" >>"$wrong"
for room in $rooms; do
    echo "$map" | grep -qx "$room" || echo "host/README.md: the table lacks the room $room" >>"$wrong"
    echo "$drawn" | grep -qx "$room" || echo "host/README.md: the drawing lacks the room $room" >>"$wrong"
done
for room in $map; do
    [ -d "host/$room" ] || echo "host/README.md: there is no room $room" >>"$wrong"
done

# ---- includes

# FILE:LINE:#include "ROOM/..."
includes=$(grep -n '^ *# *include "' host/*/*.[ch] /dev/null)
echo "$includes" | awk -F : -v map="$(echo $map)" '
    BEGIN { count = split(map, name, " "); for (i = 1; i <= count; i++) place[name[i]] = i }
    {
        split($1, from, "/")
        match($3, /"[^"]*"/)
        to = substr($3, RSTART + 1, RLENGTH - 2)
        if (to ~ /^cltrain(_version)?\.h$/) next
        split(to, part, "/")
        if (part[1] == "kernels") next
        if (!(part[1] in place)) print $1 ":" $2 ": includes " to ", which is in no room on the map"
        else if (place[part[1]] < place[from[2]]) print $1 ":" $2 ": " from[2] "/ includes " to ", which is above it on the map"
    }' >>"$wrong"
grep -n '^ *# *include.*CL/cl' host/*/*.[ch] | grep -v '^host/device/' | sed 's/$/ : only device\/ includes it/' >>"$wrong" || true

# ---- names

ls host/*/* | awk -F / '
    $3 in room { print "host/" room[$3] "/ and host/" $2 "/ both have a file called " $3; next }
    { room[$3] = $2 }' >>"$wrong"

if [ -s "$wrong" ]; then
    cat "$wrong"
    exit 1
fi
echo "$names names of files, $(echo "$rooms" | wc -l) rooms, $(echo "$includes" | wc -l) includes: as the papers say"
