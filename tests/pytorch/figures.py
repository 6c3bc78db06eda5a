#!/usr/bin/env python3
"""Makes figures.csv: what PyTorch's optimisers, losses and schedules do in double on a small problem. tests/test_figures.c
holds cltrain to it.

    /usr/bin/python3 tests/pytorch/figures.py > tests/pytorch/figures.csv

Debian's python3-torch (1.13.1) on the CPU. The net is one dense layer of 2 inputs and 3 outputs, a batch is 2 examples, a
run is 3 steps. Columns: kind (optimizer, labels, targets, schedule, steps), name, figure (loss, parameter, rate), index,
value. Kind `labels` is a loss on class labels (one-hot where it takes targets), `targets` on real targets, from 0 to 1 where the
loss wants that, `weighted` on labels with class weights and label smoothing; `schedule` counts epochs and `steps` counts steps, of 10 epochs of 4 steps.
"""
import torch
from torch.optim import lr_scheduler

torch.set_default_dtype(torch.float64)
X = torch.tensor([[255, 51], [102, 204]]) / 255.0
LABELS = torch.tensor([2, 0])
TARGETS = torch.tensor([[0.25, 1.0, -2.0], [0.0, 0.5, 1.0]])
SHARES = torch.tensor([[0.25, 0.125, 0.625], [0.0, 0.5, 0.5]])
P = [0.5, -0.25, 0.125, 0.75, -0.5, 0.375, 0.1, -0.2, 0.3]
EPOCHS, STEPS = 10, 4


def half_mse(x, t):
    return ((x - t) ** 2).sum() / 2 / len(x)


MEASURES = {"mse": torch.nn.MSELoss(), "half_mse": half_mse, "bce": torch.nn.BCEWithLogitsLoss(),
            "l1": torch.nn.L1Loss(), "huber": torch.nn.HuberLoss()}
OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.1),
    "adam": lambda p: torch.optim.Adam(p, lr=0.05, weight_decay=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.1),
    "lamb": lambda p: Lamb(p, lr=0.05, weight_decay=0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.05, weight_decay=0.1),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.05, weight_decay=0.1),
}


class Lamb(torch.optim.Optimizer):
    """You et al., "Large batch optimization for deep learning", 2020, algorithm 2, with phi(x) = x, for PyTorch has none.

    m and v as Adam has them, bias corrected; d = m / (sqrt(v) + eps) + decay w; w -= lr |w| / |d| d, for each tensor, the
    ratio being 1 where either norm is 0.
    """

    def __init__(self, parameters, lr, weight_decay, betas=(0.9, 0.999), eps=1e-6):
        super().__init__(parameters, dict(lr=lr, decay=weight_decay, betas=betas, eps=eps))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            (b1, b2), eps = group["betas"], group["eps"]
            for w in group["params"]:
                state = self.state[w]
                state["t"] = t = state.get("t", 0) + 1
                state["m"] = m = b1 * state.get("m", 0) + (1 - b1) * w.grad
                state["v"] = v = b2 * state.get("v", 0) + (1 - b2) * w.grad**2
                d = m / (1 - b1**t) / ((v / (1 - b2**t)).sqrt() + eps) + group["decay"] * w
                norms = w.norm(), d.norm()
                w -= group["lr"] * (norms[0] / norms[1] if min(norms) > 0 else 1) * d


def run(kind, name, make, measure):
    layer = torch.nn.Linear(2, 3)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(P[:6]).reshape(3, 2))
        layer.bias.copy_(torch.tensor(P[6:]))
    optimizer = make(layer.parameters())
    for step in range(3):
        loss = measure(layer(X))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{kind},{name},loss,{step},{loss.item():.17g}")
    for i, value in enumerate(layer.weight.flatten().tolist() + layer.bias.tolist()):
        print(f"{kind},{name},parameter,{i},{value:.17g}")


def cross_entropy(x):
    return torch.nn.functional.cross_entropy(x, LABELS)


def weighted_cross_entropy(x):
    return torch.nn.functional.cross_entropy(x, LABELS, weight=torch.tensor([0.5, 3.0, 1.5]), label_smoothing=0.2)


def rates(kind, name, make, count, losses=None):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.2)
    scheduler = make(optimizer)
    for i in range(count):
        print(f"{kind},{name},rate,{i},{optimizer.param_groups[0]['lr']:.17g}")
        optimizer.step()
        scheduler.step(*([losses[i]] if losses else []))


def main():
    print("kind,name,figure,index,value")
    for name, make in OPTIMIZERS.items():
        run("optimizer", name, make, cross_entropy)
    one_hot = torch.nn.functional.one_hot(LABELS, 3).to(torch.float64)
    run("labels", "cross_entropy", OPTIMIZERS["sgd"], cross_entropy)
    run("weighted", "cross_entropy", OPTIMIZERS["sgd"], weighted_cross_entropy)
    run("targets", "cross_entropy", OPTIMIZERS["sgd"], lambda x: torch.nn.functional.cross_entropy(x, SHARES))
    for name, measure in MEASURES.items():
        run("labels", name, OPTIMIZERS["sgd"], lambda x: measure(x, one_hot))
        run("targets", name, OPTIMIZERS["sgd"], lambda x: measure(x, SHARES if name == "bce" else TARGETS))
    for kind, count in ("schedule", EPOCHS), ("steps", EPOCHS * STEPS):
        rates(kind, "step", lambda o: lr_scheduler.StepLR(o, 3, gamma=0.5), count)
        rates(kind, "multistep", lambda o: lr_scheduler.MultiStepLR(o, [2, 5, 8], gamma=0.5), count)
        rates(kind, "exponential", lambda o: lr_scheduler.ExponentialLR(o, 0.5), count)
        rates(kind, "polynomial", lambda o: lr_scheduler.PolynomialLR(o, total_iters=count, power=2), count)
        rates(kind, "cosine", lambda o: lr_scheduler.CosineAnnealingLR(o, count), count)
    rates("steps", "onecycle", lambda o: lr_scheduler.OneCycleLR(o, 0.2, total_steps=EPOCHS * STEPS), EPOCHS * STEPS)
    losses = [5, 4, 4.5, 4, 3.9999, 3, 3, 3, 3, 2]
    rates("schedule", "plateau", lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=0.5, patience=1), EPOCHS, losses)


main()
