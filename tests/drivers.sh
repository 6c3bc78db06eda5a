#!/bin/sh
# drivers.sh PROGRAM: the program on every OpenCL driver within reach, one at a time: what is installed, Intel's CPU runtime from PyPI (750 MB,
# in a virtual environment), Rusticl from Debian (unpacked). For each: devices, example, verify of every built-in net and of four nets with
# every kind of layer under both schedules, and a short training twice, which must end in the same bits. Prints a table. It fails where
# something is wrong that tests/drivers/expected does not list, and where what is listed there is right.
#
#   DRIVERS="installed intel rusticl"   which; default all
#   CACHE=FOLDER (default /var/tmp/cltrain_drivers)   where drivers are unpacked
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=$1
DRIVERS=${DRIVERS:-installed intel rusticl} CACHE=${CACHE:-/var/tmp/cltrain_drivers}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$CACHE"
export CLTRAIN_CACHE_DIR="$work/cache"

# Each driver alone: two in a process have been seen to hide each other.
bring_intel() {
    if [ ! -e "$CACHE/intel/lib/libintelocl.so" ]; then
        python3 -m venv "$CACHE/intel" && "$CACHE/intel/bin/pip" install -q intel-opencl-rt intel-cmplr-lib-rt || return 1
    fi
    mkdir -p "$CACHE/intel.icd"
    echo "$CACHE/intel/lib/libintelocl.so" >"$CACHE/intel.icd/intel.icd"
}
on_intel() { env OCL_ICD_VENDORS="$CACHE/intel.icd" "$@"; }

bring_rusticl() {
    for package in libclc-15 libclc-15-dev libllvmspirvlib15; do
        dpkg -s $package >/dev/null 2>&1 || apt-get install -y -qq $package >/dev/null || return 1
    done
    if [ ! -e "$CACHE/rusticl/etc" ]; then
        (cd "$CACHE" && apt-get -qq download mesa-opencl-icd >/dev/null 2>&1 && dpkg -x mesa-opencl-icd_*.deb rusticl) || return 1
    fi
    mkdir -p "$CACHE/rusticl.icd"
    echo "$CACHE/rusticl/usr/lib/x86_64-linux-gnu/libRusticlOpenCL.so.1" >"$CACHE/rusticl.icd/rusticl.icd"
}
on_rusticl() {
    env OCL_ICD_VENDORS="$CACHE/rusticl.icd" RUSTICL_ENABLE=llvmpipe LD_LIBRARY_PATH="$CACHE/rusticl/usr/lib/x86_64-linux-gnu" "$@"
}

bring_installed() { :; }
on_installed() { "$@"; }

failed=
# judge WHAT STATUS: as tests/drivers/expected says? A line there: the beginning of "PLATFORM VERSION", what, why.
judge() {
    listed=$(awk -v name="$name" -v what="$1" -F'\t' '!/^#/ && index(name, $1) == 1 && $2 == what { print $3; exit }' "$here/drivers/expected")
    if [ "$2" != 0 ] && [ -z "$listed" ]; then
        echo "drivers.sh: $name: $1 failed:" && tail -n 3 "$work/output"
        failed=1
    elif [ "$2" = 0 ] && [ -n "$listed" ]; then
        echo "drivers.sh: $name: $1 is right, though tests/drivers/expected says: $listed"
        failed=1
    fi
}

# run DRIVER WHAT COMMAND...: 0 where it succeeds
run() {
    on=on_$1 what=$2 status=0
    shift 2
    "$on" timeout 900 "$@" >"$work/output" 2>&1 || status=$?
    judge "$what" $status
    return $status
}

verify_nets() { # DRIVER SCHEDULE: prints "9 of 11"
    right=0 all=0
    for net in example lenet5 cnn2 vgg6bn resnet20 mobile "$here"/drivers/*.net; do
        all=$((all + 1))
        if run "$1" "verify $2 $(basename "$net")" "$program" verify --net "$net" --batch-size 4 --schedule "$2"; then right=$((right + 1)); fi
    done
    count="$right of $all"
}

digest() { # DRIVER
    "on_$1" timeout 900 "$program" train --data /usr/share/datasets/fashion-mnist --val-split 0.98 --epochs 1 --quiet \
        --net "conv out=8 kernel=5 stride=2, batchnorm, relu, maxpool kernel=2, flatten, dense out=10" 2>"$work/output" | sed -n 's/.*sha256 //p'
}

: >"$work/table"
for driver in $DRIVERS; do
    "bring_$driver" >"$work/output" 2>&1 || { echo "drivers.sh: $driver cannot be had here:" && tail -n 2 "$work/output"; continue; }
    "on_$driver" "$program" devices --json "$work/devices.json" >"$work/devices" || { cat "$work/devices"; failed=1; continue; }
    name=$(python3 -c 'import json, sys
for device in json.load(open(sys.argv[1])):
    if device["default"]: print(device["platform"], device["driver"])' "$work/devices.json")
    faults=$(python3 -c 'import json, sys
for device in json.load(open(sys.argv[1])):
    if device["default"]: print(device["faults"] or "-")' "$work/devices.json")
    example=no same=no
    if run "$driver" example "$program" example; then example=yes; fi
    verify_nets "$driver" vector
    vector=$count
    verify_nets "$driver" tile
    tile=$count
    first=$(digest "$driver") second=$(digest "$driver")
    [ -z "$first" ] || [ "$first" != "$second" ] || same=yes
    [ $same = yes ] || { echo "drivers.sh: $name: two trainings ended in $first and $second" && failed=1; }
    printf '| %s | %s | %s | %s | %s | %s |\n' "$name" "$example" "$vector" "$tile" "$same" "$faults" >>"$work/table"
done
echo "| driver | example | nets verified, vector | tile | the same bits twice | the probe finds |"
echo "|---|---|---|---|---|---|"
cat "$work/table"
[ -z "$failed" ]
