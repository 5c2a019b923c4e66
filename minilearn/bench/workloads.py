"""What is timed. Each workload names a function that every contestant's module has, and its
arguments: `function(*arguments)` returns a `Workload`, ready to run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

WORKLOADS: dict[str, tuple[str, tuple]] = {
    "resnet-mnist-64": ("resnet_step", (64,)),
    "resnet-mnist-512": ("resnet_step", (512,)),
    # convolutions (batch, channels, side); then the U-Net's width, side and batch
    "unet-64": ("unet_step", (((8, 64, 64), (8, 128, 32)), 32, 64, 8)),
    "gru": ("gru_step", (2, 64, 20, 64)),  # layers, hidden, steps, batch
    "generator": ("generator_step", (64, 32)),
    "autograd-overhead": ("chain", (500,)),
    "second-order": ("critic_step", (64, 32, 16)),
    "dataloader": ("epoch", (2048, 128)),
}
# A small U-Net's step over images of 28 x 28, and over one image of more and more pixels.
SCALING: dict[str, dict[int, tuple[str, tuple]]] = {
    "batch": {2**k: ("unet", (8, 28, 2**k)) for k in range(11)},
    "pixels": {4**k: ("unet", (8, 2**k, 1)) for k in range(3, 11)},
}
CONTESTANTS = {
    "minilearn": "minilearn.bench.ours",
    "torch": "minilearn.bench.twins",
    "tinygrad": "minilearn.bench.peer_tinygrad",
    "mygrad": "minilearn.bench.peer_mygrad",
    "autograd": "minilearn.bench.peer_autograd",
}
DEVICES = {"numpy": "cpu", "torch:cpu": "cpu", "cuda": "cuda"}  # ours, and what torch calls it


def function_and_arguments(name: str) -> tuple[str, tuple]:
    """Return those of a workload, or of a place of a scaling: "batch=64"."""
    along, _, size = name.partition("=")
    return SCALING[along][int(size)] if size else WORKLOADS[name]


@dataclass
class Workload:
    """One computation: `step()` runs it once and returns numbers that must be equal on all sides.

    weights: the arrays that it starts from; load: set them, so that all start from the same ones.
    """

    step: Callable[[], list[float]]
    weights: Callable[[], list[np.ndarray]] = list
    load: Callable[[list[np.ndarray]], Any] = len


def digits(batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a batch of made-up digits: images (batch, 1, 28, 28) float32, and classes."""
    rng = np.random.default_rng(0)
    images = rng.random((batch, 1, 28, 28), dtype=np.float32)
    return images, rng.integers(0, 10, batch)


def draws(*shape: int, seed: int = 0) -> np.ndarray:
    """Return normal numbers in float32, the same in every library."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def framed_digits(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images (count, 1, 28, 28) of bytes, black within 4 pixels of the edge, and classes.

    So a crop that moves them by 3 pixels loses nothing: the sum of an epoch's pixels is the same
    whatever chance did.
    """
    rng = np.random.default_rng(0)
    images = np.zeros((count, 1, 28, 28), np.uint8)
    images[:, :, 4:24, 4:24] = rng.integers(0, 256, (count, 1, 20, 20))
    return images, rng.integers(0, 10, count)


MEAN, STD = [0.13], [0.31]  # of the digits' pixels, as the lesson normalises them


def factors() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return x, a, b (4, 4) float32 for the chain x <- x a + b; it neither grows nor dies out."""
    rng = np.random.default_rng(0)
    x, a, b = rng.uniform(0.5, 1.0, (3, 4, 4)).astype(np.float32)
    return x, a, b


# The lesson's Adam, at a rate at which rounding errors stay small over three steps.
ADAM: dict[str, Any] = {"lr": 1e-3, "betas": (0.9, 0.99), "eps": 1e-8, "weight_decay": 1e-2}
