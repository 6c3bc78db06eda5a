"""What cltrain exports, as ONNX's own checker and ONNX Runtime take it: peers.py FOLDER, which test_export filled."""
import pathlib
import sys

import numpy
import onnx
import onnxruntime

BOUND = 1e-5
folder = pathlib.Path(sys.argv[1])
worst, bad, refused, checked = 0, 0, 0, 0
for path in sorted(folder.glob("*.onnx"), key=lambda p: int(p.stem)):
    onnx.checker.check_model(str(path), full_check=True)
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented as why:
        print(f"{path.stem}: ONNX Runtime has no kernel: {why}")
        continue
    wanted_type = {"tensor(float)": numpy.float32, "tensor(double)": numpy.float64}[session.get_inputs()[0].type]
    images = numpy.fromfile(path.with_suffix(".input"), numpy.float32).astype(wanted_type)
    images = images.reshape([-1] + session.get_inputs()[0].shape[1:])
    ours = numpy.fromfile(path.with_suffix(".output"), numpy.float32)
    try:
        theirs = session.run(None, {session.get_inputs()[0].name: images})[0].reshape(-1)
    except onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument as why:
        print(f"{path.stem}: ONNX Runtime refuses it: {why}")
        refused += "output_padding" not in str(why)  # which PyTorch allows to be as large as the dilation
        continue
    finite = numpy.isfinite(ours) & numpy.isfinite(theirs)
    same = numpy.array_equal(numpy.isfinite(ours), numpy.isfinite(theirs))
    difference = abs(ours - theirs)[finite].max(initial=0) / max(1e-3, abs(ours[finite]).max(initial=0))
    worst = max(worst, difference)
    checked += 1
    if not same or not difference <= BOUND:
        bad += 1
        types = sorted({n.op_type for n in onnx.load(str(path)).graph.node})
        print(f"{path.stem}: {difference:.3g} apart, of {types}")
print(f"{checked} models: ONNX Runtime {onnxruntime.__version__} is within {worst:.3g} of cltrain, relative to the largest output")
sys.exit(bad > 0 or refused > 0 or not checked)
