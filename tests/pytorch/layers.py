#!/usr/bin/env python3
"""Makes layers.csv: what PyTorch's layers do in double on two small images. tests/test_layers.c holds cltrain to it.

    /usr/bin/python3 tests/pytorch/layers.py > tests/pytorch/layers.csv

Debian's python3-torch (1.13.1) on the CPU. Columns: net (cltrain's text of the same layers, which may have commas of
its own), tensor (as cltrain calls it), values (NCHW, a space between them). The loss is half the squared error, averaged over the images; parameters, images and
targets are numbers(seed, count): parameter number i, from 0, has seed 2 + i.
"""
import torch
from torch import nn

torch.set_default_dtype(torch.float64)
BATCH = 2


def numbers(seed, count):
    return torch.tensor([((97 * i + 31 * seed) % 251 - 125) / 128 for i in range(count)])


class Function(nn.Module):
    def __init__(self, function, *layers):
        super().__init__()
        self.function, self.layers = function, nn.ModuleList(layers)

    def forward(self, x):
        return self.function(x, *self.layers)


class Scale(nn.Module):
    def __init__(self, *shape, weight=True, bias=True):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape)) if weight else 1
        self.bias = nn.Parameter(torch.zeros(shape)) if bias else 0

    def forward(self, x):
        return self.weight * x + self.bias


def chain(*layers):
    return nn.Sequential(*layers)


# hardsigmoid's alpha, where it is not given: what a float has of 1/6.
SIXTH = torch.tensor(1 / 6, dtype=torch.float32).double().item()
EXAMPLE = torch.linspace(-5, 5, 101)
assert torch.allclose(torch.clamp(EXAMPLE * SIXTH + 0.5, 0, 1), nn.Hardsigmoid()(EXAMPLE), 1e-7, 1e-7)

# Each net's trained layers, in the order of their parameters, by cltrain's names.
NETS = [
    ("input 3x6x5; conv out=4 kernel=3x2 stride=2x1 padding=1x0", "conv1", nn.Conv2d(3, 4, (3, 2), (2, 1), (1, 0))),
    ("input 2x5x5; conv out=3 kernel=3 bias=no", "conv1", nn.Conv2d(2, 3, 3, bias=False)),
    ("input 4x5x6; conv out=6 kernel=2 groups=2 dilation=2x1", "conv1", nn.Conv2d(4, 6, 2, groups=2, dilation=(2, 1))),
    ("input 3x5x4; conv out=3 kernel=3 padding=1 groups=3 stride=2; relu", "conv1",
     chain(nn.Conv2d(3, 3, 3, 2, 1, groups=3), nn.ReLU())),
    ("input 3x4x3; conv_transpose out=2 kernel=3x2 stride=2x3 padding=1x0 output_padding=1x2", "conv_transpose1",
     nn.ConvTranspose2d(3, 2, (3, 2), (2, 3), (1, 0), (1, 2))),
    ("input 2x4x4; conv_transpose out=3 kernel=3 padding=1 bias=no; relu", "conv_transpose1",
     chain(nn.ConvTranspose2d(2, 3, 3, 1, 1, bias=False), nn.ReLU())),
    ("input 4x3x3; conv_transpose out=2 kernel=2 stride=2 output_padding=1 groups=2 dilation=2x3", "conv_transpose1",
     nn.ConvTranspose2d(4, 2, 2, 2, 0, 1, groups=2, dilation=(2, 3))),
    ("input 3x6x5; conv out=4 kernel=3x2 stride=2 padding=0x1 padding_end=1x2", "conv1",
     chain(nn.ZeroPad2d((1, 2, 0, 1)), nn.Conv2d(3, 4, (3, 2), 2))),
    ("input 2x3x2; flatten; dense out=5", "dense1", chain(nn.Flatten(), nn.Linear(12, 5))),
    ("input 2x5x7; maxpool kernel=2x3 stride=1x2 padding=0x1", "", nn.MaxPool2d((2, 3), (1, 2), (0, 1))),
    ("input 2x6x6; maxpool kernel=3 stride=2 padding=1 ceil=yes", "", nn.MaxPool2d(3, 2, 1, ceil_mode=True)),
    ("input 2x5x7; avgpool kernel=2x3 stride=1x2 padding=1", "", nn.AvgPool2d((2, 3), (1, 2), 1)),
    ("input 2x6x7; avgpool kernel=3 stride=2 padding=1 ceil=yes", "", nn.AvgPool2d(3, 2, 1, ceil_mode=True)),
    ("input 2x6x7; avgpool kernel=3 stride=2 padding=1 ceil=yes count_include_pad=no", "",
     nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False)),
    ("input 2x6x7; avgpool kernel=3x2 stride=2 padding=0x1 padding_end=1x0", "",
     chain(nn.ZeroPad2d((1, 0, 0, 1)), nn.AvgPool2d((3, 2), 2))),
    ("input 2x6x7; maxpool kernel=3x2 stride=2 padding=1x0 padding_end=2x1", "",
     chain(nn.ConstantPad2d((0, 1, 1, 2), -1000), nn.MaxPool2d((3, 2), 2))),
    ("input 2x6x7; maxpool kernel=2x3 stride=1x2 padding=1 dilation=3x2", "", nn.MaxPool2d((2, 3), (1, 2), 1, (3, 2))),
    ("input 3x4x3; globalavgpool", "", nn.AdaptiveAvgPool2d(1)),
    ("input 3x4x3; globalmaxpool", "", nn.AdaptiveMaxPool2d(1)),
    ("input 2x7x5; adaptiveavgpool out=3x2", "", nn.AdaptiveAvgPool2d((3, 2))),
    ("input 2x3x4; adaptiveavgpool out=5x6", "", nn.AdaptiveAvgPool2d((5, 6))),
    ("input 5x3x2; channelmean", "", Function(lambda x: x.mean(1, keepdim=True))),
    ("input 18x2x1; batchnorm", "batchnorm1", nn.BatchNorm2d(18)),
    ("input 5x1x1; flatten; batchnorm momentum=0.3 eps=0.01", "batchnorm1",
     chain(nn.Flatten(), nn.BatchNorm1d(5, momentum=0.3, eps=0.01))),
    ("input 3x4x3; layernorm", "layernorm1", nn.LayerNorm([3, 4, 3])),
    ("input 2x3x2; layernorm eps=0.01 affine=no", "",
     nn.LayerNorm([2, 3, 2], eps=0.01, elementwise_affine=False)),
    ("input 2x3x2; layernorm eps=1e-12 affine=no", "", nn.LayerNorm([2, 3, 2], eps=1e-12, elementwise_affine=False)),
    ("input 2x3x2; flatten; layernorm", "layernorm1", chain(nn.Flatten(), nn.LayerNorm(12))),
    ("input 5x3x2; layernorm over=channels", "layernorm1",
     Function(lambda x, norm: norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2), nn.LayerNorm(5))),
    ("input 3x3x4; instancenorm", "", nn.InstanceNorm2d(3)),
    ("input 3x3x4; instancenorm affine=yes eps=0.01", "instancenorm1", nn.InstanceNorm2d(3, eps=0.01, affine=True)),
    ("input 6x3x2; groupnorm groups=2", "groupnorm1", nn.GroupNorm(2, 6)),
    ("input 4x3x2; groupnorm groups=2 eps=0.01 affine=no", "", nn.GroupNorm(2, 4, eps=0.01, affine=False)),
    ("input 2x3x4; upsample scale=2x3", "", nn.Upsample(scale_factor=(2, 3))),
    ("input 2x3x4; upsample scale=2x3 mode=bilinear", "",
     nn.Upsample(scale_factor=(2, 3), mode="bilinear", align_corners=False)),
    ("input 2x3x1; upsample scale=4 mode=bilinear", "", nn.Upsample(scale_factor=4, mode="bilinear", align_corners=False)),
    ("input 2x3x4; resize size=5x3 grid=asymmetric", "", nn.Upsample(size=(5, 3), mode="nearest")),
    ("input 2x3x4; resize size=5x3", "", nn.Upsample(size=(5, 3), mode="nearest-exact")),
    ("input 2x3x4; resize size=5x3 mode=bilinear", "", nn.Upsample(size=(5, 3), mode="bilinear", align_corners=False)),
    ("input 2x3x4; resize size=2x7 mode=bilinear grid=align_corners", "",
     nn.Upsample(size=(2, 7), mode="bilinear", align_corners=True)),
    ("input 2x3x4; resize size=5x3 mode=bicubic", "", nn.Upsample(size=(5, 3), mode="bicubic", align_corners=False)),
    ("input 2x3x4; resize size=2x7 mode=bicubic grid=align_corners", "",
     nn.Upsample(size=(2, 7), mode="bicubic", align_corners=True)),
    ("input 2x3x4; zeropad padding=1x2", "", nn.ZeroPad2d((2, 2, 1, 1))),
    ("input 2x3x4; pad value=0.5 before=1x0 after=2x3", "", nn.ConstantPad2d((0, 3, 1, 2), 0.5)),
    ("input 2x3x4; pad mode=reflect before=2x1 after=1x3", "", nn.ReflectionPad2d((1, 3, 2, 1))),
    ("input 2x3x4; pad mode=replicate before=2x0 after=1x3", "", nn.ReplicationPad2d((0, 3, 2, 1))),
    ("input 2x3x3; conv out=2; add from=conv1,input", "conv1", Function(lambda x, c: c(x) + x, nn.Conv2d(2, 2, 1))),
    ("input 2x3x3; conv out=1; concat from=conv1,input", "conv1",
     Function(lambda x, c: torch.cat([c(x), x], 1), nn.Conv2d(2, 1, 1))),
    ("input 5x3x2; slice first=1 count=3", "", Function(lambda x: x[:, 1:4])),
    ("input 6x3x2; channelshuffle groups=3", "",  # as torch.nn.ChannelShuffle, whose gradient this version lacks
     Function(lambda x: x.reshape(2, 3, 2, 3, 2).transpose(1, 2).reshape(2, 6, 3, 2))),
    ("input 18x2x3; pixelshuffle scale=3", "", nn.PixelShuffle(3)),
    ("input 2x3x4; permute order=whc", "", Function(lambda x: x.permute(0, 3, 2, 1))),
    ("input 2x3x4; permute order=wch", "", Function(lambda x: x.permute(0, 3, 1, 2))),
    ("input 2x3x4; reshape out=3 size=4x2", "", Function(lambda x: x.reshape(-1, 3, 4, 2))),
    ("input 3x4x6; pixelunshuffle scale=2", "", nn.PixelUnshuffle(2)),
    ("input 2x3x3; conv out=2; mul from=conv1,input", "conv1", Function(lambda x, c: c(x) * x, nn.Conv2d(2, 2, 1))),
    ("input 2x3x3; mul from=input,input", "", Function(lambda x: x * x)),
    ("input 3x2x3; globalavgpool; mul from=input,globalavgpool1", "", Function(lambda x: x * x.mean((2, 3), True))),
    ("input 3x2x3; conv out=1; sigmoid; mul from=sigmoid1,input", "conv1",
     Function(lambda x, c: torch.sigmoid(c(x)) * x, nn.Conv2d(3, 1, 1))),
    ("input 2x3x3; conv out=2; sub from=conv1,input", "conv1", Function(lambda x, c: c(x) - x, nn.Conv2d(2, 2, 1))),
    ("input 3x2x3; conv out=1; globalavgpool; sub from=globalavgpool1,input", "conv1",
     Function(lambda x, c: c(x).mean((2, 3), True) - x, nn.Conv2d(3, 1, 1))),
    ("input 3x2x2; softplus; div from=input,softplus1", "", Function(lambda x: x / nn.functional.softplus(x))),
    ("input 3x2x3; conv out=1; sigmoid; div from=input,sigmoid1", "conv1",
     Function(lambda x, c: x / torch.sigmoid(c(x)), nn.Conv2d(3, 1, 1))),
    ("input 2x3x3; relu; conv out=2 from=input; relu; tanh from=input; maximum from=relu1,relu2,tanh1", "conv1",
     Function(lambda x, c: torch.maximum(torch.maximum(torch.relu(x), torch.relu(c(x))), torch.tanh(x)),
              nn.Conv2d(2, 2, 1))),
    ("input 2x3x3; relu; conv out=2 from=input; relu; relu6 from=input; minimum from=relu1,relu2,relu61", "conv1",
     Function(lambda x, c: torch.minimum(torch.minimum(torch.relu(x), torch.relu(c(x))), nn.functional.relu6(x)),
              nn.Conv2d(2, 2, 1))),
    ("input 2x3x4; relu", "", nn.ReLU()),
    ("input 2x3x4; sigmoid", "", nn.Sigmoid()),
    ("input 2x3x4; tanh", "", nn.Tanh()),
    ("input 2x3x4; leaky_relu slope=0.2", "", nn.LeakyReLU(0.2)),
    ("input 2x3x4; elu alpha=0.7", "", nn.ELU(0.7)),
    ("input 2x3x4; selu", "", nn.SELU()),
    ("input 2x3x4; gelu", "", nn.GELU()),
    ("input 2x3x4; silu", "", nn.SiLU()),
    ("input 2x3x4; hardswish", "", nn.Hardswish()),
    ("input 2x3x4; relu6", "", nn.ReLU6()),
    ("input 2x3x4; softplus", "", nn.Softplus()),
    ("input 2x3x4; hardsigmoid", "", Function(lambda x: torch.clamp(x * SIXTH + 0.5, 0, 1))),
    ("input 2x3x4; hardsigmoid alpha=0.25 beta=0.4", "", Function(lambda x: torch.clamp(x * 0.25 + 0.4, 0, 1))),
    ("input 2x3x4; mish", "", nn.Mish()),
    ("input 2x3x4; gelu_tanh", "", nn.GELU("tanh")),
    ("input 2x3x4; celu alpha=0.25", "", nn.CELU(0.25)),  # whose gradient has 1 / alpha in float
    ("input 2x3x4; softsign", "", nn.Softsign()),
    ("input 2x3x4; thresholded_relu", "", nn.Threshold(1, 0)),
    ("input 2x3x4; thresholded_relu alpha=-0.5", "", nn.Threshold(-0.5, 0)),
    ("input 2x3x4; clip least=-0.5 most=0.75", "", Function(lambda x: torch.clamp(x, -0.5, 0.75))),
    ("input 2x3x4; erf", "", Function(torch.erf)),
    ("input 2x3x4; exp", "", Function(torch.exp)),
    ("input 2x3x4; softplus; log", "", chain(nn.Softplus(), Function(torch.log))),
    ("input 2x3x4; sigmoid; sqrt", "", chain(nn.Sigmoid(), Function(torch.sqrt))),
    ("input 2x3x4; softplus; pow exponent=1.5", "", chain(nn.Softplus(), Function(lambda x: x ** 1.5))),
    ("input 2x3x4; pow exponent=3", "", Function(lambda x: x ** 3)),
    ("input 2x3x4; softplus; pow exponent=-0.5", "", chain(nn.Softplus(), Function(lambda x: x ** -0.5))),
    ("input 2x3x4; pow exponent=0", "", Function(lambda x: x ** 0)),
    ("input 2x3x4; sigmoid; reciprocal", "", chain(nn.Sigmoid(), Function(torch.reciprocal))),
    ("input 2x3x4; abs", "", Function(torch.abs)),
    ("input 2x3x4; neg", "", Function(torch.neg)),
    ("input 18x2x1; prelu", "prelu1", nn.PReLU(18)),
    ("input 3x3x2; flatten; prelu shared=yes", "prelu1", chain(nn.Flatten(), nn.PReLU())),
    ("input 18x2x1; scale", "scale1", Scale(18, 1, 1)),
    ("input 3x3x2; flatten; scale bias=no", "scale1", chain(nn.Flatten(), Scale(18, bias=False))),
    ("input 3x3x2; scale shared=yes", "scale1", Scale(1)),
    ("input 3x3x2; scale weight=no", "scale1", Scale(3, 1, 1, weight=False)),
    ("input 3x3x2; scale over=elements", "scale1", Scale(3, 3, 2)),
    ("input 7x2x2; lrn size=5 alpha=0.5", "", nn.LocalResponseNorm(5, 0.5)),
    ("input 7x2x2; lrn size=3 alpha=1.5 beta=0.25 k=2", "", nn.LocalResponseNorm(3, 1.5, 0.25, 2)),
    ("input 5x2x2; softmax", "", nn.Softmax(1)),
    ("input 5x2x1; flatten; softmax", "", chain(nn.Flatten(), nn.Softmax(1))),
    ("input 5x2x2; log_softmax", "", nn.LogSoftmax(1)),
]


def show(net, tensor, values):
    print(f"{net},{tensor}," + " ".join(repr(v) for v in values.detach().flatten().tolist()))


def run(net, name, layer):
    shape = [int(e) for e in net.split(";")[0].split()[1].split("x")]
    x = (8 * numbers(0, BATCH * shape[0] * shape[1] * shape[2])).reshape(BATCH, *shape).requires_grad_()
    with torch.no_grad():
        for i, p in enumerate(layer.parameters()):
            p.copy_(numbers(2 + i, p.numel()).reshape(p.shape))
    y = layer(x)
    target = numbers(1, y.numel()).reshape(y.shape)
    (((y - target) ** 2).sum() / 2 / BATCH).backward()
    show(net, "output", y)
    show(net, "input.gradient", x.grad)
    for parameter, p in layer.named_parameters():
        show(net, f"{name}.{parameter.split('.')[-1]}.gradient", p.grad)
    for buffer, b in layer.named_buffers():
        if buffer.split(".")[-1] != "num_batches_tracked":
            show(net, f"{name}.{buffer.split('.')[-1]}", b)


print("net,tensor,values")
for case in NETS:
    run(*case)
