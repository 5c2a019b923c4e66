"""What tinygrad runs of the workloads: with its layers, and compiled by its JIT as its users do.

It has to compile first, with a compiler that it calls (clang). The chain of small ops is left out:
it makes one program of the whole, whose compilation takes minutes, and no op is run by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tinygrad import Tensor, TinyJit, nn
from tinygrad.helpers import DEV, NUM_CPU_THREADS, TRAINING

from . import plain
from .workloads import ADAM, Workload, digits, draws


def prepare(threads: int, device: str) -> None:
    """Compute on the CPU, or on the GPU."""
    DEV.value = "CUDA" if device == "cuda" else "CPU"
    TRAINING.value = 1  # its optimizers ask for it
    NUM_CPU_THREADS.value = threads


def conv(x: Any, w: Any, kernel: int, stride: int, padding: int) -> Any:
    """Convolve x (N, C, H, W) with w (F, C, K, K)."""
    return x.conv2d(w, stride=stride, padding=padding)


class _Functions:
    """Functions with NumPy's names, from methods with tinygrad's."""

    exp, log, sqrt, tanh, matmul = Tensor.exp, Tensor.log, Tensor.sqrt, Tensor.tanh, Tensor.matmul
    maximum = Tensor.maximum

    @staticmethod
    def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return x.mean(axis, keepdim=keepdims)

    @staticmethod
    def sum(x: Any, axis: Any = None) -> Any:
        return x.sum(axis)


FUNCTIONS = plain.Functions(_Functions, conv)


def compiled(build: Callable[[list[Tensor]], Callable[[], list[Tensor]]]) -> Workload:
    """Return a workload from a function that makes a step of the weights, once they are known."""
    steps: list[Any] = []

    def load(arrays: list[np.ndarray]) -> None:
        weights = [Tensor(a).realize() for a in arrays]
        steps[:] = [TinyJit(build(weights))]

    return Workload(lambda: [t.item() for t in steps[0]()], load=load)


def resnet_step(batch: int) -> Workload:
    """One training step of the lesson's third net."""
    x, y = digits(batch)
    images = Tensor(x).realize()
    one_hot = Tensor(np.eye(10, dtype=np.float32)[y]).realize()

    def build(weights: list[Tensor]) -> Callable[[], list[Tensor]]:
        (b1, b2), rest = ADAM["betas"], {k: ADAM[k] for k in ("lr", "eps", "weight_decay")}
        adam = nn.optim.AdamW(weights, b1=b1, b2=b2, **rest)

        def step() -> list[Tensor]:
            adam.zero_grad()
            scores = plain.resnet(FUNCTIONS, weights, images)
            loss = -(scores.log_softmax() * one_hot).sum(1).mean()
            loss.backward()
            Tensor.realize(loss, *adam.schedule_step())
            return [loss]

        return step

    return compiled(build)


def gru_step(layers: int, hidden: int, steps: int, batch: int) -> Workload:
    """A GRU forward and backward through time, from where the last call ended."""
    x, target = (Tensor(draws(steps, batch, hidden, seed=seed)).realize() for seed in (1, 2))
    states = [Tensor(s).realize() for s in draws(layers, batch, hidden, seed=3)]

    def build(weights: list[Tensor]) -> Callable[[], list[Tensor]]:
        def step() -> list[Tensor]:
            outputs, last = plain.gru(FUNCTIONS, weights, [x[i] for i in range(steps)], states)
            loss = ((outputs[0].stack(*outputs[1:]) - target) ** 2).mean()
            grads = loss.gradient(*weights)
            numbers = [loss, *((g * g).sum() for g in grads)]
            ends = [state.assign(end.detach()) for state, end in zip(states, last, strict=True)]
            Tensor.realize(*numbers, *ends)
            return numbers

        return step

    return compiled(build)
