#!/bin/sh
# kernels.sh PROGRAM SOURCE: the kernels seen by others than PoCL. clang reads each op's part of each file as OpenCL C 1.2,
# warnings being errors; Oclgrind, a device simulator, runs every op of a few nets and reports accesses out of bounds and data
# races. With CLTRAIN_THOROUGH both see more combinations.
set -eu
program=$1
source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CLTRAIN_CACHE_DIR=
thorough=${CLTRAIN_THOROUGH:-}

check_syntax() {
    clang -x cl -cl-std=CL1.2 -cl-no-stdinc -isystem "$(clang -print-resource-dir)/include" -fsyntax-only -Wall -Werror -I"$source/kernels" "$@"
}

# Our declarations of OpenCL's functions say what clang's say, and leave out none that a kernel calls.
check_syntax -include opencl-c.h "$source/kernels/builtins.h"
# A part of a file leaves helpers of its other parts unused.
check_kernel() {
    check_syntax -include opencl-c-base.h -include builtins.h -Wno-unused-function "$@"
}

tile="-DWINOGRAD=4 -DROWS=6 -DCOLS=2 -DTILE_Y=2 -DTILE_X=3 -DTILE_R=2 -DTILE_SC=3 -DIN=12 -DPAIRS=8 -DWIDE=64 -DTAPS_Y=3 -DTAPS_X=2 -DPIXELS=3 -DPHASES=2"
group="-DGROUP_M=16 -DGROUP_N=16 -DITEM_M=4 -DITEM_N=2 -DTILE_K=16 -DPAD=4 -DLOAD_A=4 -DLOAD_B=2"
one_item="-DGROUP_M=1 -DGROUP_N=1 -DITEM_M=1 -DITEM_N=1 -DTILE_K=1 -DPAD=0 -DLOAD_A=1 -DLOAD_B=1"
sums="-DACROSS=4 -DDOWN=8 -DLAST_ACROSS=2 -DLAST_DOWN=16" no_sums="-DACROSS=1 -DDOWN=1 -DLAST_ACROSS=1 -DLAST_DOWN=1"
checked=0
for file in "$source"/kernels/*.cl; do
    ops=$(sed -n 's/^#ifn*def \(OP_[a-z0-9_]*\).*/\1/p' "$file" | sort -u)
    for op in ${ops:-OP_only}; do
        for types in "-DVEC=16 -DBY_NAME $group $no_sums" "-DVEC=8 -DREAL_IS_DOUBLE $group $no_sums" "-DVEC=1 -DSPREAD $one_item $sums" \
            "-DVEC=1 -DSPREAD -DSLICED -DHALVES $group $sums" \
            ${thorough:+"-DVEC=16 $group $no_sums" "-DVEC=1 $group $no_sums" "-DVEC=16 -DHALVES $group $no_sums" \
                "-DVEC=1 -DSPREAD -DSLICED $group $sums" "-DVEC=1 -DHALVES $group $no_sums"}; do
            # These have no vectors.
            case $file in
            */group_norm_tile.cl | */grouped_conv_tile.cl) types=$(echo "$types" | sed 's/-DVEC=[0-9]*/-DVEC=1 -DSPREAD/') ;;
            */conv_direct.cl | *_tile.cl) types=$(echo "$types" | sed 's/-DVEC=[0-9]*//') ;;
            esac
            check_kernel -D"$op" $types $tile "$file"
            checked=$((checked + 1))
        done
    done
done
echo "$checked times clang had nothing to say"

# PoCL 3.1 gives all groups that run at the same time the same array of a kernel's own in local memory: it has to be an argument. The probe,
# which is one group, looks whether there are such arrays at all.
! grep -nE '\blocal\b[^*;,()]*\[' "$source"/kernels/*.cl "$source"/kernels/*.h | grep -v '/probe\.cl:\|:[0-9]*: \*\|:[0-9]*:/\*' || {
    echo "kernels.sh: local memory has to be an argument of the kernel"
    exit 1
}

# verify_on_oclgrind SCHEDULE NET [OPTION...]: options of Oclgrind's; $storage is cltrain's
storage=f32
verify_on_oclgrind() {
    schedule=$1 net=$2
    shift 2
    oclgrind --data-races "$@" "$program" verify --schedule "$schedule" --net "$net" --batch-size 2 --storage "$storage" >"$work/table" 2>"$work/faults" || {
        cat "$work/table" "$work/faults"
        exit 1
    }
    if [ -s "$work/faults" ]; then
        cat "$work/faults"
        exit 1
    fi
    tail -n 1 "$work/table"
}

verify_on_oclgrind vector "input 2x5x5, conv out=3 kernel=3 padding=1, batchnorm, relu, maxpool kernel=2, conv out=5 kernel=2 stride=2 padding=1, tanh, flatten, dense out=7, sigmoid, dense out=3"
storage=f16
verify_on_oclgrind vector "input 2x5x5, conv out=3 kernel=3 padding=1, batchnorm, relu, maxpool kernel=2, conv out=18 kernel=2 stride=2 padding=1, tanh, flatten, dense out=7"
storage=f32
[ -z "$thorough" ] || verify_on_oclgrind vector "input 24x8x7, conv out=17 kernel=3 padding=1, relu, conv out=24 kernel=3 padding=1, flatten, dense out=3"
verify_on_oclgrind vector "input 1x7x6, conv out=18 kernel=3x2 bias=no, sigmoid, maxpool kernel=3 stride=2 padding=1, relu, conv out=2, conv out=2 kernel=3 padding=1 groups=2 bias=no, flatten, dense out=3, loss half_mse"

# Depthwise rows of several tiles: an overlap at the end, strides, dilation, more padding than a tile has pixels.
verify_on_oclgrind vector "input 19x4x21, conv out=19 kernel=3 stride=1x2 padding=1 groups=19, relu, conv out=19 kernel=3 padding=1x10 groups=19 bias=no, tanh, conv out=19 kernel=2x5 dilation=2x3 stride=2 padding=3 groups=19, flatten, dense out=3"

for schedule in vector ${thorough:+tile}; do
    verify_on_oclgrind $schedule "input 6x4x3, conv_transpose out=4 kernel=3 stride=2, prelu, groupnorm groups=2, relu, upsample scale=2x1 mode=bilinear, layernorm, log_softmax, maxpool kernel=4, flatten, prelu shared=yes, softmax"
done
for schedule in tile ${thorough:+vector}; do
    verify_on_oclgrind $schedule "input 3x5x4, conv out=6, channelshuffle groups=2, slice first=1 count=5, maxpool kernel=2 stride=1 dilation=2 padding=1 padding_end=0, pad mode=reflect before=1x2 after=2x1, resize size=4x7, resize size=5x3 mode=bilinear, resize size=4x6 mode=bicubic exclude_outside=yes, adaptiveavgpool out=3x2, pad mode=replicate before=1 after=0, instancenorm affine=yes, layernorm over=channels, avgpool kernel=2 padding=0 padding_end=1, channelmean, globalmaxpool, flatten, dense out=3"
done

verify_on_oclgrind vector "input 3x3x3, conv out=5, hardsigmoid, mish, gelu_tanh, celu, clip least=-0.5 most=2, softsign, thresholded_relu alpha=-0.5, erf, exp, log, abs, softplus, sqrt, pow exponent=1.5, reciprocal, neg, flatten, dense out=3"

for schedule in vector ${thorough:+tile}; do
    verify_on_oclgrind $schedule "input 3x4x5, conv out=18, scale, lrn size=5, droppath rate=0.3, pixelunshuffle scale=1, conv out=8, pixelshuffle scale=2, permute order=whc, relu, flatten, reshape out=5 size=8x4, flatten, scale shared=yes bias=no, dense out=3"
done
for schedule in tile ${thorough:+vector}; do
    verify_on_oclgrind $schedule "input 18x3x5, conv out=1, sigmoid as=a, globalavgpool from=input as=b, mul from=a,input, div from=mul1,a, sub from=b,div1, maximum from=sub1,input,div1, minimum from=maximum1,mul1, flatten, dense out=3"
done

# Every tile kernel, with odd sizes, with more weights than a tile has rows, with filters that skip inputs, and small and
# large tiles.
verify_on_oclgrind tile "input 3x7x6, conv out=5 kernel=3x2 stride=2x3 padding=1x2, batchnorm, relu, conv out=18 kernel=3 padding=2, maxpool kernel=2, tanh, flatten, dense out=7, sigmoid, dense out=19"
verify_on_oclgrind tile "input 2x9x7, conv out=33 kernel=2 stride=3x1 bias=no, sigmoid, maxpool kernel=3 stride=2 padding=1, conv out=1, flatten, dense out=70, relu, dense out=3, loss half_mse"

# Ops that are merged: pools and both gradients of dense layers.
verify_on_oclgrind tile "input 2x8x4, conv out=3 kernel=3 padding=1, relu, maxpool kernel=2, conv out=5 kernel=3 padding=1, tanh, maxpool kernel=2x1, flatten, dense out=7, sigmoid, dense out=3"
# Sums cut into slices and parts, as for a large device.
verify_on_oclgrind tile "input 9x8x7, conv out=12 kernel=3 padding=1, batchnorm, relu, conv out=12 kernel=3 groups=4 bias=no, groupnorm groups=3, prelu, globalavgpool, layernorm, dense out=40, dense out=3" --compute-units 300

# Compilers drop a load whose value nobody wants, unless told not to: so one sees what reads an operand that is absent.
for schedule in tile ${thorough:+vector}; do
    verify_on_oclgrind $schedule "input 2x6x6, conv out=3 kernel=3 padding=1 bias=no, conv out=4 kernel=2 stride=2 bias=no, conv_transpose out=4 kernel=3 bias=no, conv out=4 kernel=3 groups=2 bias=no, batchnorm, groupnorm groups=2 affine=no, maxpool kernel=2 stride=1, upsample scale=2, flatten, dense out=5 bias=no, dense out=3" --build-options -cl-opt-disable
done
