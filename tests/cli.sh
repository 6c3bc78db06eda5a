#!/bin/sh
# Tests the command line from outside, as a script that calls it would: sh cli.sh PROGRAM SIGNAL
# SIGNAL is a library that interrupts a program at a change to a file that is counted: stub/signal.c.
[ $# = 2 ] || { echo "usage: sh $0 PROGRAM SIGNAL" >&2; exit 2; }
signal=$(realpath "$2") || exit 2
readme=$(realpath "$(dirname "$0")/../README.md") || exit 2
set -- "$1"
. "$(dirname "$0")/command.sh"
export CLTRAIN_CACHE_DIR= # what is tuned or probed here stays here

# ---- help and version -------------------------------------------------------------------------------------------

verbs="example devices train eval predict verify summary plan bench tune scale lr-find data export convert"

# The options that scripts rely on.
limits='limit-workgroup limit-local limit-alloc'
options_of() {
    case $1 in
    example) echo sigmoid-derivative steps lr precision device schedule $limits ;;
    devices) echo json ;;
    train)
        echo accumulate shards bucket-mb wire local-steps timeout allow-mixed drop-last overfit-batch ema init freeze data label-column net recipe output-dir epochs batch-size micro-batch-size lr momentum nesterov ns-steps normalize-filters weight-decay optimizer lr-scheduler \
            no-decay-bias-norm beta1 beta2 alpha eps clip-value lr-per-step milestones power factor patience-lr \
            warmup-epochs gamma step-size label-smoothing clip-grad loss seed val-split patience resume weights weights-by-order \
            save-every normalize no-shuffle check-every log-steps json-log tensorboard precision storage device schedule $limits quiet augment class-weights on-mismatch trust transpose until classes freeze-until report no-check
        ;;
    eval) echo model data label-column timeout topk tta strict invert transpose batch-size storage json device schedule $limits ;;
    predict) echo model label-column topk tta strict invert transpose format batch-size storage device schedule $limits ;;
    export) echo model format opset with-preprocessing fold-norm ;;
    convert) echo weights weights-by-order until classes opset ;;
    compare) echo data label-column size batch-size json device schedule $limits ;;
    report) echo data label-column output no-check size batch-size device schedule $limits ;;
    summary) echo net recipe until classes input json ;;
    data) echo layout label-column size transpose skip-bad eval-crop no-exif workers data-cache augment seed sheet json ;;
    lr-find)
        echo augment class-weights data label-column transpose net recipe lr-min lr-max steps batch-size optimizer momentum nesterov ns-steps normalize-filters weight-decay no-decay-bias-norm beta1 beta2 \
            alpha eps clip-grad clip-value label-smoothing loss seed init weights weights-by-order freeze normalize precision storage json device schedule $limits
        ;;
    plan) echo accumulate shards clip-grad freeze augment ema net recipe input batch-size micro-batch-size optimizer images inference pretend precision storage json device schedule $limits ;;
    tune) echo net recipe input batch-size precision storage forget json device schedule $limits ;;
    bench) echo augment net recipe input batch-size seconds plan pretend precision storage json device schedule $limits ;;
    scale) echo net recipe until classes input batch-size bucket-mb pretend devices bandwidth latency precision json device schedule $limits ;;
    verify) echo net recipe input loss precision storage model batch-size seed report json device schedule $limits ;;
    esac
}

mentions_options() {
    for option in "$@"; do
        grep -q -- "^  --$option\( \|\$\)" out || { echo "--$option is missing"; return 1; }
    done
}

# Each option that --help tells of is one that the verb knows.
knows_its_options() {
    for option in $(sed -n 's/^  --\([a-z0-9-]*\).*/\1/p' out); do
        [ "$option" = help ] || ! cltrain "$1" "--$option" 2>&1 | grep -F 'no such option' || return 1
    done
}

# holds_lines PART WHOLE: the lines of PART are in WHOLE, one after another.
holds_lines() {
    python3 -c 'import sys
part, whole = (open(name).read() for name in sys.argv[1:])
sys.exit(0 if part in whole else "the README is out of date: its table is what `cltrain help options` prints")' "$1" "$2"
}

# completes_in_bash SCRIPT
completes_in_bash() {
    command -v bash >/dev/null || return 0
    bash -c '. "$1"
        try() { COMP_WORDS=($1) COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=(); _cltrain; echo "${COMPREPLY[*]}"; }
        [ "$(try "cltrain trai")" = train ] || { echo "trai: $(try "cltrain trai")"; exit 1; }
        [ "$(try "cltrain train --epo")" = --epochs ] || { echo "--epo: $(try "cltrain train --epo")"; exit 1; }
        [ "$(try "cltrain train --optimizer ada")" = "adam adamw adagrad" ] || { echo "ada: $(try "cltrain train --optimizer ada")"; exit 1; }
        [ "$(try "cltrain verify --schedule v")" = vector ] || { echo "v: $(try "cltrain verify --schedule v")"; exit 1; }
        [ "$(try "cltrain bench --net vgg")" = vgg6bn ] || { echo "vgg: $(try "cltrain bench --net vgg")"; exit 1; }
        [ "$(try "cltrain bench --net = vgg")" = vgg6bn ] || { echo "=vgg: $(try "cltrain bench --net = vgg")"; exit 1; }
        [ "$(try "cltrain help completion z")" = zsh ] || { echo "z: $(try "cltrain help completion z")"; exit 1; }
        [ -z "$(try "cltrain train --data two")" ] || { echo "files are readline s: $(try "cltrain train --data two")"; exit 1; }' bash "$1"
}

# completes_in_fish SCRIPT
completes_in_fish() {
    command -v fish >/dev/null || return 0
    fish -c 'source $argv[1]
        test (complete -C "cltrain trai" | string split -f 1 \t) = train; or exit 1
        test (complete -C "cltrain bench --net vgg" | string split -f 1 \t) = vgg6bn; or exit 1
        test (complete -C "cltrain help completion z") = zsh; or exit 1
        test (complete -C "cltrain train --data two") = "two words.csv"; or exit 1' "$1"
}

test_help() {
    ok "--version" cltrain --version
    judge "--version prints a version" grep -qE '^cltrain [0-9]+\.[0-9]+\.[0-9]+$' out
    judge "--version tells what it was built with" grep -q '^built with libpng, libjpeg' out
    ok "--help" cltrain --help
    cp out overview
    for verb in $verbs; do shows "--help names $verb" "  $verb "; done
    ok "help is --help" cltrain help
    judge "help prints the same" cmp overview out
    ok "-h is --help" cltrain -h
    run cltrain
    judge "without a verb there is the overview" cmp overview out
    for verb in $(awk '/^usage/ { list = 1 } /--help/ { list = 0 } list && /^  / { print $1 }' overview); do
        ok "$verb --help all" cltrain "$verb" --help all
        judge "$verb --help goes to standard output alone" is_empty err
        judge "$verb --help all mentions every option" mentions_options $(options_of "$verb") help # one word an option
        judge "$verb knows every option it mentions" knows_its_options "$verb"
        ok "$verb --help" cltrain "$verb" --help
        cp out help
        ok "help $verb" cltrain help "$verb"
        judge "help $verb prints the same" cmp help out
    done
    ok "--help stands above other options" cltrain train --epochs 3 --help
    judge "train --help has ten options and tells of the others" [ "$(grep -c '^  --' out)" = 11 ]
    shows "it tells how to see all" "--help all"
    ok "help man" cltrain help man
    judge "the manual page has every option" sh -c '[ "$(grep -c "^\.B \\\\-\\\\-" out)" = "$1" ]' sh "$(cltrain help options | grep -c '^| `--')"
    ! command -v groff >/dev/null || judge "groff finds nothing in it" sh -c 'groff -man -ww -z out 2>&1 | grep . && exit 1 || exit 0'
    for shell in bash zsh fish; do
        ok "help completion $shell" cltrain help completion $shell
        judge "$shell can read it" sh -c 'command -v $1 >/dev/null || exit 0; $1 -n out' sh $shell
    done
    touch "two words.csv"
    judge "fish completes verbs, names and files" completes_in_fish out
    ok "help completion bash" cltrain help completion bash
    judge "bash completes verbs, options, names and choices" completes_in_bash out
    fails 2 'where a shell is needed: bash, zsh or fish' cltrain help completion tcsh
    fails 2 'where a shell is needed' cltrain help completion
    ok "help options" cltrain help options
    judge "the README has that table" holds_lines out "$readme"
    ok "help recipes" cltrain help recipes
    for recipe in $(sed -n 's/^---- //p' out); do
        judge "the README tells of $recipe" grep -qF "\`$recipe\`" "$readme"
        ok "$recipe is a net" cltrain summary --recipe "$recipe"
    done
    ok "help nets" cltrain help nets
    for word in conv dense maxpool flatten relu cross_entropy mse lenet5 cnn2; do
        shows "help nets names $word" "$word"
    done
    # The tables of the README that are written by hand. The notebook's net and activation are for `example`.
    for word in $(awk '/^Layers:|^Losses:/ { list = 1 } /^Every layer|^Built-in/ { list = 0 } /^  # / { print $2 }
                       list && /^  [a-z]/ { print $1 }' out | grep -v _notebook); do
        judge "the README tells of $word" grep -qF "\`$word\`" "$readme"
    done
    for verb in $(awk '/^usage/ { list = 1 } /--help/ { list = 0 } list && /^  / { print $1 }' overview); do
        judge "the README's table of verbs has $verb" grep -q "^| \`$verb[ \`]" "$readme"
    done
}

# ---- mistakes in the command line -------------------------------------------------------------------------------

test_verbs_and_options() {
    fails 2 'did you mean cltrain train?' cltrain trian
    fails 2 'xyzzy: cltrain has no such verb; cltrain --help lists them' cltrain xyzzy
    fails 2 '?[31mred: cltrain has no such verb' cltrain "$(printf '\033[31mred')"
    fails 2 'a verb comes first' cltrain --epochs 3
    fails 2 'did you mean cltrain verify?' cltrain help verfy
    fails 2 'takes one verb' cltrain help train eval
    fails 2 'did you mean --epochs?' cltrain train --epoch 3
    fails 2 'did you mean --steps?' cltrain example -steps 3
    fails 2 'cltrain eval --help lists them' cltrain eval --xyzzy
    fails 2 'did you mean --batch-size?' cltrain predict --batchsize=3
    fails 2 'extra: example takes only options' cltrain example extra
    fails 2 '--quiet takes no value' cltrain train --quiet=yes
    fails 2 '--data PATH is needed' cltrain train
    fails 2 '--model FILE is needed' cltrain eval --data plain
    fails 2 '--data PATH is needed' cltrain eval --model any
    fails 2 'at least one INPUT is needed' cltrain predict --model any
}

test_values() {
    for verb in $verbs; do
        for option in $(options_of "$verb"); do
            case $option in nesterov | normalize-filters | no-decay-bias-norm | lr-per-step | no-shuffle | drop-last | overfit-batch | quiet | inference | forget | weights-by-order | skip-bad | weights-by-order | no-exif | strict | transpose | invert | with-preprocessing | fold-norm | plan | trust | no-check | allow-mixed) continue ;; esac
            fails 2 "--$option: a value is needed" cltrain "$verb" "--$option"
        done
    done
    fails 2 '--lr: a value is needed' cltrain train --lr --epochs 3

    refuses_values example --steps 0 -1 1.5 x '' ' 3' 3x 2147483648 99999999999999999999
    refuses_values example --lr x '' -1 inf nan 1e999 0.1x ' 1'
    refuses_values train --epochs -1 1.5 x '' 2147483648
    refuses_values train --batch-size 0 -4 2.5 x
    refuses_values train --lr -0.1 x nan
    refuses_values train --lr 0.1,0.2 0.1,conv1.weight=x 0.1, =0.1 'conv*=-1'
    refuses_values train --momentum -0.1 1.1 x
    refuses_values train --ns-steps 0 101 2.5 x
    refuses_values train --weight-decay -1 x inf 'a=b'
    fails 2 'the example has one learning rate' cltrain example --device reference --lr 0.01,dense1.bias=0.1
    refuses_values train --warmup-epochs -1 x
    refuses_values train --gamma -1 x
    refuses_values train --step-size 0 1.5 x
    refuses_values train --label-smoothing -0.1 1.5 x
    refuses_values train --clip-grad -1 x
    refuses_values train --seed -1 1.5 x 18446744073709551616
    refuses_values train --val-split 1 -0.5 x
    refuses_values train --patience -1 x
    refuses_values train --save-every -1 1.5 x 9223372036854775808
    refuses_values train --check-every -1 x
    refuses_values eval --batch-size 0 x
    refuses_values predict --batch-size 0 x
    refuses_values predict --topk 0 -1 x
    refuses_values verify --batch-size 0 x
    refuses_values verify --seed -1 x
    refuses_values plan --batch-size 0 x
    refuses_values plan --micro-batch-size -1 x
    refuses_values train --shards -1 1.5 x 1025
    refuses_values train --bucket-mb 0 x
    refuses_values train --local-steps -1 1.5 x
    refuses_values eval --timeout 0 x
    refuses_values plan --images 0 x
    refuses_values train --accumulate 0 1.5 x
    refuses_values train --ema 1 -0.1 x
    refuses_values train --micro-batch-size -1 1.5 x
    refuses_values bench --batch-size 0 x
    refuses_values tune --batch-size 0 x
    refuses_values bench --seconds 0 -1 x nan
    refuses_values scale --devices 0 -1 8,1 1,1 1.5 1, ,2 x '' 2147483648
    refuses_values scale --bandwidth 0 -1 x nan inf 1000001
    refuses_values scale --latency -1 x nan inf
    refuses_values verify --input 1x28 1x28x28x1 0x28x28 1x-2x3 x 1x28x99999999999

    refuses_values example --sigmoid-derivative maybe ''
    refuses_values example --precision f16
    refuses_values train --precision double
    refuses_values train --optimizer adamm sgd,adam 'sgd,conv*=adamm'
    refuses_values train --lr-scheduler never
    refuses_values train --normalize some 0.5 0.5/0 0.5/-1 0.5/ /0.5 1,2/1,2,3 x/1
    refuses_values verify --precision f16
    refuses_values verify --storage f64 half
    for verb in example train eval predict verify bench; do
        refuses_values $verb --schedule tiles ''
        for option in $limits; do refuses_values $verb --$option 0 -1 1k ''; done
    done
    refuses_values predict --format xml
}

# What is possible alone, but not together, or not with these files.
test_contradictions() {
    run train_small first --epochs 1
    for option in '--net lenet5' '--loss mse' '--precision f32' '--weights zero.safetensors' '--init kaiming_normal' \
        '--normalize none'; do
        fails 2 ', where the checkpoint has "' cltrain train --data plain --resume first/last.safetensors $option
    done
    fails 2 'normalize: "0.5/0.25" is given, where the checkpoint has "dataset"' \
        cltrain train --data plain --resume first/last.safetensors --normalize 0.5/0.25
    for option in '--net lenet5' '--loss mse' '--precision f64' '--input 1x8x8'; do
        fails 2 '--model: brings its own net' cltrain verify --model first/last.safetensors $option
    done
    fails 2 'momentum above 0' train_small other --nesterov --momentum 0
    fails 2 'given for 2 channels, the images have 1' train_small other --normalize 1,2/3
    fails 2 'would leave one side empty' train_small other --val-split 0.0001
    fails 2 'has 4 classes, the net has 3 outputs' train_small other --net 'flatten, dense out=3'
    fails 2 'where first/last.safetensors has 4 classes' \
        cltrain predict --model first/last.safetensors --device reference --topk 5 ten.idx
    fails 2 '--loss: "mze" is given, where cross_entropy, ' train_small other --loss mze
    fails 2 'no layer "cnov"' train_small other --net 'cnov out=3'
    fails 2 'neither a built-in net' train_small other --net lenet6
    fails 2 'conv2: a kernel of 5x5 does not fit' train_small other --net lenet5
    fails 1 'called "nosuch"' train_small other --device nosuch
    fails 2 'takes images of 1x8x8, small.idx has 1x5x5' \
        cltrain predict --strict --model first/last.safetensors --device reference small.idx
}

# ---- example ----------------------------------------------------------------------------------------------------

# column TITLE SIDE: the numbers below a title of the last example; SIDE 0 is the device's, 1 the reference's.
column() {
    awk -v title="$1" -v side="$2" '
        found && NF == 0 { exit }
        found { print $(side + ($1 ~ /^\[/ ? 2 : 1)) }
        index($0, title " (") == 1 { found = 1 }' out
}

# example_has TITLE NUMBER...: on both sides, all digits of a single number and 8 of each among several
example_has() {
    title=$1
    shift
    for side in 0 1; do
        have=$(column "$title" $side | awk -v count=$# '
            { printf "%s%s", (NR > 1 ? " " : ""), (count > 1 ? sprintf("%.8g", $1) : $1) }')
        [ "$have" = "$*" ] || { echo "$title: wanted $*, there is $have"; return 1; }
    done
}

test_example() {
    ok "example" cltrain example --device reference
    judge "example: convolution" example_has "convolution: X with K" -1 -2 -1 -4
    judge "example: flattened" example_has "flattened: the same as a vector" -1 -2 -1 -4
    judge "example: prediction" example_has "prediction: sigmoid of z" 0.032295464698450516
    judge "example: dloss/dz" example_has "gradient dloss/dz" -0.15525302532580817
    judge "example: dloss/dK" example_has "gradient dloss/dK" -0.80731573 -0.90046755 -1.2420242 -0.66758801 \
        -0.69863861 -0.66758801 -0.45023377 -0.37260726 -0.52786029
    judge "example: updated W" example_has "updated weights W" 0.39844747 0.19689494 0.29844747 0.59378988
    judge "example: updated b" example_has "updated bias b" 0.10155253025325808
    judge "example: says nothing on standard error" is_empty err

    ok "example as the notebook" cltrain example --device reference --sigmoid-derivative notebook
    shows "notebook: prediction" "  prediction 0.032295464698450516"
    shows "notebook: updated W" "  updated W [0.38758398 0.17516795 0.28758398 0.55033591]"
    shows "notebook: updated b" "  updated b 0.11241602358789192"
    judge "notebook: K stays" example_has "updated kernel K" 1 0 -1 1 -1 0 1 0 -1

    ok "example with --lr 0" cltrain example --device reference --lr 0
    judge "--lr 0: W stays" example_has "updated weights W" 0.4 0.2 0.3 0.6
    ok "example with --steps 3" cltrain example --device reference --steps 3
    judge "--steps 3: the loss falls" awk '/^further/ { last = 12.34 }
        /^ +[23] / { rows++; if ($4 >= last) exit 1; last = $4 }
        END { exit rows != 2 }' out
    shows "--steps 3: what K is then" "after 3 steps: kernel K"

    ok "example on the device" cltrain example --device "$device"
    shows "the device agrees" "device $device agrees with the reference"
    ok "example on the device in f32" cltrain example --device "$device" --precision f32
    shows "f32 is said" "f32, learning rate 0.01"
    shows "f32: its bound" "no difference is above 1e-05"
}

# ---- devices ----------------------------------------------------------------------------------------------------

test_devices() {
    ok "devices" cltrain devices
    judge "devices ends with the reference" sh -c 'tail -n 1 out | grep -q "^[ *] reference "'
    judge "devices marks one default" sh -c '[ "$(grep -c "^\*" out)" = 1 ]'
    cp out listed
    ok "devices --json FILE" cltrain devices --json devices.json
    judge "--json FILE keeps the text" cmp listed out
    ok "devices --json -" cltrain devices --json -
    judge "--json - is the same JSON" cmp devices.json out
    judge "the JSON has a line's facts" json_holds out 'd[-1]["id"] == "reference" and d[-1]["fp64"] and
sum(e["default"] for e in d) == 1 and all(e["name"] and e["compute_units"] > 0 for e in d if e["usable"])'
    fails 1 '/nonexistent/d.json: cannot be opened for writing' \
        silently cltrain devices --json /nonexistent/d.json

    fails 1 'called "nosuch"' env CLTRAIN_DEVICE=nosuch "$program" example
    ok "--device stands above CLTRAIN_DEVICE" env CLTRAIN_DEVICE=nosuch "$program" example --device reference
    ok "CLTRAIN_DEVICE" env CLTRAIN_DEVICE=reference "$program" example
    shows "CLTRAIN_DEVICE is obeyed" "device reference: "

    fails 1 'no OpenCL device was found' env OCL_ICD_VENDORS=/nonexistent "$program" example
    ok "the reference needs no OpenCL" env OCL_ICD_VENDORS=/nonexistent "$program" example --device reference
    ok "devices needs no OpenCL" env OCL_ICD_VENDORS=/nonexistent "$program" devices
    judge "without OpenCL there is the reference" lines_are 1 out
}

# ---- train ------------------------------------------------------------------------------------------------------

# Epochs 1 to $2, each with numbers: val_loss and val_accuracy may be missing where $3 is "empty".
is_metrics() {
    awk -F, -v epochs="$2" -v validation="${3:-}" '
        NR == 1 { if ($0 != "epoch,loss,accuracy,val_loss,val_accuracy,lr,seconds,time,images_per_s,gradient_norm") exit 1; next }
        NF != 10 || $1 != NR - 1 { bad = 1 }
        { for (i = 2; i <= 10; i++) {
            may_be_empty = validation == "empty" && (i == 4 || i == 5)
            if ($i !~ /^[0-9.e+-]+$/ && !($i == "" && may_be_empty)) bad = 1
        } }
        $3 > 1 || $5 > 1 || $6 != 0.01 { bad = 1 }
        END { exit bad || NR != epochs + 1 }' "$1"
}

is_step_log() {
    awk -F, -v steps="$2" 'NR == 1 { if ($0 != "step,loss,lr") exit 1; next }
        NF != 3 || $3 != 0.01 || $1 != NR - 1 || !($2 > 0) { bad = 1 } END { exit bad || NR != steps + 1 }' "$1"
}

test_train_files() {
    ok "train" train_small run --epochs 4 --log-steps run.csv
    for file in last.safetensors best.safetensors metrics.csv model.net run.json; do
        judge "train writes $file" test -s run/$file
    done
    judge "train writes no other file" sh -c '[ "$(ls -A run | wc -l)" = 5 ]'
    judge "its result is one line on standard output" lines_are 1 out
    shows "the line tells of the training" "epochs 4  loss "
    shows "the line names the checkpoint" "checkpoint run/last.safetensors"
    judge "--quiet: nothing on standard error" is_empty err
    judge "it learns: above 90 % right" awk '
        { for (i = 1; i < NF; i++) if ($i == "val_accuracy") accuracy = $(i + 1) } END { exit !(accuracy > 0.9) }' out
    judge "metrics.csv" is_metrics run/metrics.csv 4
    judge "--log-steps: 5 steps an epoch" is_step_log run.csv 20
    ok "--json-log" train_small again --epochs 2 --json-log run.jsonl
    judge "--json-log: a line an epoch" lines_are 2 run.jsonl
    judge "--json-log tells what metrics.csv tells" sh -c '
        grep -q "^{\"event\":\"epoch\",\"step\":5,\"epoch\":1,\"loss\":[0-9.]*,.*\"gradient_norm\":[0-9.]*,\"best\":true}$" run.jsonl'
    case $("$program" --version) in
    *TensorBoard*)
        ok "--tensorboard" train_small again --epochs 2 --tensorboard "deep/er board"
        judge "--tensorboard writes an event file" sh -c 'ls "deep/er board" | grep -q "^events.out.tfevents.[0-9]\{10\}."'
        fails 1 'run.csv: ' train_small other --tensorboard run.csv
        ;;
    *) fails 2 'board: this build writes no event files for TensorBoard' train_small other --tensorboard board ;;
    esac
    ok "--json-log with --log-steps" train_small again --epochs 2 --json-log run.jsonl --log-steps again.csv
    judge "--json-log: a line a step, too" lines_are 12 run.jsonl
    judge "the checkpoint has PyTorch's shapes" checkpoint_holds run/last.safetensors \
        'shape["conv1.weight"] == [2, 1, 3, 3] and shape["conv1.bias"] == [2] and
shape["dense1.weight"] == [4, 18] and shape["dense1.bias"] == [4]'

    ok "the same training again" train_small again --epochs 4
    judge "the same bits again" cmp run/last.safetensors again/last.safetensors
    ok "from gzip files" train_small packed-run --data packed --epochs 4
    judge "gzip files give the same bits" cmp run/last.safetensors packed-run/last.safetensors
    ok "another seed" train_small again --epochs 4 --seed 1
    judge "another seed gives others" differ run/last.safetensors again/last.safetensors
    ok "model.net as --net" train_small from-file --net run/model.net --epochs 4
    judge "model.net gives the same bits" cmp run/last.safetensors from-file/last.safetensors

    ok "train with progress" cltrain train --data plain --net "$net" --device reference --epochs 2
    judge "progress goes to standard error" grep -q '^Epoch 2/2 .* val_acc ' err
    judge "progress is not on standard output" lines_are 1 out
    judge "without --output-dir there is a note" grep -q '^cltrain: note: nothing is written' err
    shows "and no checkpoint is named" "epochs 2  loss "
    judge "(nor one)" sh -c '! grep checkpoint out'
    ok "normalising together what is one" cltrain train --data plain --net "$net" --device reference --epochs 1 --sync-batchnorm
    judge "is said to change nothing" grep -q '^cltrain: note: sync_batchnorm changes nothing: the batch is not cut into shards' err
}

many_options="--nesterov --lr-scheduler multistep --milestones 1,3 --augment flip=alternate,crop=1,mixup=0.3 --ema 0.9
    --class-weights 1,2,0.5,1 --normalize 0.3/0.25 --init kaiming_normal,dense*=torch --seed 5 --no-shuffle --loss cross_entropy
    --freeze conv1.bias --clip-grad 1 --lr 0.1,conv1.weight=0.24 --optimizer *.bias=adamw,sgd --weight-decay conv*=0.01"

test_resume() {
    ok "2 of 4 epochs" train_small parts --epochs 2 --log-steps parts.csv
    ok "--resume" resume parts --epochs 4 --log-steps parts.csv
    judge "2 and 2 epochs end at the bits of 4" cmp run/last.safetensors parts/last.safetensors
    judge "best.safetensors too" checkpoint_holds parts/best.safetensors 'd["state"]["epoch"] == 4'
    judge "metrics.csv goes on" is_metrics parts/metrics.csv 4
    judge "--log-steps goes on" cmp run.csv parts.csv
    # The command line that began it may be given again, with --resume behind it.
    ok "2 of 4 epochs, by many options" train_small again --epochs 2 $many_options
    ok "the same line with --resume" train_small again --epochs 2 $many_options --resume again/last.safetensors
    judge "says only that nothing is left" lines_are 1 err
    ok "and with other epochs" train_small again --epochs 4 $many_options --resume again/last.safetensors
    judge "says what is another than before" grep -qx \
        'cltrain: note: the training goes on with other options than before: epochs 4 in place of 2' err
    ok "4 epochs by many options" train_small at-once --epochs 4 $many_options
    judge "2 and 2 epochs by many options end at the bits of 4" sh -c '
        cmp again/last.safetensors at-once/last.safetensors'
    ok "a flag is turned off again" train_small again --epochs 4 --no-nesterov --resume again/last.safetensors
    judge "and that is said" grep -q 'nesterov no in place of yes' err

    # Nets of many lines, and long texts, are no hindrance.
    ok "a checkpoint of resnet20" cltrain train --data plain --net resnet20 --device reference --quiet --epochs 0 --output-dir deep
    ok "resnet20 is resumed by its name" cltrain train --data plain --net resnet20 --device reference --quiet --epochs 0 \
        --output-dir deep --resume deep/last.safetensors
    long_freeze=$(printf 'conv1.bias,%.0s' $(seq 200))conv1.bias
    ok "a long list of names" train_small long --epochs 1 --freeze "$long_freeze"
    ok "is kept, and is the same" train_small long --epochs 1 --freeze "$long_freeze" --resume long/last.safetensors
    fails 2 'loss mse" is given, where the checkpoint has' cltrain train --data plain --device reference --quiet \
        --net "$net, loss mse" --resume parts/last.safetensors

    ok "--resume with nothing left" resume parts
    judge "it says so" grep -q '^cltrain: note: nothing is left to train' err

    ok "--epochs 0" train_small zero --epochs 0
    judge "--epochs 0 writes a checkpoint" checkpoint_holds zero/last.safetensors \
        'd["state"]["epoch"] == 0 and len(shape) == 4'
    judge "--epochs 0 writes no metrics" test ! -e zero/metrics.csv
    ok "--resume from --epochs 0" resume zero --epochs 4
    judge "0 and 4 epochs end at the bits of 4" cmp run/last.safetensors zero/last.safetensors
}

# predictions FILE: of ten images, to compare models by
predictions() {
    cltrain predict --device reference --model "$1" --topk 4 ten.idx
}

test_start_and_order() {
    ok "--weights" train_small weights --weights run/last.safetensors --epochs 0
    predictions run/last.safetensors >trained
    predictions weights/last.safetensors >taken
    judge "--weights takes the parameters" cmp trained taken
    judge "without a note where all fit" is_empty err
    ok "--weights for another last layer" train_small tuned --weights run/last.safetensors --net "$net, dense out=4" --epochs 0
    judge "it says which are taken" grep -qF 'run/last.safetensors: these are taken: conv1.weight, conv1.bias, dense1.weight' err
    judge "and which are not" grep -qF 'these keep their initial values: dense2.weight (not there), dense2.bias (not' err
    fails 1 'has no parameter of the net'"'"'s: conv1.weight (it is [2, 1, 3, 3], the net' \
        train_small other --weights run/last.safetensors --net 'conv out=3 kernel=3, flatten, dense out=5 as=last, dense out=4 as=x'

    # The seed decides on the first parameters, which --weights replaces, and on the order, which --no-shuffle fixes.
    for seed in 1 2; do
        run train_small other --weights run/last.safetensors --epochs 1 --seed $seed --log-steps shuffled$seed.csv
        ok "--no-shuffle, seed $seed" train_small other --weights run/last.safetensors --epochs 1 --seed $seed \
            --no-shuffle --log-steps straight$seed.csv
    done
    judge "seeds give different orders" differ shuffled1.csv shuffled2.csv
    judge "with --no-shuffle they do not" cmp straight1.csv straight2.csv
}

test_validation() {
    ok "no test files" train_small lone --data no-test --epochs 2
    judge "their absence is told" grep -q '^cltrain: note: .*so there is no validation' err
    judge "metrics.csv leaves validation empty" is_metrics lone/metrics.csv 2 empty
    ok "--val-split" train_small split --data no-test --val-split 0.2 --epochs 2 --log-steps split.csv
    judge "--val-split fills them" is_metrics split/metrics.csv 2
    judge "--val-split holds images out" is_step_log split.csv 8
    ok "--patience" train_small patient --lr 0 --patience 2 --epochs 9
    shows "--patience 2 stops after the third epoch" "epochs 3  "
    judge "metrics.csv has three" lines_are 4 patient/metrics.csv
}

last_loss() {
    tail -n 1 "$1/metrics.csv" | cut -d, -f2
}

test_recipes() {
    printf '# ours\n\nepochs=2 # not many\r\n  lr=0.05\nnet\nconv out=3 kernel=3\nrelu\nflatten\ndense out=4\n' >ours
    printf 'conv out=3 kernel=3\nrelu\nflatten\ndense out=4\n' >theirs.net
    ok "a recipe of one's own" cltrain train --device reference --data plain --quiet --recipe ours
    cp out by_recipe
    ok "the same without" cltrain train --device reference --data plain --quiet --net theirs.net --epochs 2 --lr 0.05
    judge "it is the same" cmp by_recipe out
    ok "what is given holds" cltrain train --device reference --data plain --quiet --lr 0.1 --recipe ours --epochs 3
    shows "the epochs given" 'epochs 3'
    cp out before
    ok "what is given holds" cltrain train --device reference --data plain --quiet --net theirs.net --epochs 3 --lr 0.1
    judge "the rate given before" cmp before out
    fails 2 'there is no recipe "soup": there is fashion-2min, fashion-15min, cifar-airbench' cltrain train --data plain --recipe soup
    fails 1 './soup: cannot be opened' cltrain train --data plain --recipe ./soup
    printf 'epochs=2\nlr\n' >ours
    fails 2 'recipe ours, line 2: "lr" is given, where an option of training is needed' cltrain train --data plain --recipe ours
    printf 'epochs=2\n\nlr=fast\n' >ours
    fails 2 'recipe ours, line 3: lr: "fast" is given, where a number' cltrain train --data plain --recipe ours
    printf 'epochs=2\nepochs=3\n' >ours
    fails 2 'recipe ours, line 2: epochs is given a second time' cltrain train --data plain --recipe ours
    printf 'topk=2\n' >ours
    fails 2 'recipe ours, line 1: "topk=2" is given, where an option of training' cltrain train --data plain --recipe ours
    printf 'epochs=2\n\000lr=0.1\n' >ours
    fails 1 'recipe ours: byte 9 is 0: a recipe is text' cltrain train --data plain --recipe ours
    fails 2 'recipe: fashion-2min is taken already' cltrain train --data plain --recipe fashion-2min --recipe ours
    printf 'recipe=ours\n' >ours
    fails 2 'recipe ours, line 1' cltrain train --data plain --recipe ours
}

test_options_of_training() {
    ok "--normalize none" train_small plainly --normalize none --epochs 0
    judge "none is 0 and 1" checkpoint_holds plainly/last.safetensors \
        'd["normalization"] in (None, {"mean": [0], "deviation": [1]})'
    ok "--normalize MEAN/STD" train_small given --normalize 0.5/0.25 --epochs 0
    judge "MEAN/STD is kept" checkpoint_holds given/last.safetensors \
        'd["normalization"] == {"mean": [0.5], "deviation": [0.25]}'
    judge "dataset is the training set's" checkpoint_holds run/last.safetensors \
        'all(abs(float(a) - b) < 1e-9 for a, b in zip(open("statistics").read().split(),
d["normalization"]["mean"] + d["normalization"]["deviation"]))'

    ok "--loss mse" train_small squares --loss mse --epochs 4
    judge "model.net has the loss" grep -qx 'loss mse' squares/model.net
    ok "predict tells its outputs" cltrain predict --device reference --model squares/last.safetensors \
        --format csv ten.idx
    shows "a column an output" "file,output1,output2,output3,output4"
    fails 2 'was trained with the loss mse, whose outputs are no classes' \
        cltrain predict --device reference --model squares/last.safetensors --topk 2 ten.idx

    for option in '--nesterov' '--momentum 0' '--weight-decay 0.1' '--lr-scheduler cosine' '--warmup-epochs 1' \
        '--lr-scheduler multistep --milestones 1,3' '--lr-scheduler polynomial --power 2' \
        '--lr-scheduler onecycle' '--lr-scheduler cosine --lr-per-step' \
        '--lr-scheduler step --gamma 0.5' '--lr-scheduler exponential --gamma 0.5' '--label-smoothing 0.1' \
        '--clip-grad 0.01' '--clip-value 0.001' '--batch-size 50' '--lr 0.1' '--lr 0.1,conv1.weight=0.2' '--weight-decay *.weight=0.1' '--optimizer sgd,*.bias=adam' '--optimizer muon' '--optimizer sgd,*.weight=muon --ns-steps 3 --normalize-filters' '--optimizer adam' '--optimizer adamw' '--optimizer lamb' \
        '--optimizer rmsprop' '--optimizer adagrad' '--weight-decay 0.1 --no-decay-bias-norm' \
        '--augment flip' '--augment flip=alternate' '--augment crop=1,rotate=15,scale=0.1,shift=0.1' '--augment brightness=0.2,contrast=0.2' \
        '--augment crop=2,border=reflect' '--augment rotate=20,border=replicate' \
        '--augment cutout=2' '--augment erase=0.5' '--augment rrc=0.5' '--augment mixup=0.2' '--augment cutmix=1' '--class-weights 1,2,0.5,1' \
        '--init kaiming_normal' '--init dirac' '--init whiten' '--freeze conv1.weight' '--freeze conv1.*@2' '--accumulate 2' '--drop-last' '--overfit-batch'; do
        ok "$option" train_small other --epochs 4 $option
        judge "$option changes what is learned" [ "$(last_loss run)" != "$(last_loss other)" ]
    done

    fails 2 '"stop" is given, where abort, reference or warn is needed' train_small other --on-mismatch stop
    fails 2 '"spin" is given, where none, or a comma list of rrc=LEAST:MOST, flip, flip=alternate, crop=PIXELS' train_small other --augment spin
    fails 2 'a comma list of rrc=LEAST:MOST, flip' train_small other --augment flip,crop=1.5
    fails 2 'a comma list of rrc=LEAST:MOST, flip' train_small other --augment flip=1
    fails 2 'a comma list of rrc=LEAST:MOST, flip, flip=alternate' train_small other --augment flip=
    fails 2 'a comma list of rrc=LEAST:MOST, flip' train_small other --augment crop=2,,flip
    fails 2 'images, fewer than a batch of 100000, and drop_last would leave out all of them' train_small other --drop-last --batch-size 100000
    fails 2 'augmenting by border=replicate alone: it says what comes in' train_small other --augment flip,border=replicate
    fails 2 '"crop=1,border" is given' train_small other --augment crop=1,border
    fails 2 'augmenting by scale=3: it should be 0, or from 0 to 0.9' train_small other --augment scale=3
    fails 2 'augmenting by saturation is for images of 3 channels' train_small other --augment saturation=0.5
    fails 2 '2 class weights are given, the net has 4 outputs' train_small other --class-weights 1,2
    fails 2 'equal, balanced, or a comma list' train_small other --class-weights 1,0
    fails 2 'class weights go with cross_entropy' train_small other --class-weights balanced --loss mse

    # A learning rate that no net survives: what --save-every wrote before stands.
    fails 1 'try a lower learning rate' train_small lost --lr 1e6 --loss mse --batch-size 1
    judge "without --save-every there is no checkpoint" test ! -e lost/last.safetensors
    fails 1 'try a lower learning rate' train_small lost --lr 1e6 --loss mse --batch-size 1 --save-every 1
    judge "--save-every wrote one within the epoch" checkpoint_holds lost/last.safetensors \
        'd["state"]["epoch"] == 0 and d["state"]["step"] > 0'

    fails 1 'plain/train-images-idx3-ubyte: cannot make this folder: File exists' train_small plain/train-images-idx3-ubyte
    fails 1 '/proc/no: cannot make this folder' train_small /proc/no/such/folder
    fails 1 '/nonexistent/steps.csv: cannot be written' train_small other --log-steps /nonexistent/steps.csv
    fails 1 '/nonexistent/run.jsonl: cannot be written' train_small other --json-log /nonexistent/run.jsonl
}

# The one training that is not on the reference.
train_on_device() {
    folder=$1
    shift
    cltrain train --data plain --net "$net" --device "$device" --quiet --epochs 4 --output-dir "$folder" "$@"
}

test_device() {
    ok "train on the device" train_on_device device-run
    ok "the same again, with --check-every" train_on_device device-again --check-every 7
    python3 - device-run device-again <<'END' >values
import struct, sys
for folder in sys.argv[1:]:
    content = open(folder + "/last.safetensors", "rb").read()
    print(content[8 + struct.unpack("<Q", content[:8])[0]:].hex())
END
    judge "the same values, checked or not" sh -c '[ "$(uniq values | wc -l)" = 1 ]'
    judge "it learns as the reference does" awk -F, 'NR == FNR { loss[$1] = $2; next }
        FNR > 1 && !(loss[$1] - $2 < 1e-4 && $2 - loss[$1] < 1e-4) { bad = 1 }
        END { exit bad }' run/metrics.csv device-run/metrics.csv
    ok "2 of 4 epochs on the device" train_on_device device-parts --epochs 2
    ok "and the others" cltrain train --data plain --device "$device" --quiet --resume device-parts/last.safetensors \
        --output-dir device-parts --epochs 4
    judge "2 and 2 epochs end at the bits of 4 on the device" \
        cmp device-run/last.safetensors device-parts/last.safetensors
    ok "eval on the device" cltrain eval --model device-run/last.safetensors --data plain --device "$device" --json -
    cp out device.json
    run cltrain eval --model device-run/last.safetensors --data plain --device reference --json -
    judge "eval finds the same on the reference" json_holds out \
        'abs(d["loss"] - json.load(open("device.json"))["loss"]) < 1e-5'
}

# ---- Ctrl-C -----------------------------------------------------------------------------------------------------

# 90 steps. Ctrl-C comes while the loss of some step is written to the log, which is after the first two checkpoints and
# between two others; how many steps later the library looks for it depends on how long they take.
stopped_training='--device reference --precision f64 --quiet --epochs 3 --batch-size 10 --save-every 7'

test_interrupt() {
    ok "a training that nothing stops" cltrain train --data plain --net "$net" $stopped_training --output-dir whole
    run env LD_PRELOAD="$signal" SIGNAL_AT=INT:48 "$program" train --data plain --net "$net" $stopped_training \
        --output-dir stopped --log-steps stopped.csv
    judge "Ctrl-C: the exit status is 130" [ "$status" = 130 ]
    judge "Ctrl-C: no result" is_empty out
    judge "Ctrl-C: says how to go on" grep -q '^cltrain: train: stopped .*--resume stopped/last.safetensors' err
    judge "Ctrl-C: the checkpoint is of the middle" checkpoint_holds stopped/last.safetensors \
        '0 < d["state"]["total_steps"] < 90'
    judge "Ctrl-C: no temporary file is left" sh -c '
        ! ls -A stopped | grep -vxE "(last|best)\.safetensors|metrics\.csv|model\.net|run\.json"'
    judge "Ctrl-C: --log-steps has the steps of the checkpoint" \
        checkpoint_holds stopped/last.safetensors 'sum(1 for _ in open("stopped.csv")) - 1 == d["state"]["total_steps"]'
    ok "--resume after Ctrl-C" resume stopped --log-steps stopped.csv
    judge "it ends at the bits of the training that nothing stopped" cmp whole/last.safetensors stopped/last.safetensors
    judge "metrics.csv has all epochs" is_metrics stopped/metrics.csv 3
    judge "--log-steps has all steps" is_step_log stopped.csv 90
}

# interrupt_with SIGNAL TIMES FOLDER [WORD...]: the training above, with WORD... before it, which are not preloaded
interrupt_with() {
    sent=$1 times=$2 folder=$3
    shift 3
    run "$@" env LD_PRELOAD="$signal" SIGNAL_AT="$sent:48:$times" "$program" train --data plain --net "$net" $stopped_training \
        --output-dir "$folder" --log-steps "$folder.csv"
}

test_signals() {
    for sent in TERM HUP; do
        interrupt_with $sent 2 "deep/er/by-$sent"
        judge "SIG$sent stops as Ctrl-C does, sent once or twice" sh -c '[ "$1" = 130 ] && grep -q "goes on from there" err' sh "$status"
        ok "--resume after SIG$sent" resume "deep/er/by-$sent" --log-steps "deep/er/by-$sent.csv"
        judge "it ends at the same bits" cmp whole/last.safetensors "deep/er/by-$sent/last.safetensors"
    done
    interrupt_with USR1 1 by-USR1
    judge "SIGUSR1 does not stop the training" [ "$status" = 0 ]
    judge "it says that a checkpoint was written" grep -q 'note: a checkpoint was written after [0-9]* steps' err
    judge "nor does it change a bit" cmp whole/last.safetensors by-USR1/last.safetensors
    interrupt_with HUP 1 by-nohup nohup
    judge "under nohup SIGHUP stops nothing" [ "$status" = 0 ]
    interrupt_with TERM 1 by-ignored env --ignore-signal=TERM
    judge "a signal that is ignored from the start stays ignored" [ "$status" = 0 ]
}

# ---- a home that cannot be written ------------------------------------------------------------------------------

test_no_home() {
    mkdir -p temporary home
    for home in /dev/null /proc/nowhere relative ''; do
        run env -u XDG_CACHE_HOME HOME="$home" TMPDIR="$PWD/temporary" "$program" plan --net "input 1x3x3, flatten, dense out=2" \
            --device "$device"
        judge "HOME=$home: it works" [ "$status" = 0 ]
        [ "$device" = reference ] || judge "HOME=$home: it tells of the folder it takes" \
            grep -q "cannot be written; drivers keep compiled kernels in $PWD/temporary/cltrain-cache-" err
    done
    run env -u XDG_CACHE_HOME HOME="$PWD/home" "$program" plan --net "input 1x3x3, flatten, dense out=2" --device "$device"
    judge "a home that can be written is nothing to tell of" is_empty err
}

# ---- eval, predict, verify --------------------------------------------------------------------------------------

test_eval() {
    ok "eval" cltrain eval --model run/last.safetensors --data plain --device reference --json eval.json
    judge "eval: nothing on standard error" is_empty err
    cp out text
    judge "eval counts the images" grep -qx 'images    100' out
    judge "the JSON's accuracy is the text's" json_holds eval.json \
        '"accuracy  %.6g\n" % d["accuracy"] in open("text").readlines()'
    judge "the confusion matrix sums to the images" json_holds eval.json \
        'sum(map(sum, d["confusion"])) == d["images"] == 100'
    judge "its diagonal is the accuracy" json_holds eval.json \
        'sum(d["confusion"][i][i] for i in range(4)) == round(100 * d["accuracy"])'
    judge "rows are the true classes" json_holds eval.json '[sum(row) for row in d["confusion"]] ==
[c["images"] for c in d["classes"]] ==
[open("plain/t10k-labels-idx1-ubyte", "rb").read()[8:].count(c) for c in range(4)]'
    judge "recall is the diagonal over the row" json_holds eval.json \
        'all(abs(c["recall"] - row[i] / sum(row)) < 1e-12
for i, (c, row) in enumerate(zip(d["classes"], d["confusion"])))'
    judge "the text has the same matrix" json_holds eval.json \
        '[[int(n) for n in line.split()[1:]] for line in open("text").readlines()[-4:]] == d["confusion"]'
    ok "eval --json -" cltrain eval --model run/last.safetensors --data plain --device reference --json -
    judge "--json - is the same JSON" cmp eval.json out
    ok "eval --topk 2" cltrain eval --model run/last.safetensors --data plain --device reference --topk 2 --json eval2.json
    judge "top 2 is no less than accuracy" json_holds eval2.json 'd["accuracy"] <= d["topk"]["accuracy"] <= 1 and
"top 2     %.6g\n" % d["topk"]["accuracy"] in open("out").readlines()'
    ok "eval --topk 4" cltrain eval --model run/last.safetensors --data plain --device reference --topk 4
    judge "all classes hold every image's" grep -qx 'top 4     1' out
    fails 2 '--topk: 5 is given, where run/last.safetensors has 4 classes' \
        cltrain eval --model run/last.safetensors --data plain --device reference --topk 5
    ok "eval in batches of 7" cltrain eval --model run/last.safetensors --data packed --device reference \
        --batch-size 7 --json -
    judge "batches of 7 find the same" json_holds out 'abs(d["loss"] - json.load(open("eval.json"))["loss"]) < 1e-12 and
d["confusion"] == json.load(open("eval.json"))["confusion"]'
    tail -n 1 run/metrics.csv >last-epoch
    judge "training's validation found the same" json_holds eval.json \
        '"%.6g,%.6g" % (d["loss"], d["accuracy"]) in open("last-epoch").read()'
}

test_predict() {
    image='one image, "2".idx'
    predict="cltrain predict --model run/last.safetensors --device reference"
    ok "predict" $predict ten.idx "$image"
    judge "predict: nothing on standard error" is_empty err
    judge "a line an image" lines_are 11 out
    judge "file, class, probability" awk -F'\t' 'NF != 3 || $2 !~ /^[0-3]$/ || !($3 > 0.25 && $3 <= 1) { exit 1 }' out
    judge "images of a file are numbered" sh -c 'head -n 10 out | tail -n 1 | grep -q "^ten.idx\[9\]	"'
    judge "a single image has its file's name" sh -c 'tail -n 1 out | grep -qF "one image, \"2\".idx	2	"'
    judge "it is right" sh -c '[ "$(head -n 10 out | cut -f2 | tr -d "\n")" = 0123012301 ]'
    cp out whole-batch
    ok "predict in batches of 4" $predict --batch-size 4 ten.idx "$image"
    judge "the last partial batch is told" cmp whole-batch out

    ok "predict --topk 4" $predict --topk 4 ten.idx
    judge "the probabilities fall and sum to 1" awk -F'\t' '
        NF != 9 || $3 < $5 || $5 < $7 || $7 < $9 { exit 1 }
        { sum = $3 + $5 + $7 + $9 - 1; if (sum > 1e-9 || sum < -1e-9) exit 1 }' out
    ok "predict as CSV" $predict --format csv --topk 2 "$image" ten.idx
    judge "the CSV reads back" python3 -c 'import csv
rows = list(csv.DictReader(open("out")))
assert len(rows) == 11 and rows[0]["file"] == "one image, \"2\".idx" and rows[0]["class1"] == "2"
assert all(float(row["probability1"]) >= float(row["probability2"]) for row in rows)'
    ok "predict as JSON" $predict --format json ten.idx "$image"
    judge "the JSON tells the same" json_holds out '[
"%s%s\t%d\t%.17g\n" % (e["file"], "[%d]" % e["index"] if e["file"] == "ten.idx" else "", e["class"], e["probability"])
for e in d] == open("whole-batch").readlines() and "topk" not in d[0]'
    ok "predict as JSON, --topk 2" $predict --format json --topk 2 ten.idx
    judge "the JSON has two" json_holds out \
        'all(len(e["topk"]) == 2 and e["topk"][0]["class"] == e["class"] for e in d)'
    ok "-- ends the options" $predict -- "$image"
    ok "predict as NPY" $predict --format npy ten.idx "$image"
    judge "the NPY holds the probabilities" python3 -c 'import struct
data = open("out", "rb").read()
length = struct.unpack("<H", data[8:10])[0]
head = eval(data[10:10 + length])
assert data[:8] == b"\x93NUMPY\x01\x00" and (10 + length) % 64 == 0
assert head == {"descr": "<f8", "fortran_order": False, "shape": (11, 4)}, head
values = struct.unpack("<44d", data[10 + length:])
for row, line in enumerate(open("whole-batch")):
    assert abs(max(values[4 * row:4 * row + 4]) - float(line.split("\t")[2])) < 1e-7'
    fails 2 '--format npy holds the probabilities of all classes' $predict --format npy --topk 2 ten.idx
    printf '%s\n' ten.idx '' "$image" >listed
    ok "predict what standard input lists" sh -c '"$0" predict --model run/last.safetensors --device reference - <listed' \
        "$program"
    judge "as if they were arguments" cmp whole-batch out
    run sh -c '"$0" predict --model run/last.safetensors --device reference ten.idx missing.idx' "$program"
    judge "a file that is missing ends it" grep -q 'missing.idx: ' err
    judge "those before it are told" sh -c 'head -n 10 whole-batch | cmp - out'
}

# A table of ops that all agree, and the sentence that counts them.
# ---- export and convert -----------------------------------------------------------------------------------------

# out.onnx and what comes of it
test_onnx() {
    ok "export" silently cltrain export --model run/last.safetensors out.onnx
    ok "predict of a checkpoint" cltrain predict --model run/last.safetensors --device reference ten.idx
    cp out trained
    ok "predict of what was exported" cltrain predict --model out.onnx --device reference ten.idx
    judge "they are the same" cmp trained out
    ok "export with its preprocessing" silently cltrain export --model run/last.safetensors --with-preprocessing --fold-norm --opset 13 whole.onnx
    judge "another file comes of it" test -s whole.onnx
    fails 1 'input "images" is not of floats' cltrain predict --model whole.onnx --device reference ten.idx
    fails 2 '--opset: "12" is given, where a whole number from 13 to 21 is needed' cltrain export --model run/last.safetensors --opset 12 out.onnx
    fails 2 'export: it takes OUT, 2 were given' cltrain export --model run/last.safetensors a.onnx b.onnx
    fails 1 '/nonexistent/a.onnx: cannot be written' cltrain export --model run/last.safetensors /nonexistent/a.onnx
    fails 2 'with_preprocessing: the model does not know what images are normalised by' \
        sh -c '"$1" convert lenet5 fresh.safetensors 2>err && "$1" export --model fresh.safetensors --with-preprocessing a.onnx' - "$program"

    ok "convert to a net's text" silently cltrain convert out.onnx out.net
    ok "convert to a checkpoint" silently cltrain convert out.onnx again.safetensors
    ok "convert back" silently cltrain convert again.safetensors again.onnx
    ok "predict once more" cltrain predict --model again.onnx --device reference ten.idx
    judge "they are the same still" cmp trained out
    ok "convert a net and weights" silently cltrain convert --weights run/last.safetensors out.net parts.onnx
    fails 2 'a.txt ends in none of .onnx, .safetensors' cltrain convert out.onnx a.txt
    fails 2 'again.safetensors is a checkpoint, which has all of a model' cltrain convert --classes 3 again.safetensors a.onnx
    ok "train what was exported" cltrain train --data plain --net out.onnx --epochs 1 --device reference --output-dir tuned
    judge "its normalisation is told" grep -q 'out.onnx: images are normalised as it tells, by ' err
}

test_export() {
    case $("$program" --version) in
    *ONNX*) test_onnx ;;
    *) fails 2 'this build writes no ONNX models' cltrain export --model run/last.safetensors out.onnx ;;
    esac
    ok "export for PyTorch" silently cltrain export --model run/last.safetensors --format torch net.py
    judge "a module and its weights" test -s net.weights.safetensors
    judge "the module is Python" python3 -m py_compile net.py
    fails 2 'net.txt does not end in .py' cltrain export --model run/last.safetensors --format torch net.txt
    fails 2 'export: --format is onnx or torch' cltrain export --model run/last.safetensors --format csv net.py
    fails 2 'onnx and torch are for export' cltrain predict --model run/last.safetensors --format torch ten.idx
}

is_verified() {
    awk 'NR == 1 && ($1 != "op" || $NF != "ok") { bad = 1 }
        NR > 1 && NF && !/^all / { ops++; if ($NF != "ok" || / NOT OK/) bad = 1 }
        /^all / { told = $2 } END { exit bad || !ops || told != ops }' out
}

test_verify() {
    ok "verify" cltrain verify --net "input 1x8x8, $net" --device "$device"
    judge "verify's table" is_verified
    ok "verify --json -" cltrain verify --net "$net" --input 1x8x8 --device "$device" --batch-size 3 --seed 5 --json -
    judge "verify's JSON" json_holds out 'd["ok"] and d["failed"] == 0 and d["batch_size"] == 3 and d["seed"] == 5 and
all(op["ok"] and 0 <= op["difference"] <= op["bound"] for op in d["ops"]) and
any("conv" in op["op"] for op in d["ops"])'
    for schedule in vector tile; do
        ok "verify --schedule $schedule" cltrain verify --net 'input 1x4x4, conv out=2 kernel=3, flatten, dense out=2' \
            --schedule $schedule --batch-size 2 --device "$device"
    done
    ok "verify --model" cltrain verify --model device-run/last.safetensors --device "$device" --json verify.json
    judge "verify --model: the table" is_verified
    judge "verify --model: the JSON has the table's ops" json_holds verify.json '[op["op"] for op in d["ops"]] ==
[line.split()[0] for line in open("out").readlines()[1:-2]] and d["net"] == open("device-run/model.net").read()'
    fails 1 'standard output: cannot be written' to_full cltrain verify --model run/last.safetensors --device "$device"
    fails 2 'does not fit' cltrain verify --net lenet5 --input 1x8x8 --device "$device"
    fails 1 'choose an OpenCL device' cltrain verify --device reference
}

test_data() {
    ok "data" cltrain data plain --sheet sheet.png
    judge "data counts the images" grep -qx 'train      [0-9]* images of 1x[0-9]*x[0-9]*' out
    judge "data: nothing on standard error" is_empty err
    judge "data counts each class" json_agrees
    judge "the sheet is a PNG file" sh -c 'head -c 8 sheet.png | od -An -tx1 | grep -q "89 50 4e 47 0d 0a 1a 0a"'
    cp sheet.png first.png
    ok "data --augment" cltrain data plain --sheet sheet.png --augment rrc=0.3,flip --seed 4
    judge "the sheet shows what augmentation does" sh -c '! cmp -s first.png sheet.png'
    fails 2 'describes one data set at a time' cltrain data plain plain
    fails 2 'at least one PATH is needed' cltrain data
    fails 1 'no/such/sheet.png' cltrain data plain --sheet no/such/sheet.png
}

# The text and the JSON of data say the same.
json_agrees() {
    cltrain data plain --json data.json >text && json_holds data.json \
        'd["train"]["images"] == sum(d["train"]["classes"]) and d["classes"] == 4 and
["%g" % v for v in d["mean"]] == open("text").read().split("mean")[1].split()[:1] and
[int(line.split()[1]) for line in open("text").readlines()[-4:]] == d["train"]["classes"]'
}

test_plan() {
    ok "plan" cltrain plan --net "input 1x8x8, $net" --device "$device" --batch-size 4 --json plan.json
    shows "plan names tensors" "conv1.weight.gradient"
    shows "plan sums up" "in all, with guards between tensors"
    judge "plan's JSON" json_holds plan.json 'd["batch_size"] == d["micro_batch_size"] == 4 and
        0 < d["shared_bytes"] < d["unshared_bytes"] < d["total_bytes"] <= d["free_bytes"] or
        d["device"] == "reference"'
    ok "plan --inference" cltrain plan --net "$net" --input 1x8x8 --device "$device" --inference --json -
    judge "inference has no gradients" lacks gradient
    ok "plan of shards" cltrain plan --net resnet20 --device "$device" --batch-size 64 --shards 8
    shows "plan says how a batch is cut" "8 shards of at most 8 images"
    ok "plan of micro-batches" cltrain plan --net lenet5 --device "$device" --batch-size 100 --micro-batch-size 30
    shows "plan says how a batch is split" "micro-batches of 30 images"
}

test_launch_plans() {
    ok "bench --plan for a GPU that is not there" cltrain bench --plan --pretend h100 --net lenet5 --json plan.json
    judge "it tells launches" grep -q '^conv_forward_pool  *conv1  *conv_forward_tile ' out
    shows "and whose time that is" "images/s: by a model, not by a clock"
    judge "its JSON" json_holds plan.json 'd["device"] == "h100" and d["compute_units"] == 132 and d["model_seconds"] > 0 and
        all(l["groups"] > 0 and l["kernel"] in d["programs"][l["program"]]["source"] for l in d["launches"])'
    ok "plan for one" cltrain plan --pretend mi50 --net lenet5
    judge "the memory that it has" grep -q '^free on the device  *16106127360$' out
    fails 2 'give --plan, too' cltrain bench --pretend h100
    fails 2 'rx6800, mi50 or arc770 is needed' cltrain bench --plan --pretend h200
    fails 1 'cannot compute in double' cltrain bench --plan --pretend arc770 --precision f64
    fails 2 'the reference launches nothing' cltrain bench --plan --device reference
}

test_scale() {
    ok "scale for GPUs that are not there" cltrain scale --pretend h100 --net vgg6bn --devices 1,8,128 --json scale.json
    judge "it has a row for each number of devices" [ "$(grep -c '^ *\(1\|8\|128\)  ' out)" = 6 ]
    judge "one alone is what others are measured by" [ "$(grep -c '^ *1  .* 1\.000$' out)" = 2 ]
    judge "more devices than images share no batch" [ "$(grep -c '^ *128  .* -$' out)" = 1 ]
    shows "it says whose numbers these are" "what a model expects"
    shows "from where the exchange is seen" "no longer hidden behind the backward ops from"
    shows "and where others would be better" "A binary tree would"
    judge "its JSON" json_holds scale.json 'd["bytes"] > 1e6 and d["buckets"] > 1 and d["device"] == "h100" and all(
        [row["devices"] for row in d[kind]["rows"]] == [1, 8, 128] and d[kind]["rows"][0]["efficiency"] == 1 and
        0 < d[kind]["rows"][1]["efficiency"] < 1 for kind in ("strong", "weak")) and
        "efficiency" not in d["strong"]["rows"][2] and d["weak"]["rows"][2]["batch_size"] == 64 * 128'
    ok "scale over a slow network" cltrain scale --pretend h100 --net vgg6bn --devices 1,8,128 --bandwidth 0.125 --latency 1000 --json slow.json
    judge "it is slower" python3 -c 'import json
rows = [json.load(open(name))["weak"]["rows"] for name in ("scale.json", "slow.json")]
assert all(slow["efficiency"] < fast["efficiency"] for fast, slow in list(zip(*rows))[1:])'
    ok "scale of one bucket" cltrain scale --pretend h100 --net lenet5
    shows "it hides nothing" "All gradients are one bucket"
    ok "smaller buckets" cltrain scale --pretend h100 --net lenet5 --bucket-mb 0.01
    judge "which are more" grep -q '0.25 MB of gradients in [1-9][0-9] buckets' out
    ok "scale of what is frozen" cltrain scale --pretend h100 --net 'input 1x8x8; flatten; dense out=3 frozen=yes'
    shows "nothing is exchanged" "Nothing is trained: nothing is exchanged."
    fails 2 '2000000 devices: there should be 1 to 1048576' cltrain scale --pretend h100 --devices 2000000
    fails 2 'batch_size is 500001: it should be from 1 to 500000 here' cltrain scale --pretend h100 --batch-size 500001
    fails 1 'cannot compute in double' cltrain scale --pretend arc770 --precision f64
    ok "scale by the clock" cltrain scale --net "$net" --input 1x8x8 --batch-size 4 --devices 1,2 --device "$device" --json -
    judge "--json - is JSON alone" json_holds out '[row["device_images"] for row in d["strong"]["rows"]] == [4, 2] and
        d["read_bytes_per_s"] > 0 and d["write_bytes_per_s"] > 0 and d["add_bytes_per_s"] > 0'
}

test_summary() {
    ok "summary" cltrain summary --net resnet20 --json summary.json
    shows "summary shows what a layer reads" "batchnorm9,batchnorm10"
    judge "summary counts ResNet-20" json_holds summary.json 'd["trained"] == 272474 and
        80e6 < d["flops"] < 84e6 and sum(l["fused"] for l in d["layers"]) == 28'
    fails 2 'there is no layer "what"' cltrain summary --net "conv out=1, what" --input 1x4x4
}

# The numbers are another matter: this is about a bench that a script reads.
test_bench() {
    ok "bench" cltrain bench --net "input 1x8x8, $net" --device "$device" --batch-size 4 --seconds 0.1 --json bench.json
    shows "bench tells images/s" "images/s"
    judge "bench's JSON" json_holds bench.json 'd["net"] and d["batch_size"] == 4 and d["device"] and
all(0 < d[what]["min"] <= d[what]["median"] <= d[what]["max"] for what in ("train_images_per_s", "infer_images_per_s"))'
    ok "bench --json -" cltrain bench --net "$net" --input 1x8x8 --device "$device" --seconds 0.1 --json -
    judge "--json - is JSON alone" json_holds out 'd["batch_size"] == 64'
    timed="cltrain bench --net \"input 1x8x8, $net\" --device $device --batch-size 4 --seconds 0.1 --json more.json"
    ok "bench of augmented halves" eval "$timed --augment flip,mixup=1 --storage f16"
    judge "has their ops" json_holds more.json 'sorted(o["op"] for o in d["ops"] if o["op"] in ("augment", "mix_pairs", "unscale")) ==
["augment", "augment", "mix_pairs", "unscale"]'
    fails 2 'rrc is of image files' eval "$timed --augment rrc=0.1:1"
}

# ---- formats of data sets ---------------------------------------------------------------------------------------

# Image folders of two classes, dark and light, 4 x 4 and once 6 x 6; the same as a CSV file and as NPY files.
make_formats() {
    python3 - <<'END'
import os, random, struct, zlib
random.seed(5)
def png(path, side, values):
    rows = b"".join(b"\0" + bytes(values[y * side:(y + 1) * side]) for y in range(side))
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)) +
                   chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
def values(label, side):
    return [random.randrange(100) + 150 * label for _ in range(side * side)]
for split, count in (("train", 20), ("val", 6)):
    rows, images = [], bytearray()
    for label, name in enumerate(("a dark one", "light")):
        os.makedirs(f"some images/{split}/{name}")
        for i in range(count // 2):
            pixels = values(label, 4)
            png(f"some images/{split}/{name}/{i:02}.png", 4, pixels)
            rows.append(",".join(map(str, [label] + pixels)))
            images += bytes(pixels)
    os.makedirs("csv", exist_ok=True)
    os.makedirs("npy", exist_ok=True)
    kind = "train" if split == "train" else "test"
    open(f"csv/{kind}.csv", "w").write("\n".join(rows) + "\n")
    def npy(name, shape, body):
        head = ("{'descr': '|u1', 'fortran_order': False, 'shape': %s, }\n" % (shape,)).encode()
        open(f"npy/{name}_{kind}.npy", "wb").write(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + body)
    npy("x", (count, 4, 4), bytes(images))
    npy("y", (count,), bytes([0] * (count // 2) + [1] * (count // 2)))
png("large.png", 6, values(1, 6))
END
}

tiny() {
    folder=$1
    shift
    cltrain train --device reference --quiet --epochs 3 --batch-size 5 --lr 0.05 --output-dir "$folder" \
        --net "flatten, dense out=2" "$@"
}

# What predict and eval do with images that are not as the model's.
test_conversions() {
    predict_images="cltrain predict --device reference --model of-images/last.safetensors"
    ok "predict an image of another size" $predict_images large.png
    judge "a note says that it was resized" grep -q 'note: 1 of 1 images of those given were not 1x4x4: they were made so' err
    mv out resized.out
    ok "predict --size" $predict_images --size 4x4 large.png
    judge "is the same" cmp out resized.out
    judge "without a note" is_empty err
    ok "predict a folder" $predict_images "some images/val"
    judge "each file has its name" sh -c '[ "$(grep -c "^some images/val/.*png	" out)" = 6 ]'
    cp out folder.out
    ok "predict a folder, decoded when needed" $predict_images --data-cache 0 --batch-size 2 "some images/val"
    judge "it says the same" cmp out folder.out
    cp -r "some images/val" with-bad
    echo "no image" >with-bad/light/00.png
    fails 1 'with-bad/light/00.png: is ' $predict_images with-bad
    for cache in 1M 0; do
        ok "predict --skip-bad" $predict_images --skip-bad --data-cache $cache with-bad
        judge "one bad file costs one row" sh -c '[ "$(wc -l <out)" = 5 ] && ! grep -q light/00 out'
        judge "and it is told" grep -q '1 of 6 image files are left out' err
    done
    ok "predict --skip-bad of files" $predict_images --skip-bad large.png with-bad/light/00.png with-bad/light/01.png
    judge "two rows are left" lines_are 2 out
    fails 1 'none of the files can be read' $predict_images --skip-bad with-bad/light/00.png
    ok "predict --invert" $predict_images --invert "some images/val"
    judge "dark and light change places" sh -c '! cmp -s out folder.out'
    ok "predict --tta flip" $predict_images --tta flip "some images/val"
    judge "it is another mean" sh -c '! cmp -s out folder.out'
    mkdir -p of-other-size/test
    cp -r "some images/val/." of-other-size/test
    cp large.png of-other-size/test/light/
    ok "eval of images of other sizes" cltrain eval --device reference --model of-images/last.safetensors --data of-other-size
    judge "a note counts them" grep -q '1 of 7 images of of-other-size were not 1x4x4' err
    fails 1 'large.png: is 6 high and 6 wide' \
        cltrain eval --strict --device reference --model of-images/last.safetensors --data of-other-size
    ok "predict --tta shift" $predict_images --tta shift "some images/val"
    judge "and this another" sh -c '! cmp -s out folder.out'
    fails 2 '"turn" is given, where none, flip, shift or flip+shift is needed' $predict_images --tta turn "some images/val"
    ok "eval --tta flip+shift --invert" \
        cltrain eval --device reference --tta flip+shift --invert --model of-images/last.safetensors --data of-other-size
}

test_formats() {
    make_formats || { echo "cli.sh: the formats' files cannot be made" >&2; exit 1; }
    ok "train on an image folder" tiny of-images --data "some images"
    ok "whitening by an image folder" tiny whitened --data "some images" --epochs 0 \
        --net "conv out=4 kernel=2, flatten, dense out=2" --init whiten
    ok "and by one that streams" tiny whitened-again --data "some images" --epochs 0 --data-cache 0 \
        --net "conv out=4 kernel=2, flatten, dense out=2" --init whiten
    judge "gives the same weights" cmp whitened/last.safetensors whitened-again/last.safetensors
    fails 2 'init: conv1.weight has 9 outputs: whiten gives 8 at most' tiny whitened --data "some images" \
        --net "conv out=9 kernel=2, flatten, dense out=2" --init whiten
    ok "train on CSV" tiny of-csv --data csv
    ok "train on NPY files" tiny of-npy --data npy
    judge "CSV and NPY are the same data" cmp of-csv/last.safetensors of-npy/last.safetensors
    ok "train --transpose" tiny turned --data npy --transpose
    ok "eval turns images as training did" cltrain eval --device reference --model turned/last.safetensors --data npy
    judge "which a note says" grep -q "as in training (--no-transpose" err
    mv out turned.out
    ok "eval --transpose" cltrain eval --device reference --model turned/last.safetensors --data npy --transpose
    judge "is the same" cmp out turned.out
    judge "without the note" test ! -s err
    ok "eval --no-transpose" cltrain eval --device reference --model turned/last.safetensors --data npy --no-transpose
    judge "is another" sh -c '! cmp -s out turned.out'
    ok "predict turns arrays as training did" \
        cltrain predict --device reference --model turned/last.safetensors npy/x_test.npy
    mv out turned.out
    ok "predict --no-transpose" \
        cltrain predict --device reference --no-transpose --model turned/last.safetensors npy/x_test.npy
    judge "is another" sh -c '! cmp -s out turned.out'
    mkdir above && cp -r npy above/inner
    ok "train on the folder above" tiny of-above --data above
    judge "a note names the folder, once for both splits" test "$(grep -c "above/inner is read" err)" = 1
    ok "eval names the classes" cltrain eval --device reference --model of-images/last.safetensors --data "some images"
    judge "the names are there" grep -q "0  a dark one" out
    ok "eval of a single CSV file" cltrain eval --device reference --model of-csv/last.safetensors --data csv/test.csv
    judge "it takes all of it" grep -q "^images *6$" out
    ok "predict a PNG file" \
        cltrain predict --device reference --model of-images/last.safetensors "some images/val/light/00.png"
    judge "by the class's name" grep -q "$(printf '\tlight\t')" out
    ok "predict as JSON with names" cltrain predict --device reference --format json \
        --model of-images/last.safetensors "some images/val/a dark one/00.png"
    judge "the JSON has number and name" python3 -c 'import json
e = json.load(open("out"))[0]
assert e["class"] == 0 and e["name"] == "a dark one", e'
    fails 2 'the model takes images of 1x4x4, large.png has 1x6x6' \
        cltrain predict --strict --device reference --model of-images/last.safetensors large.png
    test_conversions
    ok "predict --size" cltrain predict --device reference --size 4x4 --model of-images/last.safetensors large.png
    fails 2 '--size: "4" is given' cltrain predict --size 4 --model of-images/last.safetensors large.png
    ok "a single CSV file has no validation" tiny alone --data csv/train.csv
    judge "which a note says" grep -q "no validation" err
    cp large.png "some images/train/light/large.png"
    fails 1 'large.png: is 6 high and 6 wide' tiny other --data "some images"
    ok "train --size" tiny sized --data "some images" --size 4x4
    rm "some images/train/light/large.png"
    head -c 50 "some images/val/light/00.png" >"some images/train/light/cut.png"
    fails 1 'cut.png: byte 33: corrupt PNG' tiny other --data "some images"
    ok "train --skip-bad" tiny skipped --data "some images" --skip-bad
    judge "a note counts what is left out" grep -q "1 of 21 image files are left out" err
    rm "some images/train/light/cut.png"
    mv "some images/train/light" "some images/train/bright" && mv "some images/val/light" "some images/val/bright"
    fails 2 "its classes are not the model's" \
        cltrain eval --device reference --model of-images/last.safetensors --data "some images"
}

# ---- bad files --------------------------------------------------------------------------------------------------

# spoil FILE: a data set named "spoilt" that lacks nothing but what the next command puts at FILE
spoil() {
    rm -rf spoilt
    cp -r "${2:-plain}" spoilt
    rm -f "spoilt/$1"
}

test_bad_data() {
    images=train-images-idx3-ubyte labels=train-labels-idx1-ubyte
    fails 1 'nowhere: cannot be opened' train_small other --data nowhere
    fails 1 'ten.idx: is no data set that cltrain reads' train_small other --data ten.idx
    mkdir empty
    fails 1 'empty: the folder holds no data set that cltrain reads' train_small other --data empty
    spoil $labels
    fails 1 'spoilt: the folder holds no train-labels' train_small other --data spoilt
    spoil $images
    head -c 5000 plain/$images >spoilt/$images
    fails 1 "spoilt/$images: byte 5000: the data ends" train_small other --data spoilt
    head -c 10 plain/$images >spoilt/$images
    fails 1 "spoilt/$images: byte 10: the file ends inside its IDX header" train_small other --data spoilt
    : >spoilt/$images
    fails 1 "spoilt/$images: byte 0: the file ends" train_small other --data spoilt
    echo "this is text" >spoilt/$images
    fails 1 "spoilt/$images: byte 0: not an IDX file" train_small other --data spoilt
    { cat plain/$images && echo more; } >spoilt/$images
    fails 1 "spoilt/$images: byte 19216: trailing bytes" train_small other --data spoilt
    cp plain/$labels spoilt/$images
    fails 1 "spoilt/$images: has 1 dimension, where images have 2, 3 or 4" train_small other --data spoilt
    spoil $labels
    cp plain/t10k-labels-idx1-ubyte spoilt/$labels
    fails 1 "spoilt/$labels: holds 100 labels, where spoilt/$images holds 300 images" train_small other --data spoilt
    spoil $images.gz packed
    head -c 5000 packed/$images.gz >spoilt/$images.gz
    fails 1 "spoilt/$images.gz: byte" train_small other --data spoilt
    spoil t10k-labels-idx1-ubyte
    fails 1 'spoilt: the folder holds no t10k-labels' \
        cltrain eval --model run/last.safetensors --data spoilt --device reference
    fails 1 'missing.idx: cannot be opened' \
        cltrain predict --model run/last.safetensors --device reference missing.idx
}

test_bad_checkpoints() {
    size=$(wc -c <run/last.safetensors)
    head -c $((size - 8)) run/last.safetensors >truncated
    head -c 100 run/last.safetensors >headless
    echo "This is a text file, and no checkpoint at all." >text-file
    : >nothing
    for file in truncated headless text-file nothing absent; do
        fails 1 "$file: " cltrain eval --model $file --data plain --device reference
        fails 1 "$file: " cltrain predict --model $file --device reference ten.idx
        fails 1 "$file: " cltrain verify --model $file --device reference
        fails 1 "$file: " cltrain train --data plain --device reference --resume $file
        fails 1 "$file: " train_small other --weights $file
    done
    # Weights of another program's: right for --weights, but no checkpoint.
    python3 -c 'import json, struct
head = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
open("foreign", "wb").write(struct.pack("<Q", len(head)) + head + bytes(4))'
    fails 1 "foreign: is not a checkpoint" cltrain eval --model foreign --data plain --device reference
    fails 1 "foreign: has no parameter of the net's: conv1.weight (not there)" train_small other --weights foreign
}

# on_terminal WIDTH COMMAND...: what it shows on a terminal so wide, a line for each time that it draws
on_terminal() {
    wide=$1
    shift
    script -qec "stty cols $wide; TERM=xterm $*" typescript >/dev/null 2>&1
    tr '\r' '\n' <typescript | sed '1d' >drawn
}

# No line that is drawn over is wider than the window; blocks have three bytes and one column.
fits_window() {
    python3 -c 'import sys
lines = open("drawn", encoding="utf-8").read().split("\n")
running = [line.rstrip() for line in lines if line.startswith("Epoch") and "val_" not in line]
assert running, "nothing was drawn"
wide = [line for line in running if len(line) >= int(sys.argv[1])]
assert not wide, wide[0]' "$1"
}

test_terminal() {
    command -v script >/dev/null || { echo "skip  there is no terminal to pretend"; return; }
    training="LC_ALL=C.UTF-8 $program train --data plain --net '$net' --device reference --epochs 2 --output-dir terminal"
    for width in 120 60 30; do
        on_terminal $width "$training"
        judge "a window of $width columns" fits_window $width
    done
    judge "good epochs are green" grep -q "$(printf '\033')\[32m" drawn
    judge "at the end it says what to type next" sh -c 'tr "\n" " " <drawn | grep -q "cltrain report terminal"'
    on_terminal 120 "NO_COLOR=1 $training"
    judge "NO_COLOR is obeyed" sh -c '! grep -q "$(printf "\033")" drawn'
}

# images COUNT SHIFT: a CSV file of random images, of which the labels are those of the images SHIFT classes on
images() {
    awk -v count="$1" -v shift="$2" 'BEGIN {
        srand(7); print "label,p1,p2,p3,p4,p5,p6,p7,p8,p9"
        for (i = 0; i < count; i++) {
            line = (i + shift) % 4
            for (p = 0; p < 9; p++) line = line "," int(rand() * 256)
            print line
        } }'
}

test_advice() {
    lost="cltrain train --data plain --net '$net' --device reference --epochs 3 --lr 1e-9 --seed 4 --output-dir lost"
    ok "a rate that is too low" eval "$lost"
    judge "it says that nothing is learned" grep -q 'no more than if every image were taken for the most frequent class' err
    judge "once" [ "$(grep -c 'most frequent class' err)" = 1 ]
    judge "and which class is never seen" grep -q 'no validation image was taken for class' err
    judge "which is none that weights would help" sh -c '! grep -q "class-weights" err'
    ok "a loss that does not move" cltrain train --data plain --net run/model.net --weights run/best.safetensors --device reference --epochs 3 --lr 1e-9
    judge "it says so" grep -q 'the training loss is after 3 epochs what it was after the first' err
    mkdir shifted same
    images 40 0 >shifted/train.csv
    images 40 1 >shifted/test.csv
    images 1 0 | awk 'NR == 1 { print } NR == 2 { for (i = 0; i < 40; i++) print (i % 4) substr($0, index($0, ",")) }' >same/train.csv
    images 4 0 >same/test.csv
    mkdir rare
    images 40 0 | awk -F , 'NR == 1 || $1 != 3 || ++seen == 1' >rare/train.csv
    cp rare/train.csv rare/test.csv
    ok "a rare class" cltrain train --data rare --net "input 1x3x3, flatten, dense out=4" --device reference --epochs 12 --lr 0.1
    judge "weights would help it" grep -q 'class 3, though there are some; --class-weights balanced helps' err
    plain_net="input 1x3x3, flatten, dense out=32, relu, dense out=4"
    ok "labels of other images" cltrain train --data shifted --net "$plain_net" --device reference --epochs 60 --batch-size 8 --lr 0.1
    judge "it says so" grep -q 'labels may not belong to their images' err
    ok "images that are all alike" cltrain train --data same --net "$plain_net" --device reference --epochs 1
    judge "it says so, too" grep -q 'the first 40 training images are all the same' err
    ok "--quiet" eval "$lost --quiet"
    judge "gives no advice" sh -c '! grep -q "most frequent class" err'
}

# of runs that trained here
test_report_and_compare() {
    ok "another run" train_small other-rate --epochs 2 --lr 0.3 --report other.html --no-check
    judge "train --report says so" grep -q '^cltrain: note: other.html shows how it went' err
    judge "its page is there" grep -q '<h2>How it went</h2>' other.html
    fails 2 'is made of what --output-dir receives' cltrain train --data plain --net "$net" --report no.html
    fails 1 'no/page.html: cannot be written' train_small unwritten --epochs 2 --report no/page.html
    judge "nothing is trained before that" [ ! -e unwritten/model.net ]
    ok "a page in the output folder" train_small itself/ --epochs 1 --report ./itself/page.html --no-check
    judge "it is there" test -s itself/page.html
    ok "report" cltrain report run other-rate -o both.html --no-check --device reference
    shows "it says where" both.html
    judge "both stand in it" sh -c 'grep -q "<h1>run</h1>" both.html && grep -q "<h1>other-rate</h1>" both.html'
    ok "a net of more classes than there are" cltrain train --data plain --net "conv out=2 kernel=3; relu; flatten; dense out=6" --device reference --epochs 4 --lr 0.1 --output-dir idle
    judge "how to have fewer" grep -q 'the net tells 6 classes, and plain has 4: --classes 4 gives it as many' err
    ok "its page" cltrain report idle -o idle.html --no-check --device reference
    judge "has those that there are" sh -c 'grep -q "The net tells 2 more classes" idle.html && ! grep -q "class 4" idle.html'
    fails 1 'is no folder that cltrain train' cltrain report nowhere --device reference
    fails 1 'no/page.html' cltrain report run -o no/page.html --no-check --device reference
    fails 1 'cannot be opened' cltrain report run --data nowhere --no-check --device reference
    ok "compare" cltrain compare run other-rate --device reference
    shows "compare tells the option" "lr  "
    shows "compare tells of chance" "McNemar"
    ok "compare checkpoints, as JSON" cltrain compare run/best.safetensors run/last.safetensors --data plain --device reference --json -
    judge "JSON has all of it" python3 -c 'import json, sys
d = json.load(open("out"))
a = d["answers"]
assert a["both"] + a["a_alone"] + a["b_alone"] + a["neither"] == a["images"] > 0 and 0 <= a["p"] <= 1
assert all(p["in_both"] for p in d["parameters"]) and d["options_a"]["lr"] == d["options_b"]["lr"]'
    ok "compare without images" cltrain compare run/best.safetensors run/last.safetensors --device reference
    shows "it says so" "There are no labelled images"
    mkdir no-tests && cp plain/train-* no-tests
    ok "another net, without validation" cltrain train --quiet --data no-tests --net "conv out=3 kernel=3; relu; flatten; dense out=7; relu; dense out=4" --epochs 1 --device reference --output-dir other-net
    ok "compare nets" cltrain compare run other-net --device reference
    judge "what is not known is no number" sh -c '! grep -q nan out'
    shows "shapes differ" "conv1.weight (of unequal shapes)"
    shows "one alone has a layer" "dense2.weight (of the second alone)"
    fails 2 'compare: it takes A B, 1 was given' cltrain compare run
    fails 1 'nothing.safetensors' cltrain compare run nothing.safetensors --device reference
}

test_lr_find() {
    find="cltrain lr-find --data plain --device reference --precision f64 --net"
    ok "lr-find" $find "$net" --lr-min 1e-4 --steps 40 --json rates.json
    cp out rates.out
    judge "lr-find prints a row a step, or till it diverges" sh -c 'head -n 1 out | grep -q "^lr  *loss  *smoothed"'
    judge "and suggests a rate" grep -q '^suggested learning rate 0\.' out
    judge "lr-find's JSON" json_holds rates.json 'd["steps"][0]["lr"] == 1e-4 and d["steps"][-1]["lr"] <= 10.000001
and 0 < d["suggested"] < 10 and len(d["steps"]) <= 40'
    ok "lr-find at rates too low" $find "$net" --lr-min 1e-12 --lr-max 1e-11 --steps 5
    shows "it suggests none" "no learning rate is suggested"
    ok "lr-find --init whiten" $find "$net" --lr-min 1e-4 --steps 5 --init whiten
    judge "begins elsewhere" sh -c '! grep -q "^$(sed -n 2p rates.out | cut -c 1-40)" out'
    fails 2 'the first should be above 0 and below the last' $find "$net" --lr-min 1 --lr-max 0.1
    refuses_values lr-find --lr-min 0 -1 x
    refuses_values lr-find --steps 0 x
    fails 2 '1 learning rates: there should be 2' cltrain lr-find --data plain --net "$net" --device reference --steps 1
}

test_tune() {
    fails 1 'nothing to tune: choose an OpenCL device' cltrain tune --device reference
    fails 1 'there is no folder to keep what is tuned in' cltrain tune --device "$device"
    CLTRAIN_CACHE_DIR=$PWD/tuned
    ok "tune" cltrain tune --net "input 1x3x3, flatten, dense out=2" --batch-size 4 --device "$device" --json tune.json
    shows "tune names what it kept" "kinds of op run faster"
    judge "tune's JSON" json_holds tune.json 'len(d["ops"]) > 2 and open(d["file"]).read()'
    ok "verify with what was tuned" cltrain verify --net "input 1x3x3, flatten, dense out=2" --batch-size 4 \
        --device "$device"
    for file in tuned/tuned-*.json; do echo '{"tuned": [1]}' >"$file"; done
    fails 1 'entry 0 of "tuned" is damaged: remove the file' cltrain verify --device "$device"
    rm tuned/tuned-*.json
    ok "tune --forget" cltrain tune --forget --device "$device"
    CLTRAIN_CACHE_DIR=
}

# ---- standard output that takes nothing -------------------------------------------------------------------------

to_full() {
    "$@" >/dev/full
}

to_nothing() {
    "$@" >&-
}

# Into a pipe whose reader has gone already.
to_closed_pipe() {
    python3 -c 'import os, subprocess, sys
reader, writer = os.pipe()
os.close(reader)
sys.exit(subprocess.run(sys.argv[1:], stdout=writer).returncode)' "$program" "$@"
}

test_output() {
    for command in --version --help 'help nets' 'train --help' 'devices' 'devices --json -' \
        'example --device reference' \
        'eval --model run/last.safetensors --data plain --device reference' \
        'eval --model run/last.safetensors --data plain --device reference --json -' \
        'predict --model run/last.safetensors --device reference ten.idx' \
        'predict --model run/last.safetensors --device reference --format json ten.idx' \
        'train --data plain --net run/model.net --epochs 1 --quiet --device reference --output-dir other'; do
        fails 1 'standard output: cannot be written' to_full cltrain $command
        fails 1 'standard output: cannot be written' to_nothing cltrain $command
        fails 1 'standard output: cannot be written' to_closed_pipe $command
    done
    fails 1 '/dev/full: cannot be written' silently cltrain devices --json /dev/full
}

# ---- all --------------------------------------------------------------------------------------------------------

make_data || exit 2
# Some read what others before them made. Without an OpenCL device there is nothing to compare with the reference.
groups="help verbs_and_options values contradictions example devices train_files resume start_and_order validation
    recipes options_of_training interrupt signals no_home data eval predict export terminal advice report_and_compare lr_find summary plan launch_plans scale formats bad_data bad_checkpoints output"
[ "$device" = reference ] || groups="$groups device verify bench tune"
run_groups $groups
