#!/usr/bin/env python3
"""Makes lenet5_losses.csv: what PyTorch's loss is in the first 100 steps of lenet5 on Fashion-MNIST, from cltrain's own
initial weights. tests/test_pytorch.c holds cltrain to it.

    build/cltrain train --data /usr/share/datasets/fashion-mnist --net lenet5 --seed 0 --epochs 0 --output-dir /tmp/initial
    /usr/bin/python3 tests/pytorch/lenet5_losses.py /tmp/initial/last.safetensors > tests/pytorch/lenet5_losses.csv

Debian's python3-torch (1.13.1) on the CPU, float32, batches of 64 in the data set's order, SGD with learning rate 0.01 and
momentum 0.9, images as bytes / 255, minus the training set's mean, over its standard deviation.
"""
import gzip
import json
import struct
import sys

import numpy as np
import torch
import torch.nn as nn

FOLDER = "/usr/share/datasets/fashion-mnist/"
NAMES = {"conv1": "0", "conv2": "3", "dense1": "7", "dense2": "9", "dense3": "11"}


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    header.pop("__metadata__", None)
    return {name: torch.from_numpy(np.frombuffer(data[t["data_offsets"][0]:t["data_offsets"][1]], dtype="<f4")
                                   .reshape(t["shape"]).copy()) for name, t in header.items()}


def read_idx(path, header):
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), dtype=np.uint8, offset=header)


def main():
    net = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
                        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
                        nn.Linear(84, 10))
    weights = read_safetensors(sys.argv[1])
    net.load_state_dict({NAMES[name.split(".")[0]] + "." + name.split(".")[1]: value for name, value in weights.items()})
    images = read_idx(FOLDER + "train-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)
    labels = read_idx(FOLDER + "train-labels-idx1-ubyte.gz", 8)
    scaled = images.astype(np.float64) / 255
    mean, deviation = scaled.mean(), scaled.std()
    sgd = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    print("step,loss")
    for step in range(100):
        batch = slice(64 * step, 64 * step + 64)
        x = torch.from_numpy((images[batch].astype(np.float32) / np.float32(255) - np.float32(mean)) / np.float32(deviation))
        loss = nn.functional.cross_entropy(net(x), torch.from_numpy(labels[batch].astype(np.int64)))
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        print(f"{step + 1},{loss.item():.9g}")


main()
