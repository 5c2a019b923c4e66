"""The workloads, computed by minilearn."""

from __future__ import annotations

from .. import functional as F
from ..creation import tensor
from ..models import resnet
from ..optim import AdamW
from ..xp import array, manual_seed, to_numpy
from .workloads import ADAM, Workload, digits, factors


def use_threads(threads: int) -> None:
    """Nothing to do: NumPy's BLAS has read the environment variables of the worker."""


def resnet_step(batch: int) -> Workload:
    """One training step of the lesson's third net (41,132 parameters)."""
    manual_seed(0)
    model = resnet()
    x, y = map(tensor, digits(batch))
    params = list(model.parameters())
    adam = AdamW(params, **ADAM)

    def step() -> list[float]:
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        adam.step()
        adam.zero_grad()
        return [loss.item()]

    def load(arrays: list) -> None:
        for p, a in zip(params, arrays, strict=True):
            p.data = array(a)

    return Workload(step, lambda: [to_numpy(p.data).copy() for p in params], load)


def chain(length: int) -> Workload:
    """x <- x a + b, many times over on 4x4 numbers, and back: what an op costs beside its work."""
    x, a, b = map(tensor, factors())
    for t in (x, a, b):
        t.requires_grad = True

    def step() -> list[float]:
        y = x
        for _ in range(length):
            y = y * a + b
        x.grad = a.grad = b.grad = None
        y.sum().backward()
        return [y.sum().item(), a.grad.sum().item(), b.grad.sum().item()]

    return Workload(step)
