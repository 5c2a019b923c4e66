"""Workloads in plain functions of arrays, for peers whose layers are not torch's.

Each takes the peer's `Functions` and the weights as a list, in the order of minilearn's parameters.
They return numbers and tensors of the peer's, from which it takes the gradient in its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from .workloads import ADAM


class Functions(NamedTuple):
    """What a peer must be able to do; all but `conv` have NumPy's names and meaning."""

    np: Any  # its functions: maximum, mean, exp, log, tanh, sqrt, concatenate, matmul, ...
    conv: Callable[..., Any]  # conv(x, w, kernel, stride, padding), without a bias


def batch_norm(f: Functions, x: Any, weight: Any, bias: Any) -> Any:
    """Normalise each channel over the batch; running statistics are left out, which is less."""
    over, column = (0, 2, 3), (1, -1, 1, 1)
    centred = x - f.np.mean(x, over, keepdims=True)
    scale = 1 / f.np.sqrt(f.np.mean(centred * centred, over, keepdims=True) + 1e-5)
    return centred * scale * weight.reshape(column) + bias.reshape(column)


def resnet(f: Functions, weights: Sequence[Any], x: Any) -> Any:
    """Return the scores (N, 10) of the lesson's third net for x (N, 1, 28, 28)."""
    left = iter(weights)

    def layer(x: Any, stride: int = 1) -> Any:
        y = f.np.maximum(f.conv(x, next(left), 3, stride, 1), 0)
        return batch_norm(f, y, next(left), next(left))

    for _ in range(4):
        x = layer(x, 2)
        x = x + layer(layer(x))
    return layer(x, 2).reshape(x.shape[0], -1)


def cross_entropy(f: Functions, scores: Any, classes: np.ndarray) -> Any:
    """Return the mean of -log softmax at the classes."""
    one_hot = np.eye(scores.shape[1], dtype=np.float32)[classes]
    total = f.np.log(f.np.sum(f.np.exp(scores), 1))  # scores of a normalised layer are small
    return f.np.mean(total - f.np.sum(scores * one_hot, 1))


def gru(f: Functions, weights: Sequence[Any], x: Any, states: Sequence[Any]) -> tuple[Any, list]:
    """Return a GRU's outputs, a list of (N, H) over time, and the last state of each layer."""
    steps, last = list(x), []
    for number, h in enumerate(states):
        w_x, w_h, b_x, b_h = weights[4 * number : 4 * number + 4]
        outputs = []
        for x_t in steps:
            h = gru_cell(f, f.np.matmul(x_t, w_x.T) + b_x, f.np.matmul(h, w_h.T) + b_h, h)
            outputs.append(h)
        steps = outputs
        last.append(h)
    return steps, last


def gru_cell(f: Functions, gates_x: Any, gates_h: Any, h: Any) -> Any:
    """Return the next state from both halves of the three gates, (N, 3 H) each."""
    n = h.shape[1]
    (r_x, z_x, n_x), (r_h, z_h, n_h) = (
        (g[:, :n], g[:, n : 2 * n], g[:, 2 * n :]) for g in (gates_x, gates_h))
    reset, update = (1 / (1 + f.np.exp(-g)) for g in (r_x + r_h, z_x + z_h))
    return (1 - update) * f.np.tanh(n_x + reset * n_h) + update * h


def critic(f: Functions, weights: Sequence[Any], x: Any) -> Any:
    """Return one score for each image (N, 3, side, side): strided convolutions, leaky ReLU."""
    left = iter(weights)
    for _ in range(3):
        y = f.conv(x, next(left), 4, 2, 1) + next(left).reshape(1, -1, 1, 1)
        x = f.np.maximum(y, 0.2 * y)
    side = x.shape[2]
    return f.conv(x, next(left), side, 1, 0).reshape(-1) + next(left)


def slices(kernel: int, stride: int, height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Yield the rows and columns of a padded image that each of a kernel's places meets."""
    def along(first: int, size: int) -> slice:
        return slice(first, first + (size - kernel) // stride * stride + 1, stride)

    for i in range(kernel):
        for j in range(kernel):
            yield along(i, height), along(j, width)


class Adam:
    """The lesson's AdamW, in NumPy, for peers that have none."""

    def __init__(self, lr: float = ADAM["lr"], betas: tuple = ADAM["betas"],
                 weight_decay: float = ADAM["weight_decay"]) -> None:
        self.lr, self.betas, self.decay = lr, betas, weight_decay
        self.steps, self.means, self.squares = 0, {}, {}  # type: ignore[var-annotated]

    def step(self, weights: Sequence[np.ndarray], grads: Sequence[np.ndarray]) -> None:
        """Change the weights in place."""
        self.steps += 1
        b1, b2 = self.betas
        for i, (p, g) in enumerate(zip(weights, grads, strict=True)):
            m = self.means[i] = b1 * self.means.get(i, 0) + (1 - b1) * g
            v = self.squares[i] = b2 * self.squares.get(i, 0) + (1 - b2) * g * g
            root = np.sqrt(v / (1 - b2**self.steps)) + ADAM["eps"]
            p -= self.lr * self.decay * p
            p -= self.lr / (1 - b1**self.steps) * m / root
