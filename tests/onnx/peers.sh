#!/bin/sh
# peers.sh BUILD: ONNX between cltrain and others, of PyPI: what test_export exports passes ONNX's checker, runs in ONNX
# Runtime and PyTorch and gives the same; ONNX's whole nets and torchvision's models, exported here by both of PyTorch's
# exporters, and small nets of what others are made of come in, go out and train as in PyTorch. The packages go to BUILD/peers.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
venv=$build/peers
if ! "$venv/bin/python" -c 'import torch, torchvision, onnx, onnxruntime, safetensors' 2>/dev/null; then
    python3 -m venv "$venv"
    # Without what PyTorch needs of CUDA, some 3 GB; where it does not start so, with it.
    "$venv/bin/pip" install -q numpy onnx onnxruntime safetensors pillow
    "$venv/bin/pip" install -q --no-deps torch torchvision onnxscript onnx-ir ml_dtypes filelock typing_extensions sympy mpmath \
        networkx jinja2 markupsafe fsspec setuptools nvidia-cufile nvidia-cusparselt-cu13 nvidia-nvshmem-cu13 nvidia-nccl-cu13
    "$venv/bin/python" -c 'import torch' 2>/dev/null || "$venv/bin/pip" install -q torch torchvision onnxscript
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/exported"
CLTRAIN_EXPORT_TO=$work/exported "$build/test_export" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
"$venv/bin/python" "$here/peers.py" "$work/exported"
"$venv/bin/python" "$here/parts.py" "$build/cltrain" "$work"
"$venv/bin/python" "$here/models.py" "$build/cltrain" "$work"
