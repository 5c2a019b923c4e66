"""What HIPS autograd can run of the workloads: it has no convolution with a stride."""

from __future__ import annotations

import autograd.numpy as np
from autograd import grad

from .workloads import Workload, factors


def prepare(threads: int, device: str) -> None:
    """Nothing to do: it computes in NumPy."""


def chain(length: int) -> Workload:
    """x <- x a + b, many times over on 4x4 numbers, and back."""

    def end(a, b, x):
        for _ in range(length):
            x = x * a + b
        return np.sum(x)

    x, a, b = factors()
    gradients = grad(end, argnum=(0, 1))

    def step() -> list[float]:
        da, db = gradients(a, b, x)
        return [float(end(a, b, x)), float(da.sum()), float(db.sum())]

    return Workload(step)
