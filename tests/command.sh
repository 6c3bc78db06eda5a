# Sourced by the tests of the command line, which are called with a PROGRAM: their temporary folder, a small made-up data
# set, and how a check is written. Where the device does not matter it is the reference, which needs no compiling; else it
# is CLTRAIN_DEVICE's, or the default one.
set -u
export LC_ALL=C

[ $# = 1 ] || { echo "usage: sh $0 PROGRAM" >&2; exit 2; }
program=$(realpath "$1") || exit 2
device=${CLTRAIN_DEVICE:-}
unset CLTRAIN_DEVICE
if [ -z "$device" ]; then
    device=$("$program" devices | awk '$1 == "*" { print $2 }')
    [ -n "$device" ] || { echo "$0: cltrain devices marks no default" >&2; exit 1; }
fi

work=$(mktemp -d) || exit 2
background=
trap 'if [ -n "$background" ]; then kill -KILL "$background" 2>/dev/null; fi; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 2

# ---- helpers ----------------------------------------------------------------------------------------------------

count=0
failed=

cltrain() {
    "$program" "$@"
}

# judge NAME CONDITION...: one line a check; where it fails, all that the last command said.
judge() {
    name=$1
    shift
    count=$((count + 1))
    if "$@" >condition 2>&1; then
        echo "ok    $name"
        return
    fi
    echo "FAIL  $name"
    echo "      exit status $status"
    for stream in condition out err; do
        [ ! -s "$stream" ] || { echo "      $stream:"; head -n 30 "$stream" | sed 's/^/        /'; }
    done
    failed="$failed
  $name"
}

# run COMMAND...: its streams and exit status stay in out, err and $status until the next one.
status=0
run() {
    status=0
    "$@" >out 2>err || status=$?
}

# ok NAME COMMAND...: the command should succeed.
ok() {
    ok_name=$1
    shift
    run "$@"
    judge "$ok_name" [ "$status" = 0 ]
}

# fails STATUS "part of the sentence" COMMAND...: the command should fail so, with one sentence and no result.
fails() {
    wanted=$1 part=$2
    shift 2
    run "$@"
    judge "$wanted from $*" is_refusal "$wanted" "$part"
}

is_refusal() {
    [ "$status" = "$1" ] || { echo "wanted the exit status $1"; return 1; }
    [ ! -s out ] || { echo "wanted nothing on standard output"; return 1; }
    [ "$(grep -vc '^cltrain: note: ' err)" = 1 ] || { echo "wanted one line on standard error, notes apart"; return 1; }
    grep -q '^cltrain: ' err || { echo "wanted a line that begins with cltrain:"; return 1; }
    grep -qF -- "$2" err || { echo "wanted a line that contains: $2"; return 1; }
}

# refuses_values VERB OPTION VALUE...: none of the values is possible, and the sentence names option and value.
refuses_values() {
    verb=$1 option=$2
    shift 2
    for value in "$@"; do fails 2 "$option: \"$value\" is given, where" cltrain "$verb" "$option" "$value"; done
}

# silently COMMAND...: for fails, where the results are right and only their JSON cannot be written
silently() {
    "$@" >/dev/null
}

# shows NAME TEXT: the last command printed it.
shows() {
    judge "$1" grep -qF -- "$2" out
}

lacks() {
    ! grep -qF -- "$1" out
}

lines_are() {
    [ "$(wc -l <"$2")" -eq "$1" ]
}

is_empty() {
    [ ! -s "$1" ]
}

differ() {
    ! cmp -s "$1" "$2"
}

# json_holds FILE EXPRESSION: a Python expression over `d`, the file's content.
json_holds() {
    python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
sys.exit(0 if eval(f"({sys.argv[2]})") else 1)' "$@"
}

# checkpoint_holds FILE EXPRESSION: over `shape` (of each tensor, by name), `net` (the text) and `d` (the rest).
checkpoint_holds() {
    python3 -c 'import json, struct, sys
content = open(sys.argv[1], "rb").read()
head = json.loads(content[8:8 + struct.unpack("<Q", content[:8])[0]])
texts = head.pop("__metadata__")
shape = {name: tensor["shape"] for name, tensor in head.items()}
net, d = texts["net"], json.loads(texts["cltrain"])
sys.exit(0 if eval(f"({sys.argv[2]})") else 1)' "$@"
}

# ---- the data set -----------------------------------------------------------------------------------------------

# 300 and 100 images of 8x8 with noise; the class is the quadrant that is bright. In f64 on the reference, so that a
# checkpoint holds every bit of the training.
net='conv out=2 kernel=3, relu, maxpool kernel=2, flatten, dense out=4'

make_data() {
    python3 - <<'END'
import gzip, os, random, struct

def write(path, extents, values, opener=open):
    with opener(path, "wb") as file:
        file.write(bytes([0, 0, 8, len(extents)]) + struct.pack(">%dI" % len(extents), *extents) + bytes(values))

def image(label):
    return [random.randrange(100) + (150 if y // 4 * 2 + x // 4 == label else 0) for y in range(8) for x in range(8)]

random.seed(1)
os.mkdir("plain")
os.mkdir("packed")
for split, count in ("train", 300), ("t10k", 100):
    labels = [random.randrange(4) for _ in range(count)]
    pixels = [pixel for label in labels for pixel in image(label)]
    for folder, opener, end in ("plain", open, ""), ("packed", gzip.open, ".gz"):
        write(f"{folder}/{split}-images-idx3-ubyte{end}", (count, 8, 8), pixels, opener)
        write(f"{folder}/{split}-labels-idx1-ubyte{end}", (count,), labels, opener)
    if split == "train":
        mean = sum(pixels) / len(pixels) / 255
        deviation = (sum((pixel / 255 - mean) ** 2 for pixel in pixels) / len(pixels)) ** 0.5
        open("statistics", "w").write(f"{mean!r} {deviation!r}")
write("one image, \"2\".idx", (8, 8), image(2))
write("ten.idx", (10, 8, 8), [pixel for label in range(10) for pixel in image(label % 4)])
write("small.idx", (2, 5, 5), [0] * 50)
END
    mkdir no-test
    cp plain/train-* no-test
}

# comes FILE: waits for what the program in the background makes, as long as that runs.
comes() {
    until [ -s "$1" ]; do
        kill -0 "$background" 2>/dev/null || [ -s "$1" ] || return 1
        sleep 0.02
    done
}

# train_small FOLDER OPTION...: a training of a few milliseconds
train_small() {
    folder=$1
    shift
    cltrain train --data plain --net "$net" --device reference --precision f64 --quiet --output-dir "$folder" "$@"
}

resume() {
    folder=$1
    shift
    cltrain train --data plain --device reference --quiet --output-dir "$folder" --resume "$folder/last.safetensors" \
        "$@"
}

# run_groups GROUP...: calls test_GROUP for each, then tells and exits.
run_groups() {
    for group in "$@"; do
        echo "# $group"
        "test_$group"
    done
    if [ -n "$failed" ]; then
        echo "$count checks, of which these failed:$failed"
        exit 1
    fi
    echo "$count checks, all right"
    exit 0
}
