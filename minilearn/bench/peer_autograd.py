"""What HIPS autograd runs of the workloads, as its users write them: it has no strided convolution,
so one is made of slices and a matrix product.
"""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
from autograd import grad, value_and_grad

from . import plain
from .workloads import Workload, digits, draws, factors


def prepare(threads: int, device: str) -> None:
    """Nothing to do: it computes in NumPy."""


def conv(x: Any, w: Any, kernel: int, stride: int, padding: int) -> Any:
    """Convolve x (N, C, H, W) with w (F, C, K, K): what each place of the kernel meets, side by
    side, times the weights."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), mode="constant")
    met = [x[:, :, rows, columns] for rows, columns in plain.slices(kernel, stride, *x.shape[2:])]
    columns = np.stack(met, 2)  # (N, C, K K, OH, OW)
    flat = np.reshape(w, (w.shape[0], w.shape[1], kernel * kernel))
    return np.moveaxis(np.tensordot(columns, flat, ((1, 2), (1, 2))), -1, 1)


FUNCTIONS = plain.Functions(np, conv)


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


def resnet_step(batch: int) -> Workload:
    """One training step of the lesson's third net."""
    x, y = digits(batch)
    weights: list[Any] = []
    adam = plain.Adam()

    def loss(weights):
        return plain.cross_entropy(FUNCTIONS, plain.resnet(FUNCTIONS, weights, x), y)

    slopes = value_and_grad(loss)

    def step() -> list[float]:
        value, grads = slopes(weights)
        adam.step(weights, grads)
        return [float(value)]

    return Workload(step, load=weights.extend)


def gru_step(layers: int, hidden: int, steps: int, batch: int) -> Workload:
    """A GRU forward and backward through time, from where the last call ended."""
    x, target = (draws(steps, batch, hidden, seed=seed) for seed in (1, 2))
    states = list(draws(layers, batch, hidden, seed=3))
    weights: list[Any] = []
    last: list[Any] = []

    def loss(weights):
        outputs, ends = plain.gru(FUNCTIONS, weights, x, states)
        last[:] = [getattr(end, "_value", end) for end in ends]
        return np.mean((np.stack(outputs) - target) ** 2)

    slopes = value_and_grad(loss)

    def step() -> list[float]:
        value, grads = slopes(weights)
        states[:] = last
        return [float(value), *(float((g * g).sum()) for g in grads)]

    return Workload(step, load=weights.extend)


def critic_step(width: int, side: int, batch: int) -> Workload:
    """A step of WGAN-GP's critic: the loss contains a gradient's length."""
    real, fake = (draws(batch, 3, side, side, seed=seed) for seed in (1, 2))
    share = np.linspace(0, 1, batch, dtype=np.float32).reshape(-1, 1, 1, 1)
    between = real * share + fake * (1 - share)
    weights: list[Any] = []
    kept: list[float] = []  # the penalty of the last step
    adam = plain.Adam(lr=2e-4, betas=(0.5, 0.99), weight_decay=0)

    def score(x, weights):
        return plain.critic(FUNCTIONS, weights, x)

    slope = grad(lambda x, weights: np.sum(score(x, weights)))

    def loss(weights):
        lengths = np.sqrt(np.sum(slope(between, weights) ** 2, (1, 2, 3)))
        penalty = np.mean((lengths - 1) ** 2)
        kept[:] = [float(getattr(penalty, "_value", penalty))]
        return np.mean(score(fake, weights)) - np.mean(score(real, weights)) + 10 * penalty

    slopes = value_and_grad(loss)

    def step() -> list[float]:
        value, grads = slopes(weights)
        adam.step(weights, grads)
        return [float(value), *kept]

    return Workload(step, load=weights.extend)
