#!/bin/sh
# Runs the example programs: sh examples.sh PROGRAM FOLDER, where FOLDER has what tests/examples/*.c became.
[ $# = 2 ] || { echo "usage: sh $0 PROGRAM FOLDER" >&2; exit 2; }
examples=$(realpath "$2") || exit 2
set -- "$1"
. "$(dirname "$0")/command.sh"

options="--optimizer adam --lr 0.005 --lr-scheduler cosine --augment flip,crop=1,mixup=0.3 --ema 0.9 --seed 5 --batch-size 30"

test_train_loop() {
    ok "cltrain train" cltrain train --data plain --net "input 1x8x8, $net" --device "$device" --quiet --epochs 3 \
        --output-dir wanted $options
    # The same options by their names.
    set -- $(echo "$options" | sed 's/--\([a-z-]*\)/\1/g')
    ok "a loop of one's own" "$examples/train_loop" plain 3 loop.safetensors net "input 1x8x8, $net" device "$device" "$@"
    judge "comes to the same checkpoint" cmp wanted/last.safetensors loop.safetensors
}

test_predict_server() {
    tail -c +17 plain/t10k-images-idx3-ubyte >all.raw # behind the head of the IDX file
    head -c 64 all.raw >one.raw
    printf '%s\n' one.raw all.raw one.raw >requests
    ok "cltrain predict" cltrain predict --model wanted/last.safetensors --device "$device" plain/t10k-images-idx3-ubyte
    cut -f 2 out | tr '\n' ' ' | sed 's/ $//' >wanted.classes
    ok "a server's loop" sh -c '"$1" wanted/last.safetensors "$2" <requests' sh "$examples/predict_server" "$device"
    judge "answers each request" lines_are 3 out
    judge "as predict does" sh -c '[ "$(sed -n 2p out)" = "$(cat wanted.classes)" ]'
    judge "and the same again" sh -c '[ "$(sed -n 1p out)" = "$(sed -n 3p out)" ]'
}

test_data_source() {
    ok "a data source of one's own" "$examples/data_source" 3000 "$device"
    judge "is learned from" awk '/^accuracy/ { good = $2 > 0.95 } END { exit !good }' out
}

test_fine_tune() {
    ok "a trained net" cltrain train --data plain --net "input 1x8x8, $net" --device "$device" --quiet --epochs 3 \
        --batch-size 30 --output-dir trained
    ok "is fine-tuned with another last layer" "$examples/fine_tune" trained/last.safetensors \
        'input 1x8x8, conv out=2 kernel=3, relu, maxpool kernel=2, flatten, dense out=9, relu, dense out=4' plain "$device"
    judge "says what was taken" grep -q '^note: .*these are taken: conv1.weight' out
    judge "and learns more" awk '/^accuracy/ { n++; a[n] = $2 } END { exit !(n == 2 && a[2] > 0.8) }' out
}

make_data || exit 2
run_groups train_loop predict_server data_source fine_tune
