#!/bin/sh
# The test command; `sh tests/run.sh --help` tells its modes. It installs what is missing, builds without warnings, runs the
# tests, and ends with ctest's summary. Build folders: build/tests (gcc),
# build/sanitize (clang, ASan and UBSan) and build/threads (clang, ThreadSanitizer).
set -eu
cd "$(dirname "$0")/.."
. host/packages.sh

help() {
    cat <<'END'
usage: sh tests/run.sh [--quick | --thorough | --help]
  (nothing)    everything: gcc, clang with sanitizers, fuzzing, every op on the device, the analysers; 13 to 15 minutes on 2 cores
  --quick      gcc, what runs on the reference, a few ops on the device; less than 3 minutes
  --thorough   everything, with every op case in double too, more random nets, a minute (or CLTRAIN_FUZZ_SECONDS) of fuzzing a
               parser, ONNX between cltrain and its peers and TensorBoard on event files, which come from PyPI, other drivers and
               GPU compilers, unpacked in /var/tmp
END
}

mode=--all
[ $# = 0 ] || mode=$1
case $#$mode in
0--all | 1--quick) ;;
1--thorough) export CLTRAIN_THOROUGH=1 CLTRAIN_FUZZ_SECONDS="${CLTRAIN_FUZZ_SECONDS:-60}" ;;
1--help)
    help
    exit 0
    ;;
*)
    echo "run.sh does not know what \"$*\" means: it takes --quick, --thorough, --help or nothing" >&2
    exit 2
    ;;
esac

packages="$packages_to_build $packages_of_data libcmocka-dev python3 libonnx-testdata"
[ $mode = --quick ] || packages="$packages libopenmpi-dev openmpi-bin g++ clang clang-format clang-tidy cppcheck libclang-rt-dev oclgrind locales tidy"
[ $mode != --thorough ] || packages="$packages python3-venv python3-pip chromium libmpich-dev mpich"
need $packages

target=all
build() {
    folder=$1
    shift
    echo "building $folder"
    mkdir -p "$folder"
    if ! { cmake -S . -B "$folder" -DCLTRAIN_WERROR=ON -DBUILD_TESTING=ON "$@" && cmake --build "$folder" -j "$(nproc)" --target $target; } \
        >"$folder/build.log" 2>&1; then
        grep -E -A 5 'error|warning' "$folder/build.log" >&2 || tail -n 40 "$folder/build.log" >&2
        exit 1
    fi
}

# suite FOLDER OPTION...: the tests of that folder, with what $with puts before ctest
failed_suites= with=
suite() {
    folder=$1
    shift
    {
        code=0
        $with ctest --test-dir "$folder" -j "$(nproc)" "$@" || code=$?
        echo $code >"$work/code"
    } 2>&1 | tee "$folder/ctest.log"
    [ "$(cat "$work/code")" = 0 ] || failed_suites="$failed_suites $folder"
}

# tell_failures FOLDER: the last lines of each test that failed there, then ctest's summary.
tell_failures() {
    log="$1/Testing/Temporary/LastTest.log"
    if [ ! -e "$log" ]; then
        echo "ctest itself did not end in $1; what it said is in $1/ctest.log"
        return 0
    fi
    awk -v most=40 -v log_file="$log" '
        /^[0-9]+\/[0-9]+ Testing: / { name = $3; count = -1; inside = 0 }
        /^<end of output>$/ { inside = 0 }
        inside { text[++count] = $0 }
        /^Output:$/ { inside = 1 } # a line of dashes comes first
        /^Test time = / { inside = 0 }
        /^Test (Failed|Timeout|Not Run)|^Test .*Exception/ && !inside {
            printf "\n%s failed; its last lines:\n", name
            for (i = count > most ? count - most + 1 : 1; i <= count; i++) print "    " text[i]
        }
        END { print "\nall of it is in " log_file }' "$log"
    sed -n '/ tests passed, /,$p' "$1/ctest.log"
}

# Cold kernel caches of their own: the tests see what a new user sees, and leave nothing behind.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export POCL_CACHE_DIR="$work/pocl" CLTRAIN_CACHE_DIR="$work/cltrain"
mkdir "$POCL_CACHE_DIR"
# A locale with a decimal comma, for the test that no number depends on it; without one that test is skipped.
mkdir "$work/locales"
localedef -i de_DE -f UTF-8 "$work/locales/de_DE.UTF-8" 2>/dev/null || true
export LOCPATH="$work/locales"

build build/tests
if [ $mode = --quick ]; then
    with="env CLTRAIN_DEVICE=reference"
    suite build/tests -L quick
else
    # Its tests run as fast without the compiler's last efforts, which take a fifth of its time.
    build build/sanitize -DCMAKE_C_COMPILER=clang -DCLTRAIN_SANITIZE=ON -DCLTRAIN_FUZZ=ON "-DCMAKE_C_FLAGS_RELEASE=-O1 -DNDEBUG"
    target="test_threads test_streaming test_shards"
    build build/threads -DCMAKE_C_COMPILER=clang -DCLTRAIN_THREAD_SANITIZER=ON -DCMAKE_BUILD_TYPE=Debug
    # Everything on the reference device: PoCL and LLVM are not built for sanitizers.
    echo "running the reference path and the parsers under ASan and UBSan, and libFuzzer on what is read"
    with="env CLTRAIN_DEVICE=reference"
    # The command line's is the longest: by itself it is run below, and under sanitizers by --thorough.
    except=
    [ $mode = --thorough ] || except="-E ^cli$"
    suite build/sanitize -L host $except
    # Under ThreadSanitizer, what threads share.
    suite build/threads -R "^(threads|streaming|shards)$"
    with=
    suite build/tests -E "^ops_quick$" # other tests of ops do all that it does
fi
if [ $mode = --thorough ]; then
    echo "ONNX's checker, ONNX Runtime and PyTorch on what comes in and goes out"
    sh tests/onnx/peers.sh build/tests || { echo "tests/onnx/peers.sh failed" >&2; failed_outside=1; }
    echo "the page about runs in a browser"
    sh tests/page.sh --browser build/tests/cltrain || { echo "tests/page.sh failed" >&2; failed_outside=1; }
    echo "TensorBoard on what trainings tell it"
    sh tests/tensorboard/peers.sh build/tests || { echo "tests/tensorboard/peers.sh failed" >&2; failed_outside=1; }
    echo "several processes over MPICH"
    target=cltrain
    build build/mpich -DMPI_C_COMPILER=mpicc.mpich -DCLTRAIN_MPI=ON
    MPIRUN=mpiexec.mpich sh tests/mpi.sh build/mpich/cltrain || { echo "tests/mpi.sh failed over MPICH" >&2; failed_outside=1; }
    echo "other drivers: Intel's, from PyPI, and Rusticl"
    sh tests/drivers.sh build/tests/cltrain || { echo "tests/drivers.sh failed" >&2; failed_outside=1; }
    echo "what GPU compilers make of the tile schedule"
    sh tests/gpu.sh build/tests/cltrain || { echo "tests/gpu.sh failed" >&2; failed_outside=1; }
fi
for folder in $failed_suites; do tell_failures $folder; done
[ -z "$failed_suites" ] && [ -z "${failed_outside:-}" ]
