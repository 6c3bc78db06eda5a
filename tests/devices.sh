#!/bin/sh
# Tests devices that are poor, broken or not there, from outside: sh devices.sh PROGRAM STUB
# STUB is an OpenCL library that fails when it is told to: stub/opencl.c.
[ $# = 2 ] || { echo "usage: sh $0 PROGRAM STUB" >&2; exit 2; }
stub=$(realpath "$2") || exit 2
set -- "$1"
. "$(dirname "$0")/command.sh"
export CLTRAIN_CACHE_DIR= # what is tuned or probed here stays here

small='input 1x8x8, conv out=3 kernel=3, relu, flatten, dense out=4'

# fault_is FAULT: what the stub does from now on; see there.
fault_is() {
    STUB_FAULT=$1
    export STUB_FAULT
}

stubbed() {
    env LD_PRELOAD="$stub" "$program" "$@"
}

train_stubbed() {
    folder=$1
    shift
    stubbed train --data plain --net "$net" --device 0:0 --quiet --epochs 2 --batch-size 30 --save-every 2 \
        --output-dir "$folder" --trust "$@"
}

# the_reference_serves COMMAND: where there is no device, the program still has its own.
the_reference_serves() {
    ok "devices where there is none" "$1" devices
    judge "the reference is listed" grep -q '^  reference ' out
    judge "and nothing else that could serve" [ "$(grep -vc unusable out)" = 1 ]
    ok "the reference trains" "$1" train --data plain --net "$net" --device reference --quiet --epochs 1 \
        --output-dir reference
}

# ---- no device --------------------------------------------------------------------------------------------------

without_vendors() {
    env OCL_ICD_VENDORS="$work/$vendors/" "$program" "$@"
}

test_nothing_installed() {
    mkdir none broken
    echo libnowhere.so.9 >broken/nowhere.icd
    for vendors in none broken; do
        fails 1 'no OpenCL device was found: install a driver' without_vendors verify --net "$small"
        the_reference_serves without_vendors
    done
}

test_no_device() {
    export STUB_PLATFORMS=0
    fails 1 'no OpenCL device was found: install a driver' stubbed verify --net "$small"
    the_reference_serves stubbed
    unset STUB_PLATFORMS
    export STUB_DEVICES=0
    fails 1 'no OpenCL device was found, --device reference needs none: Stub: the driver shows no device' stubbed verify --net "$small"
    the_reference_serves stubbed
    ok "devices without one" stubbed devices
    judge "shows the platform" grep -q '0:- .*no device .*unusable: the driver shows no device' out
    unset STUB_DEVICES
}

# ---- a driver that nobody tried -----------------------------------------------------------------------------------

test_unknown_driver() {
    STUB_BREAKS=6 ok "devices where loops end early" stubbed devices
    judge "says so" grep -q '^\* 0:0 .* its driver does not run a loop of 70,000 iterations to its end$' out
    ok "devices where nothing is wrong" stubbed devices
    judge "says nothing" grep -q '^\* 0:0 .*fp64$' out
    export STUB_BREAKS=3
    fails 1 'step 1: ' stubbed train --data plain --net "$net" --device 0:0 --quiet --epochs 1 --output-dir untrusted
    unset STUB_BREAKS
    judge "it is told why" grep -q 'cltrain does not know the driver of device 0:0 (Stub ' err
    judge "and what the probe found" grep -q 'reads or writes vectors wrongly at odd addresses: .cltrain verify. tells' err
    ok "who trusts it" train_stubbed trusted --epochs 1
}

# ---- a device that vanishes -------------------------------------------------------------------------------------

test_vanishing() {
    ok "a training on the stub" train_stubbed whole
    judge "releases everything" sh -c '! grep -v "^cltrain: note: " err'
    fault_is clGetDeviceIDs:1:-2
    fails 1 'no OpenCL device was found, --device reference needs none: clGetDeviceIDs gave CL_DEVICE_NOT_AVAILABLE' \
        train_stubbed vanished
    the_reference_serves stubbed
    for fault in clEnqueueNDRangeKernel:60:-5 clEnqueueReadBuffer:40:-36 clEnqueueFillBuffer:40+:-2 any:600+:-2; do
        fault_is $fault
        rm -rf vanished
        fails 1 " gave CL_" train_stubbed vanished
        ok "eval of the last checkpoint after $fault" cltrain eval --model vanished/last.safetensors --data plain \
            --device reference
        ok "and the reference goes on" resume vanished
    done
    fault_is clFinish:50+:-36
    CLTRAIN_CACHE_DIR=$work/tuned
    run stubbed tune --net "input 1x4x4, flatten, dense out=2" --batch-size 2
    judge "a device that vanishes ends tuning" [ "$status" = 1 ]
    judge "in a sentence" grep -q '^cltrain: .*clFinish gave CL_INVALID_COMMAND_QUEUE (-36)$' err
    CLTRAIN_CACHE_DIR=
    unset STUB_FAULT
}

# ---- limits: of the device's own, and of PoCL's -------------------------------------------------------------------

# Every step of it is verified.
train_limited() {
    cltrain train --data plain --net "$net" --device "$device" --quiet --epochs 1 --batch-size 100 --check-every 1 \
        --output-dir limited "$@"
}

test_limits() {
    for schedule in vector tile; do
        ok "a training within limits, $schedule" train_limited --schedule $schedule --limit-workgroup 4 --limit-local 400 \
            --limit-alloc 20000
    done
    fails 1 'even one image at a time' train_limited --limit-alloc 3000
    judge "the limit is named" grep -q 'a piece may have 3000$' err
    POCL_MAX_WORK_GROUP_SIZE=4 POCL_MAX_PTHREAD_COUNT=1 POCL_MEMORY_LIMIT=1
    export POCL_MAX_WORK_GROUP_SIZE POCL_MAX_PTHREAD_COUNT POCL_MEMORY_LIMIT
    ok "a training on a small PoCL" train_limited --schedule tile
    ok "a verification there" cltrain verify --net "$small" --batch-size 3 --device "$device"
    unset POCL_MAX_WORK_GROUP_SIZE POCL_MAX_PTHREAD_COUNT POCL_MEMORY_LIMIT
}

make_data || exit 2
groups="nothing_installed no_device unknown_driver vanishing"
[ "$device" = reference ] || groups="$groups limits"
run_groups $groups
