#!/bin/sh
# Tests that nothing is lost: trainings that are killed whenever they change a file, and disks and folders that fail:
# sh kills.sh PROGRAM SIGNAL
# SIGNAL is a library that kills a program at a change that is counted: stub/signal.c.
[ $# = 2 ] || { echo "usage: sh $0 PROGRAM SIGNAL" >&2; exit 2; }
signal=$(realpath "$2") || exit 2
set -- "$1"
. "$(dirname "$0")/command.sh"

KILLS=100

# The training that is killed: a checkpoint every two steps, with all that draws at random. The program takes the place of
# the shell that calls this, so that a signal to that is a signal to it.
long_training() {
    folder=$1
    shift
    exec "$program" train --data plain --net "conv out=2 kernel=3, relu, dropout rate=0.1, flatten, dense out=4" \
        --device reference --precision f64 --quiet --epochs 12 --batch-size 30 --save-every 2 --optimizer adam --lr 0.005 \
        --augment flip,crop=1,mixup=0.3 --ema 0.9 --seed 5 --output-dir "$folder" "$@"
}

# Begins it, or goes on with its checkpoint if there is one.
long_training_goes_on() {
    if [ -e "$1/last.safetensors" ]; then
        exec "$program" train --data plain --device reference --quiet --output-dir "$1" --resume "$1/last.safetensors"
    else
        long_training "$1"
    fi
}

# killed_at N COMMAND...: the Nth change to a file kills it
killed_at() {
    SIGNAL_AT=KILL:$1 LD_PRELOAD=$signal
    export SIGNAL_AT LD_PRELOAD
    shift
    "$@"
}

# apart COMMAND...: in a shell of its own
apart() {
    ("$@")
}

digest_in() {
    sed -n 's/.*sha256 //p' "$1"
}

# What the killed ones left half written is gone.
is_tidy() {
    [ "$(ls "$1" | wc -l)" = 5 ]
}

# The first kill comes at the first change, the second at the second change after that, and so on: between them they meet
# every change that a checkpoint, the metrics and the end of an epoch take.
test_kills() {
    ok "a training that nothing kills" apart long_training whole
    wanted=$(digest_in out)
    judge "it tells its digest" [ ${#wanted} = 64 ]
    killed=0 ended=0 wrong=0 failed_to_resume=0
    while [ $killed -lt $KILLS ] && [ $ended -lt $KILLS ] && [ $failed_to_resume = 0 ]; do
        code=0
        { (killed_at $((killed + 1)) long_training_goes_on killed) >run.out 2>run.err || code=$?; } 2>/dev/null # "Killed"
        case $code in
        137) killed=$((killed + 1)) ;;
        0) # It ended before: another one begins.
            ended=$((ended + 1))
            [ "$(digest_in run.out)" = "$wanted" ] || wrong=$((wrong + 1))
            rm -r killed
            ;;
        *)
            failed_to_resume=$((failed_to_resume + 1))
            cat run.err
            ;;
        esac
    done
    echo "      $killed kills, $ended trainings that ended in between"
    judge "$KILLS were killed" [ "$killed" = $KILLS ]
    judge "a killed training can always be resumed" [ "$failed_to_resume" = 0 ]
    judge "some ended in between" [ "$ended" -gt 0 ]
    judge "those that ended came to the same bits" [ "$wrong" = 0 ]
    ok "the last one goes on to its end" apart long_training_goes_on killed
    judge "and to the same bits" [ "$(digest_in out)" = "$wanted" ]
    judge "nothing is left lying about" is_tidy killed
}

# checkpoint_stands FOLDER: the checkpoint there is the one of `before`, and can be read.
checkpoint_stands() {
    cmp before "$1/last.safetensors" && cltrain eval --model "$1/last.safetensors" --data plain --device reference >/dev/null
}

keep_checkpoint() {
    train_small "$1" --epochs 1 >/dev/null 2>&1
    cp "$1/last.safetensors" before
}

# POSIX counts what a file may hold in blocks of 512 bytes; the program gets a signal that it has to ignore.
limited() {
    (ulimit -f 1 && "$@")
}

test_disks() {
    keep_checkpoint large
    fails 1 'large/' limited cltrain train --data plain --device reference --quiet --output-dir large --resume large/last.safetensors \
        --epochs 3
    judge "a file size limit is named" grep -q 'File too large' err
    judge "the checkpoint before it stands" checkpoint_stands large

    mkdir full
    if mount -t tmpfs -o size=20k tmpfs full 2>/dev/null; then
        mkdir full/run
        keep_checkpoint full/run
        head -c 100000 /dev/zero >full/filler 2>/dev/null
        fails 1 'No space left on device' cltrain train --data plain --device reference --quiet --output-dir full/run \
            --resume full/run/last.safetensors --epochs 3
        judge "a full disk: the checkpoint before it stands" checkpoint_stands full/run
        umount full
    else
        echo "skip  a full disk: nothing can be mounted here"
    fi

    # Somebody else's folder, as a user who may not write there.
    keep_checkpoint theirs
    chmod 755 . theirs
    chmod 644 theirs/*
    as_other=
    [ "$(id -u)" != 0 ] || as_other="setpriv --reuid=65534 --clear-groups"
    [ -n "$as_other" ] || chmod a-w theirs
    if $as_other "$program" devices >/dev/null 2>&1; then
        fails 1 'theirs/' env CLTRAIN_CACHE_DIR= $as_other "$program" train --data plain --device reference --quiet \
            --output-dir theirs --resume theirs/last.safetensors --epochs 3
        judge "a folder that may not be written to is named" grep -q 'Permission denied' err
        judge "a read-only folder: the checkpoint before it stands" checkpoint_stands theirs
    else
        echo "skip  a read-only folder: another user cannot run $program"
    fi
}

test_folders() {
    long_training away --epochs 100000 >run.out 2>err &
    background=$!
    judge "a long training begins" comes away/last.safetensors
    fails 1 'away: another training writes to this folder' train_small away
    mv away elsewhere
    status=0
    wait $background || status=$?
    background=
    judge "a folder that is moved away ends the training" [ "$status" = 1 ]
    judge "in a sentence" grep -q '^cltrain: away/.*No such file or directory' err
}

make_data || exit 2
run_groups kills disks folders
