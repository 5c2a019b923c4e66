"""What tinygrad runs of the workloads, without its JIT: step by step, as it is written."""

from __future__ import annotations

from tinygrad import Tensor
from tinygrad.helpers import DEV

from .workloads import Workload, factors


def prepare(threads: int, device: str) -> None:
    """Compute on the CPU, or on the GPU."""
    DEV.value = "CUDA" if device == "cuda" else "CPU"


def chain(length: int) -> Workload:
    """x <- x a + b, many times over on 4x4 numbers, and back."""
    x, a, b = map(Tensor, factors())

    def step() -> list[float]:
        y = x
        for _ in range(length):
            y = y * a + b
        total = y.sum()
        return [t.sum().item() for t in (total, *total.gradient(a, b))]

    return Workload(step)
