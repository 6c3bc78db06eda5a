#!/bin/sh
# fence.sh PROGRAM LIBRARY: verifies nets, whose sizes leave tiles half empty, with memory that ends before a page nobody may touch
# (stub/fence.c). Verify itself looks only at the guards beside each tensor, which a kernel may step over.
set -eu
[ $# = 2 ] || { echo "usage: sh fence.sh PROGRAM LIBRARY" >&2; exit 2; }
program=$1 library=$2
table=$(mktemp)
trap 'rm -f "$table"' EXIT

verify() { # SCHEDULE BATCH NET
    status=0
    # A division by zero, which PoCL else makes nothing of, ends the program too.
    POCL_SIGFPE_HANDLER=0 LD_PRELOAD=$library "$program" verify --schedule "$1" --batch-size "$2" --net "$3" >"$table" 2>&1 || status=$?
    [ $status = 0 ] || { tail -n 3 "$table"; echo "fence.sh: status $status behind a fence, $1 schedule: $3"; exit 1; }
    grep -q '^fence: [1-9]' "$table" || { echo "fence.sh: nothing was allocated behind a fence"; exit 1; }
}

[ -z "${CLTRAIN_THOROUGH:-}" ] || verify tile 8 "input 64x13x14, conv out=64 kernel=5 padding=2, relu, conv out=24 kernel=1, globalavgpool, dense out=3"
verify tile 5 "input 33x15x14, conv out=66 kernel=3 padding=1, batchnorm, relu, conv out=12 groups=3 bias=no, groupnorm groups=4, maxpool kernel=2, flatten, dense out=37, tanh, dense out=3"
verify tile 3 "input 3x1x8, conv out=4, conv out=4 kernel=3 stride=2x3 padding=1, flatten, dense out=3"
verify vector 5 "input 24x11x9, conv out=24 kernel=3 groups=24 padding=1, relu, conv out=17 kernel=3 padding=1, tanh, avgpool kernel=3, flatten, dense out=3"
echo "no kernel touches what lies behind its buffers"
