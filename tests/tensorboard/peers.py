"""peers.py PROGRAM FOLDER: trains, kills with SIGKILL and resumes, and compares what TensorBoard shows of it with metrics.csv and
--log-steps: by its Python reader, which purges by session starts, and by its data server, which goes by the order of files."""

import csv
import json
import pathlib
import random
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.parse
import urllib.request

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.hparams import plugin_data_pb2

PROGRAM, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
CLASSES, SIDE, EPOCHS, STEPS = 4, 8, 6, 100
EPOCH_COLUMNS = ["loss", "accuracy", "val_loss", "val_accuracy", "lr", "seconds", "images_per_s", "gradient_norm"]


def write_data(folder):
    folder.mkdir()
    draw = random.Random(1)
    patterns = [[draw.randrange(256) for _ in range(SIDE * SIDE)] for _ in range(CLASSES)]
    for split, count in (("train", 10 * STEPS), ("t10k", 80)):
        labels = [draw.randrange(CLASSES) for _ in range(count)]
        pixels = bytes(min(255, max(0, int(p / 2 + draw.gauss(60, 50)))) for label in labels for p in patterns[label])
        header = struct.pack(">IIII", 0x803, count, SIDE, SIDE)
        (folder / f"{split}-images-idx3-ubyte").write_bytes(header + pixels)
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, count) + bytes(labels))


def command(run):
    """To the end, from the last checkpoint if there is one."""
    more = ["--resume", run / "last.safetensors"] if (run / "last.safetensors").exists() else []
    return [PROGRAM, "train", "--data", FOLDER / "data", "--net", "conv out=8 kernel=3, relu, flatten, dense out=4",
            "--batch-size", "10", "--epochs", str(EPOCHS), "--device", "reference", "--quiet", "--lr-scheduler", "cosine",
            "--save-every", "7", "--output-dir", run, "--log-steps", run / "steps.csv", "--tensorboard", run / "board", *more]


def train(run):
    subprocess.run(command(run), check=True, capture_output=True)


def train_and_kill(run, seconds):
    process = subprocess.Popen(command(run), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def wanted_of(run):
    """What the tables tell: {tag: [(step, value)]}."""
    wanted, steps = {}, list(csv.DictReader(open(run / "steps.csv")))
    for column in ("loss", "lr"):
        wanted["step/" + column] = [(int(row["step"]), float(row[column])) for row in steps]
    epochs = list(csv.DictReader(open(run / "metrics.csv")))
    for column in EPOCH_COLUMNS:
        wanted["epoch/" + column] = [(int(row["epoch"]) * STEPS, float(row[column])) for row in epochs]
    return wanted


def compare(wanted, shown, reader):
    for tag, points in wanted.items():
        steps, told = [step for step, _ in points], [step for step, _ in shown[tag]]
        assert steps == told, (reader, tag, sorted(set(steps) ^ set(told))[:10], len(steps), len(told))
        for (step, value), (_, told) in zip(points, shown[tag]):
            assert abs(value - told) <= 1e-5 * abs(value) + 1e-12, (reader, tag, step, value, told)


def read_by_python(run):
    every = dict.fromkeys([event_accumulator.SCALARS, event_accumulator.IMAGES, event_accumulator.HISTOGRAMS,
                           event_accumulator.TENSORS], 0)
    reader = event_accumulator.EventAccumulator(str(run / "board"), size_guidance=every)
    reader.Reload()
    return reader


def check_content(reader):
    for tag in ("confusion_matrix", "samples"):
        images = reader.Images(tag)
        assert [image.step for image in images] == [STEPS * (i + 1) for i in range(EPOCHS)], tag
        for image in images:
            assert image.encoded_image_string[:4] == b"\x89PNG"
            assert struct.unpack(">II", image.encoded_image_string[16:24]) == (image.width, image.height)
    names = {"parameters/conv1.weight": 72, "parameters/conv1.bias": 8, "parameters/dense1.weight": 1152, "parameters/dense1.bias": 4}
    names.update({name.replace("parameters", "gradients"): count for name, count in names.items()})
    assert set(reader.Tags()["histograms"]) == set(names)
    for tag, count in names.items():
        histograms = reader.Histograms(tag)
        assert len(histograms) == EPOCHS and all(sum(h.histogram_value.bucket) == count for h in histograms), tag
    assert len(reader.Tensors("samples/predictions")) == EPOCHS
    contents = reader.PluginTagToContent("hparams")
    start = plugin_data_pb2.HParamsPluginData.FromString(contents["_hparams_/session_start_info"]).session_start_info
    assert start.hparams["lr"].number_value == 0.01 and start.hparams["batch_size"].number_value == 10
    assert start.hparams["optimizer"].string_value == "sgd" and start.hparams["shuffle"].bool_value
    end = plugin_data_pb2.HParamsPluginData.FromString(contents["_hparams_/session_end_info"]).session_end_info
    assert end.status == 1


def read_by_server(folder, runs):
    """What the server of TensorBoard's page tells of each run's scalars."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "tensorboard.main", "--logdir", folder, "--port", str(port), "--load_fast",
                               "true", "--samples_per_plugin", "scalars=100000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://localhost:{port}/data/plugin/scalars/"

    def ask(what):
        return json.load(urllib.request.urlopen(address + what, timeout=10))

    try:
        for attempt in range(120):
            time.sleep(0.5)
            try:
                tags = ask("tags")
            except OSError:
                continue
            if all(len(tags.get(f"{run}/board", [])) == 12 for run in runs):
                break
        time.sleep(2)
        return {run: {tag: [(step, value) for _, step, value in ask("scalars?" + urllib.parse.urlencode(
            {"run": f"{run}/board", "tag": tag}))] for tag in ask("tags")[f"{run}/board"]} for run in runs}
    finally:
        server.terminate()
        server.wait()


def main():
    write_data(FOLDER / "data")
    runs = FOLDER / "runs"
    runs.mkdir()
    begun = time.monotonic()
    train(runs / "whole")
    took = time.monotonic() - begun
    (runs / "killed").mkdir()
    draw = random.Random(2)
    killed = sum(train_and_kill(runs / "killed", took * draw.uniform(0.1, 0.4)) for _ in range(6))
    train(runs / "killed")
    assert killed, "no training was killed before its end"
    for run in ("whole", "killed"):
        reader = read_by_python(runs / run)
        shown = {tag: [(event.step, event.value) for event in reader.Scalars(tag)] for tag in reader.Tags()["scalars"]}
        compare(wanted_of(runs / run), shown, "the Python reader")
        check_content(reader)
    by_server = read_by_server(runs, ("whole", "killed"))
    for run, shown in by_server.items():
        compare(wanted_of(runs / run), shown, "the data server")
    files = len(list((runs / "killed/board").iterdir()))
    print(f"TensorBoard reads a whole training and one that was killed {killed} times, in {files} files, by both of its readers")


main()
