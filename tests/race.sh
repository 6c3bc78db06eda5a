#!/bin/sh
# race.sh [--rounds N] [--seconds S] [NET...]: cltrain against the newest PyTorch of PyPI on this machine's cores, in turn: the
# table of the README. Not a test: figures of a shared machine wander. PyTorch and this build of cltrain go to build/race.
set -eu
cd "$(dirname "$0")/.."
. host/packages.sh
need $packages_to_build python3 python3-venv

folder=build/race
cmake -S . -B $folder -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build $folder -j "$(nproc)" --target cltrain >/dev/null
venv=$folder/venv
if ! "$venv/bin/python" -c 'import torch, numpy, safetensors' 2>/dev/null; then
    python3 -m venv "$venv"
    # Without what PyTorch needs of CUDA, some 3 GB; where it does not start so, with it.
    "$venv/bin/pip" install -q numpy safetensors
    "$venv/bin/pip" install -q --no-deps torch filelock typing_extensions sympy mpmath networkx jinja2 markupsafe fsspec setuptools \
        nvidia-cufile nvidia-cusparselt-cu13 nvidia-nvshmem-cu13 nvidia-nccl-cu13
    "$venv/bin/python" -c 'import torch' 2>/dev/null || "$venv/bin/pip" install -q torch
fi
exec "$venv/bin/python" tests/race/race.py $folder/cltrain "$@"
