#!/bin/sh
# gpu.sh PROGRAM [NET...]: how the tile schedule's products come out of GPU compilers, without a GPU. `bench --plan` plans the nets (vgg6bn
# and resnet18) for each GPU below, the programs are compiled, the machine code is read, and a table is printed. It fails where a
# register is spilled, an array stays in memory, or fewer of a loop's instructions are multiply-adds than tests/gpu/limits says.
#
# gpu.sh --quick PROGRAM: clang's own back end for NVIDIA alone, which shows an array that stays in memory.
#
#   TARGETS="sm_90 sm_86 gfx1030 gfx906 dg2"   BATCH=64   STORAGE=f32 (or f16)   KERNELS=REGEX (of the kernels' names)
#   KEEP=DIR (assembly stays there)
#   CACHE=FOLDER (default /var/tmp/gpu_static)  where packages are unpacked, about 490 MB; nothing is installed
#
# The table, of the loop with the most multiply-adds of each kernel:
#   regs   registers of a work-item (Intel: 32-byte registers of a thread)      spill  bytes, or registers, spilled; private: an array in memory
#   wave   lanes that run together     local  bytes of a group     fma  multiply-adds in the loop     share  of its instructions
#   lds    words read from local memory for each multiply-add; then how many reads of local memory, reads of global memory and writes to
#          local memory of how many words each, barriers, and all instructions
set -eu
here=$(cd "$(dirname "$0")" && pwd)
quick=
[ "$1" != --quick ] || { quick=1; shift; }
cltrain=$1
shift
CACHE=${CACHE:-/var/tmp/gpu_static} BATCH=${BATCH:-64} STORAGE=${STORAGE:-f32} KERNELS=${KERNELS:-_(tile|planes)$}
TARGETS=${TARGETS:-sm_90 sm_86 gfx1030 gfx906 dg2}
work=${KEEP:-$(mktemp -d)}
mkdir -p "$work"
[ -n "${KEEP:-}" ] || trap 'rm -rf "$work"' EXIT

pretended() { # TARGET
    case $1 in sm_90) echo h100 ;; sm_86) echo rtx3060 ;; gfx1030) echo rx6800 ;; gfx906) echo mi50 ;; dg2) echo arc770 ;; esac
}

# plan_kernels TARGET NET...: the kernels that TARGET would run, a line each
plan_kernels() {
    target=$1 plans=
    shift
    mkdir -p "$work/$target"
    for net; do
        plan=$work/$target/$(basename "$net").json
        "$cltrain" bench --plan --pretend "$(pretended "$target")" --net "$net" --batch-size "$BATCH" --storage "$STORAGE" --json "$plan" >"$work/text"
        plans="$plans $plan"
    done
    python3 "$here/gpu/kernels.py" $plans "$work/$target" "$KERNELS"
}

if [ -n "$quick" ]; then
    # PTX keeps an array that is not in registers in a "local depot".
    count=0
    plan_kernels sm_86 vgg6bn >"$work/kernels"
    while read -r file kernel rest; do
        clang -x cl -O3 -w -Xclang -finclude-default-header $(cat "$file.options") -target nvptx64-unknown-nvcl -S -o "$file.ptx" "$file.cl"
        ! grep -q local_depot "$file.ptx" || { echo "gpu.sh: $kernel ($rest) keeps an array in memory"; exit 1; }
        count=$((count + 1))
    done <"$work/kernels"
    [ $count -ge 8 ] || { echo "gpu.sh: only $count kernels were planned"; exit 1; }
    echo "$count kernels keep all their sums in registers"
    exit 0
fi

fetch() { # PACKAGE...: unpacks Debian packages into $CACHE/root
    for package; do
        [ ! -e "$CACHE/got.$package" ] || continue
        (mkdir -p "$CACHE/deb" && cd "$CACHE/deb" && rm -f "$package"_*.deb && apt-get -qq download "$package" >/dev/null 2>&1 &&
            dpkg -x "$package"_*.deb "$CACHE/root" && : >"$CACHE/got.$package") || { echo "gpu.sh: no package $package" >&2; exit 1; }
    done
}
fetch_wheel() { # PACKAGE TOOL: prints where it is
    found=$(find "$CACHE/py" -name "$2" -type f 2>/dev/null | head -n 1)
    if [ -z "$found" ]; then
        mkdir -p "$CACHE/py" && python3 -m pip download -q --no-deps -d "$CACHE/py" "$1" >&2 &&
            (cd "$CACHE/py" && python3 -m zipfile -e "$(ls "$(echo "$1" | tr - _)"*.whl | tail -n 1)" .)
        found=$(find "$CACHE/py" -name "$2" -type f | head -n 1)
    fi
    chmod +x "$found"
    echo "$found"
}
fetch clang-19 libclang-cpp19 libllvm19 libclang-common-19-dev libclc-19 rocm-device-libs intel-opencl-icd libigc1 \
    libigdfcl1 libigdgmm12 libopencl-clang14 libllvmspirvlib14
lib=$CACHE/root/usr/lib/x86_64-linux-gnu
with="env LD_LIBRARY_PATH=$lib:$CACHE/root/usr/lib/llvm-19/lib"
clang="$with $CACHE/root/usr/lib/llvm-19/bin/clang -x cl -O3 -w -Xclang -finclude-default-header"
case $TARGETS in
*sm_*)
    nvdisasm=$(command -v nvdisasm || fetch_wheel nvidia-cuda-nvdisasm nvdisasm)
    ptxas=$(command -v ptxas || fetch_wheel nvidia-cuda-nvcc ptxas)
    ;;
esac

row() { # KERNEL TARGET TILE REGS SPILL WAVE LOCAL ASSEMBLY
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$(awk -f "$here/gpu/read.awk" "$8")" >>"$work/table"
}

# NVIDIA: the kernel alone, with the work-group size that NVIDIA's own compiler would pass on
compile_nvidia() {
    $clang $options -target nvptx64-unknown-nvcl -Xclang -target-cpu -Xclang sm_80 -Xclang -target-feature -Xclang +ptx78 \
        -Xclang -mlink-builtin-bitcode -Xclang "$CACHE/root/usr/lib/clc/nvptx64--nvidiacl.bc" -S -o "$file.all.ptx" "$file.cl"
    awk -v k="$kernel" -v g="$items" '/^\.(entry|func|visible|weak)/ { keep = $0 ~ "entry " k "\\(" } /^\.(version|target|address)/ { print; next }
        /^\.func|^\.visible|^\.weak/ { keep = 1 } keep && /^{/ { print ".reqntid " g ", 1, 1" } keep { print }' "$file.all.ptx" >"$file.ptx"
    "$ptxas" -v -arch="$target" "$file.ptx" -o "$file.cubin" 2>"$file.log"
    "$nvdisasm" -c "$file.cubin" >"$file.s"
    row "$kernel" "$target" "$tile" "$(sed -n 's/.*Used \([0-9]*\) registers.*/\1/p' "$file.log")" \
        "$(sed -n 's/.* \([0-9]*\) bytes spill stores.*/\1/p' "$file.log" | head -n 1)" 32 "$local_bytes" "$file.s"
}

compile_amd() {
    bitcode=$lib/amdgcn/bitcode isa=${target#gfx} w64=off libs=
    [ -e "$bitcode/oclc_isa_version_$isa.bc" ] || isa=1036
    case $target in gfx9*) w64=on ;; esac
    for bc in opencl ocml ockl oclc_isa_version_$isa oclc_abi_version_400 oclc_correctly_rounded_sqrt_off oclc_daz_opt_off \
        oclc_finite_only_off oclc_unsafe_math_off oclc_wavefrontsize64_$w64; do
        libs="$libs -Xclang -mlink-builtin-bitcode -Xclang $bitcode/$bc.bc"
    done
    $clang $options -target amdgcn-amd-amdhsa -mcpu="$target" -mcode-object-version=4 -nogpulib $libs -S -o "$file.all.s" "$file.cl"
    awk -v k="$kernel" '$0 ~ "^" k ":" { on = 1 } on { print } on && /s_endpgm/ { end = 1 } end && /^\.Lfunc_end/ { exit }' "$file.all.s" >"$file.s"
    of_kernel() { awk -v k="$kernel.kd" -v what="$1" '$1 == ".symbol:" { on = $2 == k } on && $1 == what { print $2; exit }' "$file.all.s"; }
    row "$kernel" "$target" "$tile" "$(of_kernel .vgpr_count:)" "$(of_kernel .vgpr_spill_count:)" "$([ $w64 = on ] && echo 64 || echo 32)" \
        "$local_bytes" "$file.s"
}

compile_intel() {
    mkdir -p "$file.dump"
    IGC_ShaderDumpEnable=1 IGC_DumpToCustomDir="$file.dump" $with "$CACHE/root/usr/bin/ocloc" compile -file "$file.cl" -device acm-g10 \
        -options "$options" -out_dir "$file.dump" -q >"$file.log" 2>&1 || { tail -n 5 "$file.log" >&2; exit 1; }
    for asm in "$file.dump"/*_entry_*.asm; do
        grep -q "^//.kernel $kernel$" "$asm" || continue
        spill=$(sed -n 's/^\/\/.spill size \([0-9]*\).*/\1/p' "$asm")
        ! grep -q 'store.ugm.*\.a64' "$asm" || spill=private
        row "$kernel" "$target" "$tile" "$(sed -n 's/.*numGRF=\([0-9]*\).*/\1/p' "$asm" | head -n 1)" "${spill:-0}" \
            "$(echo "$asm" | sed -n 's/.*simd\([0-9]*\)_.*/\1/p')" "$local_bytes" "$asm"
    done
}

[ $# -gt 0 ] || set -- lenet5 vgg6bn mobile "$here/gpu/resnet18.net"
: >"$work/table"
for target in $TARGETS; do
    plan_kernels "$target" "$@" >"$work/kernels"
    while read -r file kernel items local_bytes tile; do
        options=$(cat "$file.options")
        case $target in sm_*) compile_nvidia ;; gfx*) compile_amd ;; dg2) compile_intel ;; esac
    done <"$work/kernels"
done

{
    printf 'kernel\ttarget\ttile\tregs\tspill\twave\tlocal\tfma\tshare\tlds\tlocal reads\tglobal reads\tlocal writes\tbar\tall\n'
    sort -t "$(printf '\t')" -k1,1 -k2,2 -k3,3 "$work/table"
} | awk -F'\t' '{ for (i = 1; i <= NF; i++) { cell[NR, i] = $i; if (length($i) > w[i]) w[i] = length($i) } nf = NF > nf ? NF : nf }
    END { for (r = 1; r <= NR; r++) { s = ""; for (i = 1; i <= nf; i++) s = s sprintf("%-" w[i] + 2 "s", cell[r, i]); sub(/ +$/, "", s); print s } }'

# The limits: a line "TARGET KERNEL ITEM_MxITEM_N SHARE LDS", the least share and the most words of local memory.
awk -F'\t' -v limits="$here/gpu/limits" '
    BEGIN { while ((getline line < limits) > 0) if (split(line, w, " ") == 5 && line !~ /^#/) { share[w[1], w[2], w[3]] = w[4]; lds[w[1], w[2], w[3]] = w[5] } }
    $5 != 0 { print "gpu.sh: " $1 " (" $2 ", " $3 ") leaves registers: " $5; bad = 1 }
    {
        block = $3; sub(/.*of/, "", block); sub(/k.*/, "", block); key = $2 SUBSEP $1 SUBSEP block
        if (!(key in share)) next
        met[key] = 1
        if ($9 + 0 < share[key] || $10 + 0 > lds[key]) {
            print "gpu.sh: " $1 " (" $2 ", " $3 "): a share of " $9 " and " $10 " words, where " share[key] " % and " lds[key] " are the limits"; bad = 1
        }
    }
    END { for (key in met) count++; if (count < 3) { print "gpu.sh: only " count + 0 " kernels had limits"; bad = 1 } exit bad }' "$work/table"
