#!/bin/sh
# kernels.sh PROGRAM SOURCE: the kernels seen by others than PoCL. clang reads each op's part of each file as OpenCL C 1.2,
# warnings being errors; Oclgrind, a device simulator, runs every op of two nets and reports accesses out of bounds and data
# races.
set -eu
program=$1
source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CLTRAIN_CACHE_DIR=

# A part of a file leaves helpers of its other parts unused.
check_syntax() {
    clang -x cl -cl-std=CL1.2 -Xclang -finclude-default-header -fsyntax-only -Wall -Wno-unused-function -Werror -I"$source/kernels" "$@"
}

checked=0
for file in "$source"/kernels/*.cl; do
    ops=$(sed -n 's/^#ifn*def \(OP_[a-z_]*\).*/\1/p' "$file" | sort -u)
    for op in ${ops:-OP_only}; do
        for types in "-DVEC=16" "-DVEC=1" "-DVEC=8 -DREAL_IS_DOUBLE"; do
            case $file in */conv_direct.cl) types=$(echo "$types" | sed 's/-DVEC=[0-9]*//') ;; esac
            check_syntax -D"$op" $types -DROWS=6 -DCOLS=2 -DTILE_Y=2 -DTILE_X=3 -DTILE_R=2 -DTILE_SC=3 -DWINOGRAD=4 "$file"
            checked=$((checked + 1))
        done
    done
done
echo "$checked times clang had nothing to say"

# verify_on_oclgrind NET
verify_on_oclgrind() {
    oclgrind --data-races "$program" verify --net "$1" --batch-size 2 >"$work/table" 2>"$work/faults" || {
        cat "$work/table" "$work/faults"
        exit 1
    }
    if [ -s "$work/faults" ]; then
        cat "$work/faults"
        exit 1
    fi
    tail -n 1 "$work/table"
}

verify_on_oclgrind "input 2x5x5, conv out=3 kernel=3 padding=1, batchnorm, relu, maxpool kernel=2, conv out=5 kernel=2 stride=2 padding=1, tanh, flatten, dense out=7, sigmoid, dense out=3"
verify_on_oclgrind "input 24x8x7, conv out=17 kernel=3 padding=1, relu, conv out=24 kernel=3 padding=1, flatten, dense out=3"
verify_on_oclgrind "input 1x7x6, conv out=18 kernel=3x2 bias=no, sigmoid, maxpool kernel=3 stride=2 padding=1, relu, conv out=2, flatten, dense out=3, loss half_mse"
