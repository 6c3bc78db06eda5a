#!/bin/sh
# Shows cltrain's main job: installs what is missing, builds, runs the worked example, then trains lenet5 on Fashion-MNIST,
# evaluates it and verifies it on the device. Asks nothing. What it makes lies in build/.
set -eu
cd "$(dirname "$0")/.."
. host/packages.sh

say() {
    printf '\n==> %s\n' "$*"
}

need $packages_to_build $packages_of_data

say "building"
mkdir -p build
if ! { cmake -S . -B build -DBUILD_TESTING=OFF && cmake --build build -j "$(nproc)"; } >build/build.log 2>&1; then
    tail -n 30 build/build.log >&2
    exit 1
fi

data=/usr/share/datasets/fashion-mnist

say "the devices: cltrain devices"
build/cltrain devices

say "the worked example: cltrain example"
build/cltrain example

say "training on 60,000 images: cltrain train --data $data --output-dir build/demo"
build/cltrain train --data $data --output-dir build/demo

say "evaluating on 10,000 others: cltrain eval --model build/demo/best.safetensors --data $data"
build/cltrain eval --model build/demo/best.safetensors --data $data

say "checking every op of this net on this device: cltrain verify --model build/demo/best.safetensors"
build/cltrain verify --model build/demo/best.safetensors
