"""What MyGrad runs of the workloads, as its users write them.

Its convolution refuses to leave pixels over, as 28 pixels, a kernel of 3 and a stride of 2 do:
there the image is padded on two sides only, which gives the same. It has no second derivatives.
"""

from __future__ import annotations

from typing import Any

import mygrad
import numpy as np
from mygrad.nnet.layers import conv_nd

from . import plain
from .workloads import Workload, digits, draws, factors


def prepare(threads: int, device: str) -> None:
    """Nothing to do: it computes in NumPy."""


def conv(x: Any, w: Any, kernel: int, stride: int, padding: int) -> Any:
    """Convolve x (N, C, H, W) with w (F, C, K, K)."""
    if (x.shape[2] + 2 * padding - kernel) % stride == 0:
        return conv_nd(x, w, stride=stride, padding=padding)
    n, c, h, _ = x.shape
    x = mygrad.concatenate([np.zeros((n, c, h, 1), np.float32), x], 3)
    x = mygrad.concatenate([np.zeros((n, c, 1, h + 1), np.float32), x], 2)
    return conv_nd(x, w, stride=stride)


FUNCTIONS = plain.Functions(mygrad, conv)


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


def resnet_step(batch: int) -> Workload:
    """One training step of the lesson's third net."""
    x, y = digits(batch)
    arrays: list[np.ndarray] = []
    adam = plain.Adam()

    def step() -> list[float]:
        weights = [mygrad.tensor(a) for a in arrays]
        loss = plain.cross_entropy(FUNCTIONS, plain.resnet(FUNCTIONS, weights, x), y)
        loss.backward()
        adam.step(arrays, [w.grad for w in weights])
        return [loss.item()]

    return Workload(step, load=arrays.extend)


def gru_step(layers: int, hidden: int, steps: int, batch: int) -> Workload:
    """A GRU forward and backward through time, from where the last call ended."""
    x, target = (draws(steps, batch, hidden, seed=seed) for seed in (1, 2))
    states = list(draws(layers, batch, hidden, seed=3))
    arrays: list[Any] = []

    def step() -> list[float]:
        weights = [mygrad.tensor(a) for a in arrays]
        outputs, ends = plain.gru(FUNCTIONS, weights, x, states)
        loss = ((mygrad.stack(outputs) - target) ** 2).mean()
        loss.backward()
        states[:] = [end.data.copy() for end in ends]
        return [loss.item(), *(float((w.grad * w.grad).sum()) for w in weights)]

    return Workload(step, load=arrays.extend)
