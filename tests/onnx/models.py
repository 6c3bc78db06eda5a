"""Whole models that others made, in cltrain: models.py CLTRAIN FOLDER

ONNX's nine nets come in and go out again as ONNX Runtime has them. torchvision's models, of random weights, are exported by
both of PyTorch's exporters: cltrain's probabilities are ONNX Runtime's, as are the outputs of what cltrain exports of them; and
three steps of SGD, in double on both sides as steps of random nets magnify what float rounds, have PyTorch's losses.
"""
import csv
import pathlib
import subprocess
import sys
import warnings

import numpy
import onnx
import onnxruntime
import torch
import torchvision

warnings.filterwarnings("ignore")
CLTRAIN, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
BOUND, BATCH, STEPS, RATE = 1e-5, 4, 3, 0.001
MODELS = ["resnet18", "resnet50", "vgg11_bn", "mobilenet_v2", "mobilenet_v3_small", "mnasnet0_5", "squeezenet1_1",
          "shufflenet_v2_x0_5", "efficientnet_b0", "densenet121", "googlenet", "regnet_y_400mf", "convnext_tiny"]
TRAINED = ["squeezenet1_1", "shufflenet_v2_x0_5", "mobilenet_v3_small", "convnext_tiny"]
failures = []


def cltrain(*arguments):
    done = subprocess.run([CLTRAIN, *map(str, arguments)], capture_output=True, text=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode()[-1500:])
    return done.stdout


def judge(name, difference, bound):
    print(f"{name}: {difference:.3g} apart", flush=True)
    if not difference <= bound:
        failures.append(name)


def outputs_of(path, images):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: images})[0]


def run(path, images):
    return outputs_of(path, images).reshape(len(images), -1).astype(numpy.float64)


def softmax(x):
    e = numpy.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def relative(ours, theirs):
    return abs(ours - theirs).max() / abs(theirs).max()


def come_and_go(name, path, images, ends_in_softmax):
    """cltrain's probabilities, and what it exports again, against ONNX Runtime."""
    numpy.save(FOLDER / "images.npy", images)
    theirs = run(path, images)
    printed = cltrain("predict", "--model", path, "--format", "npy", FOLDER / "images.npy")
    (FOLDER / "outputs.npy").write_bytes(printed)
    ours = numpy.load(FOLDER / "outputs.npy").reshape(len(images), -1)
    judge(f"{name}, probabilities", relative(ours, theirs if ends_in_softmax else softmax(theirs)), BOUND)
    cltrain("convert", path, FOLDER / "again.onnx")
    again = run(FOLDER / "again.onnx", images)
    judge(f"{name}, exported again", relative(again, theirs), BOUND)


def whole_nets():
    folder = pathlib.Path(onnx.__file__).parent / "backend/test/data/light"
    random = numpy.random.default_rng(0)
    for path in sorted(folder.glob("*.onnx")):
        graph = onnx.load(str(path)).graph
        images = random.random((1, 3, 224, 224), dtype=numpy.float32)
        come_and_go(path.stem, path, images, graph.node[-1].op_type == "Softmax")


def make(name):
    torch.manual_seed(0)
    more = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
    net = getattr(torchvision.models, name)(weights=None, num_classes=10, **more)
    for module in net.modules():  # what is left out at random differs
        if isinstance(module, (torch.nn.Dropout, torchvision.ops.StochasticDepth)):
            module.p = 0.0
    return net


def export(net, images, path, exporter):
    if exporter == "dynamo":
        torch.onnx.export(net, (images,), path, dynamo=True, external_data=False, verbose=False,
                          dynamic_shapes=({0: torch.export.Dim("batch")},))
    else:
        training = torch.onnx.TrainingMode.TRAINING if net.training else torch.onnx.TrainingMode.EVAL
        torch.onnx.export(net, images, path, dynamo=False, opset_version=17, training=training, input_names=["images"],
                          dynamic_axes={"images": {0: "batch"}}, do_constant_folding=not net.training)


def train(name, net, path):
    torch.manual_seed(1)
    images, labels = torch.randn(STEPS * BATCH, 3, 64, 64), torch.arange(STEPS * BATCH) % 10
    net, theirs = net.double(), []
    optimizer = torch.optim.SGD(net.parameters(), RATE)
    for x, y in zip(images.double().split(BATCH), labels.split(BATCH)):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        theirs.append(loss.item())
    numpy.savez(FOLDER / "data.npz", x_train=images.numpy(), y_train=labels.numpy())
    cltrain("train", "--data", FOLDER / "data.npz", "--net", path, "--epochs", 1, "--batch-size", BATCH, "--lr", RATE,
            "--momentum", 0, "--no-shuffle", "--normalize", "none", "--precision", "f64", "--log-steps", FOLDER / "steps.csv",
            "--quiet")
    with open(FOLDER / "steps.csv", newline="") as file:
        ours = [float(row["loss"]) for row in csv.DictReader(file)]
    judge(f"{name}, {STEPS} steps of SGD", max(abs(a - b) for a, b in zip(ours, theirs, strict=True)), 1e-4)


def torchvision_models():
    for name in MODELS:
        size = 224 if name == "vgg11_bn" else 64  # the older exporter wants its pool to divide evenly
        images = torch.randn(2, 3, size, size)
        for exporter in "script", "dynamo":
            path = FOLDER / f"{name}.onnx"
            export(make(name).eval(), images, path, exporter)
            come_and_go(f"{name}, {exporter}", path, images.numpy(), False)
    for name in TRAINED:
        net = make(name).train()
        export(net, torch.randn(2, 3, 64, 64), FOLDER / f"{name}.onnx", "script")
        train(name, net, FOLDER / f"{name}.onnx")


if __name__ == "__main__":
    whole_nets()
    torchvision_models()
    print(f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}, ONNX Runtime {onnxruntime.__version__}")
    if failures:
        sys.exit("too far apart: " + "; ".join(failures))
