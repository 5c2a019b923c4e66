"""What MyGrad can run of the workloads: it refuses a convolution that leaves pixels over."""

from __future__ import annotations

import mygrad

from .workloads import Workload, factors


def prepare(threads: int, device: str) -> None:
    """Nothing to do: it computes in NumPy."""


def chain(length: int) -> Workload:
    """x <- x a + b, many times over on 4x4 numbers, and back."""
    x, a, b = map(mygrad.tensor, factors())

    def step() -> list[float]:
        y = x
        for _ in range(length):
            y = y * a + b
        total = y.sum()
        total.backward()
        numbers = [total.item(), float(a.grad.sum()), float(b.grad.sum())]
        for t in (x, a, b):
            t.null_grad()
        return numbers

    return Workload(step)
