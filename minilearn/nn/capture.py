"""Looking inside a model: what its layers return, and the sizes of it, read with hooks."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from .. import xp
from ..op import no_grad
from ..tensor import Tensor
from .conv import Conv1d, Conv2d
from .module import Module


class Capture:
    """Keep what modules return: `stored[i]` is the newest output of the i-th of them.

    detach: cut what is kept off its graph; without that, gradients flow through it. Use it in a
    `with` block, or call `remove()`, to stop.

    >>> from minilearn import nn
    >>> net = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    >>> with Capture([net[0]]) as seen:
    ...     _ = net(Tensor([[1.0, 2.0, 3.0, 4.0]]))
    >>> seen.stored[0].shape
    (1, 3)
    """

    def __init__(self, modules: Iterable[Any], detach: bool = True):
        self.modules: tuple[Module, ...] = tuple(modules)
        self.detach = detach
        self.clear()
        self.handles = [module.register_forward_hook(partial(self._keep, i))
                        for i, module in enumerate(self.modules)]

    def _keep(self, place: int, module: Module, args: tuple, output: Any) -> None:
        self.stored[place] = output.detach() if self.detach else output

    def clear(self) -> None:
        """Let go of what is stored, and of the graph it belongs to."""
        self.stored: list[Any] = [None] * len(self.modules)

    def remove(self) -> None:
        """Take the hooks away; what is stored stays."""
        for handle in self.handles:
            handle.remove()

    def __len__(self) -> int:
        return len(self.modules)

    def __enter__(self) -> Capture:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def in_channels(model: Module) -> int:
    """Return how many channels a model's input has: those of its first convolution.

    Raises ValueError for a model without convolutions.
    """
    for layer in model.modules():
        if isinstance(layer, Conv1d | Conv2d):
            return layer.in_channels
    raise ValueError(f"in_channels: {type(model).__name__} has no convolution")


def output_sizes(model: Module, size: tuple[int, int] = (64, 64)) -> list[tuple[int, ...]]:
    """Return the shape that each child of a model gives for one image of a size, the batch's 1 too.

    The model runs once in evaluation mode, without a trace; then it is as before. Raises what the
    model raises for an image that is too small.

    >>> from minilearn import nn
    >>> output_sizes(nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU()), (9, 6))
    [(1, 8, 5, 3), (1, 8, 5, 3)]
    """
    with Capture(model.children()) as seen:
        dummy_output(model, size)
    return [output.shape for output in seen.stored]


def dummy_output(model: Module, size: tuple[int, int]) -> Tensor:
    """Return what a model makes of one image of zeros of a size, in evaluation mode."""
    kind = next(p.data.dtype for p in model.parameters())
    image = Tensor(xp.zeros((1, in_channels(model), *size), kind))
    modes = [(layer, layer.training) for layer in model.modules()]
    try:
        with no_grad():
            return model.eval()(image)
    finally:
        for layer, mode in modes:
            layer.training = mode


def num_features(model: Module) -> int:
    """Return how many channels a model's output has; the image is doubled from 64 until it fits.

    Raises the model's own error where 1024 pixels do not do either.
    """
    size = 64
    while True:
        try:
            return dummy_output(model, (size, size)).shape[1]
        except ValueError:
            if size >= 1024:
                raise
            size *= 2
