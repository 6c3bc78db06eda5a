#!/bin/sh
# peers.sh BUILD: TensorBoard, of PyPI, reads what cltrain writes: trainings whole, killed and resumed, by both of its readers. The
# packages go to BUILD/tensorboard.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
venv=$build/tensorboard
if ! "$venv/bin/python" -c 'import tensorboard, tensorboard_data_server' 2>/dev/null; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q tensorboard
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$venv/bin/python" "$here/kept.py" "$work/kept.events"
cmp "$here/kept.events" "$work/kept.events" # what test_events.c writes is still what TensorBoard writes
"$venv/bin/python" "$here/peers.py" "$build/cltrain" "$work"
