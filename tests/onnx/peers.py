"""What cltrain exports, as others take it: ONNX's own checker, ONNX Runtime and PyTorch. peers.py FOLDER, which test_export
filled: N.onnx, images in N.input, cltrain's outputs in N.output, and for some the module N.py."""
import importlib.util
import pathlib
import sys

import numpy
import onnx
import onnxruntime
import torch
from onnxruntime.capi import onnxruntime_pybind11_state as refusals

BOUND = 1e-5
TYPES = {"tensor(float)": numpy.float32, "tensor(double)": numpy.float64}


def run_onnx(path, images):
    """None, and why, where ONNX Runtime does not run it."""
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        entry = session.get_inputs()[0]
        images = images.astype(TYPES[entry.type]).reshape([-1] + entry.shape[1:])
        return session.run(None, {entry.name: images})[0], None
    except (refusals.NotImplemented, refusals.InvalidArgument) as why:
        return None, str(why)


def run_torch(path, images, shape):
    spec = importlib.util.spec_from_file_location(f"net{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    net = module.load()
    images = torch.from_numpy(images.reshape(shape))
    with torch.no_grad():
        return net(images.to(getattr(torch, "float64" if any(p.dtype == torch.float64 for p in net.parameters()) else "float32"))).numpy()


def difference(ours, theirs):
    theirs = theirs.reshape(-1).astype(numpy.float64)
    finite = numpy.isfinite(ours)
    if theirs.shape != ours.shape or not numpy.array_equal(finite, numpy.isfinite(theirs)):
        return numpy.inf
    return abs(ours - theirs)[finite].max(initial=0) / max(1e-3, abs(ours[finite]).max(initial=0))


def main(folder):
    # ONNX Runtime has no convolution of doubles, and no output_padding as large as the dilation, which PyTorch allows.
    known = ("Could not find an implementation", "output_padding")
    worst, checked, bad = {"onnx": 0, "torch": 0}, {"onnx": 0, "torch": 0}, 0
    for path in sorted(folder.glob("*.onnx"), key=lambda p: int(p.stem)):
        model = onnx.load(str(path))
        onnx.checker.check_model(str(path), full_check=True)
        images = numpy.fromfile(path.with_suffix(".input"), numpy.float32)
        ours = numpy.fromfile(path.with_suffix(".output"), numpy.float32).astype(numpy.float64)
        theirs, why = run_onnx(path, images)
        if theirs is None:
            print(f"{path.stem}: ONNX Runtime refuses it: {why}")
            bad += not any(k in why for k in known)
        results = {} if theirs is None else {"onnx": theirs}
        if path.with_suffix(".py").exists():
            shape = [-1] + [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim[1:]]
            results["torch"] = run_torch(path.with_suffix(".py"), images, shape)
        for name, outputs in results.items():
            far = difference(ours, outputs)
            worst[name] = max(worst[name], far)
            checked[name] += 1
            if not far <= BOUND:
                bad += 1
                print(f"{path.stem}: {name} is {far:.3g} apart, of {sorted({n.op_type for n in model.graph.node})}")
    print(f"{checked['onnx']} models: ONNX Runtime {onnxruntime.__version__} is within {worst['onnx']:.3g} of cltrain, "
          "relative to the largest output")
    print(f"{checked['torch']} modules: PyTorch {torch.__version__} is within {worst['torch']:.3g}")
    return bad or not checked["onnx"] or not checked["torch"]


sys.exit(main(pathlib.Path(sys.argv[1])) > 0)
