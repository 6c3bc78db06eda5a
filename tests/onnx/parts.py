"""What people put together, in cltrain: parts.py CLTRAIN FOLDER

Small nets of what residual, attention, segmentation, speech and detection nets are made of, exported by both of PyTorch's
exporters: what cltrain exports of them again gives ONNX Runtime's numbers, in the same shape where that has four dimensions.
"""
import sys

import torch
from torch import nn
from torch.nn import functional as F

from models import BOUND, FOLDER, cltrain, export, outputs_of


class Net(nn.Module):
    def __init__(self, function, *modules):
        super().__init__()
        self.function, self.parts = function, nn.ModuleList(modules)

    def forward(self, x):
        return self.function(x, *self.parts)


def conv(channels, out, kernel=3, **more):
    return nn.Conv2d(channels, out, kernel, **more)


def same(channels, out, kernel=3):
    return conv(channels, out, kernel, padding=kernel // 2)


NETS = [  # name, input, function, its modules
    ("residual, unpadded", (4, 12, 12), lambda x, c, d: x[:, :, 2:-2, 2:-2] + d(c(x)), conv(4, 4), conv(4, 4)),
    ("causal convolution", (4, 1, 20), lambda x, c: torch.relu(c(x)[:, :, :, :-4] + x), conv(4, 4, (1, 5), padding=(0, 4))),
    ("softmax of columns", (4, 8, 6), lambda x, c, d: c(x) * d(x).softmax(3), same(4, 4), same(4, 4)),
    ("softmax of pixels", (4, 8, 6), lambda x, c: c(x).flatten(2).softmax(-1).view(-1, 4, 8, 6) * c(x), same(4, 4)),
    ("segmentation", (4, 8, 6), lambda x, c: c(x).softmax(1), same(4, 5)),
    ("logarithms of probabilities", (4, 8, 6), lambda x, c, l: l(c(x).flatten(1)).log_softmax(1), same(4, 5), nn.Linear(240, 3)),
    ("probabilities", (4, 8, 6), lambda x, c, l: l(c(x).flatten(1)).softmax(1), same(4, 5), nn.Linear(240, 3)),
    ("one probability", (4, 8, 6), lambda x, c, l: l(c(x).flatten(1)).sigmoid(), same(4, 5), nn.Linear(240, 1)),
    ("autoencoder", (4, 4, 6), lambda x, l: l(x.flatten(1)).view(-1, 4, 4, 6).sigmoid(), nn.Linear(96, 96)),
    ("attention pooling", (4, 8, 6), lambda x, c: (c(x) * c(x).mean(1, True).softmax(2)).sum(2), same(4, 4)),
    ("global context", (8, 6, 5), lambda x, c, d: x + d((x.flatten(2) * c(x).flatten(2).softmax(2)).sum(2)[..., None, None]),
     conv(8, 1, 1), conv(8, 8, 1)),
    ("channel attention by a convolution", (8, 6, 6), lambda x, c: x * c(x.mean((2, 3)).unsqueeze(1)).squeeze(1).sigmoid()[..., None, None],
     nn.Conv1d(1, 1, 3, padding=1)),
    ("squeeze and excite", (8, 6, 5), lambda x, l: x * l(x.mean((2, 3))).sigmoid().view(-1, 8, 1, 1).expand_as(x), nn.Linear(8, 8)),
    ("spatial attention", (8, 6, 5), lambda x, c: x * c(torch.cat([x.mean(1, True), x.max(1, True)[0]], 1)).sigmoid(), same(2, 1)),
    ("image-level pooling", (8, 6, 5), lambda x, c: torch.cat([c(x), F.adaptive_avg_pool2d(c(x), 1).expand(-1, -1, 6, 5)], 1), same(8, 5)),
    ("crop by negative padding", (4, 9, 8), lambda x, c: F.pad(c(x), (-1, -2, -1, 2)), same(4, 5)),
    ("circular padding", (4, 8, 6), lambda x, c: c(x), conv(4, 4, padding=1, padding_mode="circular")),
    ("one channel", (8, 6, 5), lambda x, c: c(x)[:, 2], conv(8, 5)),
    ("last row", (8, 6, 5), lambda x, c: c(x)[:, :, -1], conv(8, 5)),
    ("one pixel", (8, 6, 5), lambda x, c: F.adaptive_avg_pool2d(c(x), 1)[:, :, 0, 0], conv(8, 5)),
    ("every other pixel", (4, 8, 7), lambda x, c: c(x)[..., ::2, 1::2], same(4, 4)),
    ("focus", (3, 8, 8), lambda x, c: c(torch.cat([x[..., i::2, j::2] for j in (0, 1) for i in (0, 1)], 1)), conv(12, 4)),
    ("lines as words", (8, 6, 5), lambda x, c, l: l(c(x).permute(0, 3, 1, 2).flatten(2)), same(8, 5), nn.Linear(30, 4)),
    ("mixing pixels", (8, 6, 5), lambda x, c, l: l(c(x).flatten(2)), same(8, 5), nn.Linear(30, 4)),
    ("patches", (3, 8, 8), lambda x, l: l(x.reshape(-1, 3, 2, 4, 2, 4).permute(0, 2, 4, 1, 3, 5).reshape(-1, 4, 48)).mean(1), nn.Linear(48, 5)),
    ("unit length", (4, 8, 6), lambda x, c: F.normalize(c(x).flatten(1)), conv(4, 4)),
    ("bicubic decoder", (4, 5, 6), lambda x, c: F.interpolate(c(x), (9, 11), mode="bicubic"), same(4, 3)),
]


def apart(net, shape, exporter):
    """How far what cltrain makes of it is from what it was; None where the shapes differ."""
    images, path, again = torch.randn(2, *shape), FOLDER / "part.onnx", FOLDER / "part_again.onnx"
    export(net, images, path, exporter)
    cltrain("convert", path, again)
    theirs, ours = outputs_of(path, images.numpy()), outputs_of(again, images.numpy())
    if theirs.ndim in (2, 4) and theirs.shape != ours.shape:
        return None
    return abs(ours.reshape(theirs.shape) - theirs).max() / abs(theirs).max()


torch.manual_seed(0)
failures, worst = [], 0
for name, shape, function, *modules in NETS:
    for exporter in "script", "dynamo":
        try:
            difference = apart(Net(function, *modules).eval(), shape, exporter)
        except RuntimeError as error:
            failures.append(f"{name}: {error}")
            continue
        if difference is None or not difference <= BOUND:
            failures.append(f"{name}, {exporter}: {difference}")
        else:
            worst = max(worst, difference)
print(f"{len(NETS)} small nets by both exporters: ONNX Runtime is within {worst:.3g} of what cltrain makes of them")
if failures:
    sys.exit("\n".join(failures))
