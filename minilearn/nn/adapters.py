"""Layers that compute nothing of their own: they pass on, reshape, or call a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..tensor import Tensor
from .module import Module


class Identity(Module):
    """Return the input; whatever the constructor gets is ignored, as in torch."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """Return the input."""
        return input


class Flatten(Module):
    """Make one dimension out of those from `start_dim` to `end_dim`: (N, C, H, W) -> (N, C H W)."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1):
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> the same elements with fewer dimensions."""
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Make several dimensions out of one: `Unflatten(1, (2, 3))`: (N, 6) -> (N, 2, 3)."""

    def __init__(self, dim: int, unflattened_size: tuple[int, ...]):
        super().__init__()
        sizes = unflattened_size
        if not isinstance(sizes, tuple | list) or not all(isinstance(n, int) for n in sizes):
            raise TypeError(f"Unflatten: unflattened_size must be a tuple of ints, got {sizes!r}")
        if not isinstance(dim, int):
            raise TypeError(f"Unflatten: dim must be an int, got {dim!r}")
        self.dim, self.unflattened_size = dim, tuple(sizes)

    def forward(self, input: Tensor) -> Tensor:
        """input (*, n, *) -> (*, *unflattened_size, *)."""
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class Lambda(Module):
    """Call a function as a layer: `Lambda(lambda x: x * 2)`."""

    def __init__(self, func: Callable):
        super().__init__()
        if not callable(func):
            raise TypeError(f"Lambda: expected a function, got {type(func).__name__}")
        self.func = func

    def forward(self, *args: Any) -> Any:
        """Return the function's value."""
        return self.func(*args)

    def extra_repr(self) -> str:
        return getattr(self.func, "__name__", repr(self.func))
