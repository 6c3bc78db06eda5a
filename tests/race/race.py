"""race.py CLTRAIN [--rounds N] [--seconds S] [NET...]: images/s of cltrain and of PyTorch at its best, training and inference.

PyTorch runs the module that `cltrain export --format torch` writes of the same net, each of its ways in a process of its own:
eager, channels-last, compiled channels-last; a first trial of all finds the fastest. Then they take turns, and each round has
a ratio of its own: a machine whose speed wanders slows down both. A training step is forward, cross-entropy, backward and SGD
with momentum, on a batch that is in memory already; cltrain's gathers it, too. The share of the peak is that of the device's
fma kernel in the same run, arithmetic being counted as the formulas have it. --peer-device cuda has PyTorch compute on its GPU,
in float32 as cltrain does (no TF32), beside cltrain on the device that CLTRAIN_DEVICE names.
"""
import argparse, importlib.util, json, os, re, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
GREY, COLOUR = [1, 28, 28], [3, 32, 32]
SHAPES = {"lenet5": GREY, "cnn2": GREY, "vgg6bn": COLOUR, "resnet20": COLOUR, "mobile": COLOUR}  # a file of a net has its own
NETS = [*SHAPES, os.path.join(HERE, "..", "gpu", "resnet18.net")]
BATCH = {"resnet18": 16}  # else 64
WAYS = ["eager", "channels_last", "compiled"]
KINDS = ["train", "infer"]


def name_of(net):
    return os.path.splitext(os.path.basename(net))[0]


def shape_of(net):
    if net in SHAPES:
        return SHAPES[net]
    with open(net) as text:
        found = re.search(r"^\s*input\s+(\d+)x(\d+)x(\d+)", text.read(), re.MULTILINE)
    return [int(n) for n in found.groups()] if found else sys.exit(f"race.py: {net} does not begin with its input's shape")


def export(cltrain, net, folder):
    """A checkpoint of the untrained net, and the module that has it in PyTorch."""
    import numpy

    summary = json.loads(subprocess.run([cltrain, "summary", "--net", net, "--json", "-"], check=True, capture_output=True).stdout)
    c, h, w = shape_of(net)
    classes = int(summary["layers"][-1]["output"])
    data = os.path.join(folder, "data.npz")
    images = numpy.random.default_rng(0).integers(0, 256, (max(classes, 8), c, h, w), dtype=numpy.uint8)
    numpy.savez(data, x_train=images, y_train=numpy.arange(len(images)) % classes, x_test=images[:8], y_test=numpy.arange(8) % classes)
    subprocess.run([cltrain, "train", "--quiet", "--device", "reference", "--net", net, "--data", data, "--layout", "nchw",
                    "--epochs", "0", "--output-dir", folder], check=True, capture_output=True)
    module = os.path.join(folder, "peer.py")
    subprocess.run([cltrain, "export", "--model", os.path.join(folder, "last.safetensors"), "--format", "torch", module],
                   check=True, capture_output=True)
    return module, [c, h, w], classes


def peer(module, way, device, batch, shape, classes, seconds):
    """What a peer's process prints: the median images/s of its steps, on a GPU of a row of steps."""
    import torch

    torch.manual_seed(0)
    torch.set_default_device(device)
    torch.backends.cudnn.allow_tf32 = False
    spec = importlib.util.spec_from_file_location("peer", module)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    layout = torch.contiguous_format if way == "eager" else torch.channels_last
    net = loaded.load().to(device, memory_format=layout)
    x = torch.randn(batch, *shape).to(memory_format=layout)
    y = torch.randint(0, classes, (batch,))
    sgd = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    forward = torch.compile(net) if way == "compiled" else net

    def train():
        sgd.zero_grad()
        torch.nn.functional.cross_entropy(forward(x), y).backward()
        sgd.step()

    def infer():
        with torch.no_grad():
            forward(x)

    result = {}
    for kind, step in (("train", train), ("infer", infer)):
        net.train(kind == "train")
        for _ in range(3):
            step()
        steps = 1 if device == "cpu" else 50
        times, end = [], time.perf_counter() + seconds
        while time.perf_counter() < end or len(times) < 5:
            begin = time.perf_counter()
            for _ in range(steps):
                step()
            if device != "cpu":
                torch.cuda.synchronize()
            times.append((time.perf_counter() - begin) / steps)
        result[kind] = batch / statistics.median(times)
    print(json.dumps(result))


def run_peer(module, way, device, batch, shape, classes, seconds):
    words = [sys.executable, __file__, "--peer", json.dumps([module, way, device, batch, shape, classes, seconds])]
    run = subprocess.run(words, capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"race.py: PyTorch, {way}, ended with:\n{run.stderr}")
    return json.loads(run.stdout.splitlines()[-1])


def run_cltrain(cltrain, net, batch, seconds):
    words = [cltrain, "bench", "--net", net, "--batch-size", str(batch), "--seconds", str(seconds), "--json", "-"]
    bench = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
    return {"train": bench["train_images_per_s"]["median"], "infer": bench["infer_images_per_s"]["median"],
            "flops": sum(op["flops"] for op in bench["ops"]) / batch, "peak": bench["peak_flops"]}


def race(cltrain, net, device, rounds, seconds):
    batch = BATCH.get(name_of(net), 64)
    with tempfile.TemporaryDirectory() as folder:
        module, shape, classes = export(cltrain, net, folder)
        trial = {way: run_peer(module, way, device, batch, shape, classes, seconds) for way in WAYS}
        best = {kind: max(WAYS, key=lambda way: trial[way][kind]) for kind in KINDS}
        run_cltrain(cltrain, net, batch, seconds)  # which builds its kernels
        turns = []
        for _ in range(rounds):
            theirs = {way: run_peer(module, way, device, batch, shape, classes, seconds) for way in set(best.values())}
            turns.append((run_cltrain(cltrain, net, batch, seconds), {kind: theirs[best[kind]][kind] for kind in KINDS}))
    share = statistics.median(ours["train"] * ours["flops"] / ours["peak"] for ours, _ in turns)
    cells = [name_of(net), str(batch)]
    for kind in KINDS:
        ratios = [ours[kind] / theirs[kind] for ours, theirs in turns]
        cells += [f"{statistics.median(ours[kind] for ours, _ in turns):,.0f}",
                  f"{statistics.median(theirs[kind] for _, theirs in turns):,.0f} {best[kind]}",
                  f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"]
    print("| " + " | ".join(cells + [f"{100 * share:.0f} %"]) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="race.sh")
    parser.add_argument("cltrain")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--peer-device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("nets", nargs="*", metavar="NET")
    options = parser.parse_intermixed_args()
    import torch

    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads; {options.rounds} rounds of {options.seconds:g} s, images/s\n")
    print("| net | batch | cltrain trains | PyTorch | times as fast | cltrain infers | PyTorch | times as fast | of the fma kernel |")
    print("|---|---|---|---|---|---|---|---|---|")
    for net in options.nets or NETS:
        race(options.cltrain, net, options.peer_device, options.rounds, options.seconds)


if sys.argv[1:2] == ["--peer"]:
    peer(*json.loads(sys.argv[2]))
else:
    main()
