#!/bin/sh
# Tests what `cmake --install` puts down, as a stranger's program would use it: sh install.sh BUILD_FOLDER SOURCE_FOLDER
# The program is the README's own. It runs on CLTRAIN_DATA, or on the folder that the README names.
set -u
export LC_ALL=C

[ $# = 2 ] || { echo "usage: sh install.sh BUILD_FOLDER SOURCE_FOLDER" >&2; exit 2; }
build=$(realpath "$1") && source=$(realpath "$2") || exit 2

work=$(realpath "$(mktemp -d)") || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 2
prefix=$work/installed

# ---- helpers ----------------------------------------------------------------------------------------------------

count=0
failed=

# ok NAME COMMAND...: one line a check; where it fails, what the command said.
ok() {
    name=$1
    shift
    count=$((count + 1))
    if "$@" >out 2>&1; then
        echo "ok    $name"
        return
    fi
    echo "FAIL  $name"
    tail -n 30 out | sed 's/^/        /'
    failed="$failed
  $name"
}

# The rest would only repeat why.
must() {
    ok "$@"
    [ -z "$failed" ] || { echo "nothing more can be checked"; exit 1; }
}

is_same() {
    [ "$1" = "$2" ] || { echo "there is $1, where $2 is right"; return 1; }
}

# ---- the files --------------------------------------------------------------------------------------------------

# The library's folder is lib or lib64 or lib/TRIPLET.
find_installed() {
    find "$prefix" -name "$1" | head -n 1 | grep .
}

test_files() {
    must "cmake --install" cmake --install "$build" --prefix "$prefix"
    ok "the program" test -x "$prefix/bin/cltrain"
    ok "the header" test -f "$prefix/include/cltrain.h"
    for file in libcltrain.a libcltrain.so cltrain.pc cltrain-config.cmake cltrain-config-version.cmake \
        cltrain-targets.cmake cltrain.1 _cltrain cltrain.fish; do
        ok "$file" find_installed "$file"
    done
    ok "the program runs" "$prefix/bin/cltrain" --version
    version=$(sed -n '1s/cltrain //p' out)
    libraries=$(dirname "$(find_installed libcltrain.so)")
}

# ---- the README's program ---------------------------------------------------------------------------------------

# The first block of C in the README, with the data of CLTRAIN_DATA where that is given.
take_program() {
    awk '/^```c$/ { inside = 1; next } inside && /^```/ { exit } inside' "$source/README.md" >program.c
    grep -q main program.c || { echo "$source/README.md: has no block of \`\`\`c with a main"; return 1; }
    [ -z "${CLTRAIN_DATA:-}" ] || sed -i "s|\"[^\"]*/fashion-mnist\"|\"$CLTRAIN_DATA\"|" program.c
}

# It loads: a loader that misses a library ends with 127, this program with the library's own sentence.
runs() {
    status=0
    CLTRAIN_DEVICE=no-such-device LD_LIBRARY_PATH=$libraries "$1" >run.txt 2>&1 || status=$?
    cat run.txt
    [ "$status" = 1 ] && grep -q no-such-device run.txt
}

needs_library() {
    readelf -d "$1" | grep 'NEEDED.*libcltrain\.so\.[0-9]'
}

# As the README's reader runs it, in a folder of its own: it may write files.
run_program() {
    mkdir -p running && (cd running && LD_LIBRARY_PATH=$libraries ../in-c)
}

# ---- pkg-config -------------------------------------------------------------------------------------------------

test_pkg_config() {
    PKG_CONFIG_PATH=$(dirname "$(find_installed cltrain.pc)")
    export PKG_CONFIG_PATH
    ok "pkg-config tells the program's version" is_same "$(pkg-config --modversion cltrain)" "$version"
    ok "pkg-config's header lies where it was installed" \
        is_same "$(realpath "$(pkg-config --variable=includedir cltrain)")" "$prefix/include"
    ok "pkg-config's library lies where it was installed" \
        is_same "$(realpath "$(pkg-config --variable=libdir cltrain)")" "$libraries"

    flags=$(pkg-config --cflags --libs cltrain)
    ok "the README's program is C11 without warnings" cc -std=c11 -Wall -Wextra -Werror program.c -o in-c $flags
    ok "it uses the shared library" needs_library in-c
    ok "it is C++ too" c++ -x c++ program.c -o in-c++ $flags
    ok "in C++ it runs" runs ./in-c++
    others=$(pkg-config --static --libs-only-l cltrain | sed 's/-lcltrain//')
    ok "it links the static library" cc -I"$prefix/include" program.c -o in-static "$libraries/libcltrain.a" $others
    ok "with the static library it runs" runs ./in-static
}

# ---- find_package -----------------------------------------------------------------------------------------------

# with_cmake KIND: builds the program against cltrain::KIND
with_cmake() {
    cmake -S user -B "user-$1" -DCMAKE_PREFIX_PATH="$prefix" -DKIND="$1" && cmake --build "user-$1"
}

test_cmake() {
    mkdir user
    cat >user/CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.22)
project(user LANGUAGES C)
find_package(cltrain $version REQUIRED)
add_executable(user ../program.c)
target_link_libraries(user PRIVATE cltrain::\${KIND})
END
    for kind in shared static; do
        ok "a CMake project links cltrain::$kind" with_cmake $kind
        ok "cltrain::$kind runs" runs "user-$kind/user"
    done
    ok "cltrain::shared is the shared library" needs_library user-shared/user
    ok "cltrain::static is not" sh -c '! readelf -d user-static/user | grep "NEEDED.*libcltrain"'
    ok "the CMake package is the installed one" grep -q "^cltrain_DIR:PATH=$prefix/" user-shared/CMakeCache.txt
    ok "the package names no path of the build" sh -c '! grep -rF "$0" "$1"/cmake' "$build" "$libraries"
}

# ---- all --------------------------------------------------------------------------------------------------------

test_files
must "the README has a C program" take_program
test_pkg_config
test_cmake
ok "the README's program runs on its data" run_program
[ ! -s out ] || sed 's/^/        /' out

if [ -n "$failed" ]; then
    echo "$count checks, of which these failed:$failed"
    exit 1
fi
echo "$count checks, all right"
