#!/bin/sh
# usage: MPIRUN=mpirun sh tests/mpi.sh PROGRAM - trains by several processes: the same bits however many there are, and what
# becomes of one that dies, hangs, or trains something else. With CLTRAIN_THOROUGH each fault ten times.
. "$(dirname "$0")/command.sh"

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none
export CLTRAIN_CACHE_DIR="$work/cache"
mpirun=${MPIRUN:-mpirun}
times=1
[ -z "${CLTRAIN_THOROUGH:-}" ] || times=10

# processes N COMMAND...: so many of them together
processes() {
    number=$1
    shift
    "$mpirun" -n "$number" "$@"
}

# Each process leaves its number, then becomes the program.
cat >rank <<END
echo \$\$ >"$work/pid.\${OMPI_COMM_WORLD_RANK:-\$PMI_RANK}"
exec "\$@"
END

digest() {
    sed -n 's/.*sha256 //p' "$1"
}

same_digest() {
    [ -n "$(digest "$1")" ] && [ "$(digest "$1")" = "$(digest "$2")" ]
}

differs_from() {
    ! same_digest "$1" "$2"
}

residual='conv out=6 kernel=3 padding=1 as=a, batchnorm, relu, conv out=6 kernel=3 padding=1, batchnorm, add from=batchnorm2,a, relu, dropout rate=0.1, globalavgpool, dense out=4'
plain='conv out=4 kernel=3, relu, maxpool kernel=2, flatten, dense out=4'
all_of_it='--batch-size 16 --accumulate 2 --shards 8 --epochs 2 --augment flip,crop=1,rotate=5 --optimizer adamw,conv*.weight=muon --lr 0.01 --clip-grad 1 --ema 0.9'


test_same_bits() {
    for net in plain residual; do
        eval "text=\$$net"
        numbers="1 2 3 4 8"
        [ -n "${CLTRAIN_THOROUGH:-}" ] || [ $net = residual ] || numbers="3 8"
        ok "$net alone" cltrain train --data plain --device "$device" --quiet --net "$text" $all_of_it
        mv out "$net.one"
        for number in $numbers; do
            ok "$net by $number" processes $number "$program" train --data plain --device "$device" --quiet --net "$text" $all_of_it
            judge "$net by $number has the bits of one" same_digest "$net.one" out
        done
    done
    ok "normalised together alone" cltrain train --data plain --device "$device" --quiet --net "$residual" $all_of_it --sync-batchnorm
    mv out synced
    judge "has other bits" differs_from residual.one synced
    for number in 3 8; do
        ok "normalised together by $number" processes $number "$program" train --data plain --device "$device" --quiet --net "$residual" $all_of_it --sync-batchnorm
        judge "has the bits of one" same_digest synced out
    done
    ok "the number of shards follows that of processes" processes 2 "$program" train --data plain --device "$device" --quiet --net "$plain" --epochs 1 --output-dir auto
    judge "and is kept" checkpoint_holds auto/last.safetensors 'd["options"]["shards"] == 2'
    ok "eval by 3" processes 3 "$program" eval --data plain --device "$device" --model auto/last.safetensors
    mv out by3
    ok "eval alone" cltrain eval --data plain --device "$device" --model auto/last.safetensors
    judge "they find the same" cmp by3 out
}

test_devices() {
    [ "$device" != reference ] || return 0
    ok "two devices in one process" cltrain train --data plain --device "$device,$device" --quiet --net "$residual" $all_of_it
    judge "have the bits of one" same_digest residual.one out
    if [ "$(cltrain devices | awk -v id="$device" '$1 == id || $2 == id' | grep -c '[2-9] units\|[0-9][0-9] units')" = 1 ]; then
        ok "a device cut into two" cltrain train --data plain --device "$device/2" --quiet --net "$residual" $all_of_it
        judge "has the bits of one" same_digest residual.one out
        ok "part of a device" cltrain verify --device "$device/2/1" --net "$plain" --input 1x8x8
    fi
    ok "local" processes 2 "$program" train --data plain --device local --quiet --net "$residual" $all_of_it
    run processes 2 "$program" train --data plain --device "$device,$device" --quiet --net "$plain"
    judge "refused: several devices of several processes" is_told "names 2 devices, where each of several processes has one"
}

# begin NUMBER OPTION...: a training without an end, in the background, that has written a checkpoint
begin() {
    number=$1
    shift
    rm -rf long pid.*
    processes "$number" sh rank "$program" train --data plain --device "$device" --quiet --net "$residual" --shards 4 \
        --epochs 100000 --output-dir long --timeout 5 "$@" >long.out 2>long.err &
    background=$!
    comes long/metrics.csv
}

# What a rank does by itself when all is trained may take longer than ranks wait for each other. A report times ops for a second.
test_late_report() {
    [ "$device" != reference ] || return 0
    rm -rf reported page.html pid.*
    processes 2 sh rank "$program" train --data plain --device "$device" --quiet --net "$plain" --epochs 1 --timeout 5 \
        --output-dir reported --report page.html >out 2>err &
    background=$!
    judge "two have trained, and make a report" comes out
    kill -STOP "$(cat pid.0)"
    judge "the report is not there yet" [ ! -e page.html ]
    sleep 7
    kill -CONT "$(cat pid.0)" 2>/dev/null || true
    status=0
    wait "$background" || status=$?
    background=
    judge "a report that takes longer than the timeout is finished" [ $status = 0 -a -s page.html ]
}

# It is given 20 seconds.
ends() {
    seconds=0
    while kill -0 "$background" 2>/dev/null; do
        sleep 0.1
        seconds=$((seconds + 1))
        [ $seconds -lt 200 ] || return 1
    done
    status=0
    wait "$background" || status=$?
    background=
    cp long.out out
    cp long.err err
    [ $status != 0 ]
}

# What ranks said, and what a launcher says of one that a signal ended, goes to either stream.
says() {
    cat long.out long.err | grep -qE "$1"
}

test_faults() {
    for time in $(seq $times); do
        judge "it trains" begin 2
        kill -KILL "$(cat pid.1)"
        judge "a process that is killed ends all" ends
        judge "in a sentence that names it" says '[rR]ank 1|BAD TERMINATION' # MPICH's launcher names process and host
        ok "the last checkpoint stands" cltrain eval --data plain --device "$device" --model long/last.safetensors

        judge "it trains" begin 2
        kill -STOP "$(cat pid.1)"
        judge "a process that hangs ends all" ends
        judge "in a sentence that names it" says '^cltrain: rank 1 \(.*\) has not answered for 5 seconds \(--timeout\)'
        judge "nothing of it is left" is_gone "$(cat pid.1)"

        judge "it trains" begin 3
        kill -TERM "$(cat pid.2)"
        judge "a signal on any process stops all" ends
        judge "after the same step" says '^cltrain: train: stopped (in|after) epoch .*goes on from there$'
        ok "which another number resumes" cltrain train --data plain --device "$device" --quiet --resume long/last.safetensors --epochs 0
        judge "it trains" begin 2 --save-every 100000
        kill -USR1 "$(cat pid.1)"
        judge "a checkpoint on demand" says_soon 'a checkpoint was written after'
        kill -TERM "$(cat pid.0)"
        judge "it ends" ends
    done
}

is_gone() {
    for moment in $(seq 50); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.1
    done
    return 1
}

says_soon() {
    for moment in $(seq 100); do
        ! says "$1" || return 0
        sleep 0.1
    done
    return 1
}

# To the last step, whoever computes: what is interrupted and resumed by others is what one run gives.
test_resumed() {
    ok "in one go" cltrain train --data plain --device "$device" --quiet --net "$residual" $all_of_it --epochs 4 --save-every 3 --output-dir whole
    mv out whole.out
    ok "the first epochs by 3" processes 3 "$program" train --data plain --device "$device" --quiet --net "$residual" $all_of_it --epochs 2 --save-every 3 --output-dir parts
    ok "the others by 2" processes 2 "$program" train --data plain --device "$device" --quiet --resume parts/last.safetensors --epochs 4 --output-dir parts
    judge "have the bits of one go" same_digest whole.out out
}

# by_rank FIRST OTHER: the first process runs one command line, the second another; both are words.
by_rank() {
    cat >each <<END
case \${OMPI_COMM_WORLD_RANK:-\$PMI_RANK} in
0) $1 ;;
*) $2 ;;
esac
END
    processes 2 sh each
}

# refuses SENTENCE FIRST OTHER
refuses() {
    run by_rank "$2" "$3"
    judge "refused: $1" is_told "$1"
}

is_told() {
    [ "$status" != 0 ] || { echo "wanted a failure"; return 1; }
    [ "$(grep -c '^cltrain: ' err)" = "$(grep -c '^cltrain: \(note: \|.*'"$1"'\)' err)" ] || { echo "wanted one sentence"; return 1; }
    grep -q "^cltrain: .*$1" err || { echo "wanted a line that contains: $1"; return 1; }
}

test_refusals() {
    base="exec $program train --device $device --quiet --epochs 2"
    cp -r plain other
    python3 -c 'f = open("other/train-images-idx3-ubyte", "r+b"); f.seek(5000); f.write(b"x")'
    refuses 'rank 1 (.*) has another training set than rank 0: as many images' "$base --data plain --net '$plain'" "$base --data other --net '$plain'"
    refuses 'rank 1 (.*) trains another net than rank 0' "$base --data plain --net '$plain'" "$base --data plain --net '$residual'"
    refuses 'rank 1 (.*) has another value of the option momentum than rank 0' "$base --data plain --net '$plain'" "$base --data plain --net '$plain' --momentum 0.8"
    refuses 'rank 1 (.*) computes on the reference, in double, and others do not' "$base --data plain --net '$plain' --allow-mixed" "exec $program train --device reference --quiet --epochs 2 --data plain --net '$plain' --allow-mixed"
    refuses 'rank 1 (.*): nothing' "$base --data plain --net '$plain'" "$base --data nothing --net '$plain'"
    version=$(cltrain --version | sed -n '1s/cltrain //p')
    sed "s/$(echo "$version" | sed 's/\./\\./g')/9.9.9/g" "$program" >changed
    chmod +x changed
    refuses "rank 1 (.*) has cltrain 9.9.9, rank 0 has $version" "$base --data plain --net '$plain'" "exec $work/changed train --device $device --quiet --epochs 2 --data plain --net '$plain'"
    refuses 'at least as many shards' "$base --data plain --net '$plain' --shards 1" "$base --data plain --net '$plain' --shards 1"
    refuses 'try a lower learning rate' "$base --data plain --net '$plain' --lr 1e6" "$base --data plain --net '$plain' --lr 1e6"
    for seed in 1 2; do
        ok "model $seed" cltrain train --data plain --device "$device" --quiet --net "$plain" --epochs 0 --seed $seed --output-dir model$seed
    done
    measures="exec $program eval --data plain --device $device --model"
    refuses 'rank 1 (.*) has another model than rank 0' "$measures model1/last.safetensors" "$measures model2/last.safetensors"
    refuses 'rank 1 (.*) has another batch size' "$measures model1/last.safetensors" "$measures model1/last.safetensors --batch-size 32"
    mkdir -p taken/last.safetensors/by
    refuses 'taken/last.safetensors: cannot be written' "$base --data plain --net '$plain' --output-dir taken" "$base --data plain --net '$plain' --output-dir taken"
}

make_data
run_groups same_bits resumed devices late_report refusals faults
