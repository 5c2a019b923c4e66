"""Self-attention over the pixels of an image (Zhang et al. 2018): every place looks at every other.

Both layers add what was looked up, times a learnt `gamma` that starts at 0, so that they begin as
the identity. Memory grows with the square of the number of pixels.
"""

from __future__ import annotations

from typing import Any

from .. import functional as F
from .. import xp
from ..errors import ShapeError, explain
from ..tensor import Tensor
from . import init
from .conv import Conv1d, Conv2d
from .module import Module
from .parameter import Parameter
from .parametrizations import spectral_norm


def projection(kind: type, ni: int, nf: int) -> Module:
    """Return a 1x1 convolution without bias under spectral norm, from `ni` to `nf` channels."""
    conv = kind(ni, nf, 1, bias=False)
    init.kaiming_normal_(conv.weight)
    return spectral_norm(conv)


class SelfAttention(Module):
    """Let every place of (N, n_channels, *) gather from all others; the result is added to x.

    Queries and keys have an eighth of the channels. As in the course, the softmax of the scores
    runs over the queries: each key spreads its value, instead of each query collecting its own.
    """

    def __init__(self, n_channels: int):
        super().__init__()
        self.n_channels, inner = n_channels, max(n_channels // 8, 1)
        self.query = projection(Conv1d, n_channels, inner)
        self.key = projection(Conv1d, n_channels, inner)
        self.value = projection(Conv1d, n_channels, n_channels)
        self.gamma = Parameter(xp.zeros((1,), "float32"))

    def forward(self, input: Tensor) -> Tensor:
        """input (N, n_channels, *) -> the same shape."""
        _check(self, input)
        x = input.flatten(2)  # (N, C, places)
        q, k, v = self.query(x), self.key(x), self.value(x)
        weights = F.softmax(q.transpose(1, 2) @ k, dim=1)  # (N, queries, keys)
        return (v @ weights * self.gamma + x).reshape(input.shape)

    def extra_repr(self) -> str:
        return f"{self.n_channels}"


class PooledSelfAttention2d(Module):
    """The same for large images: keys and values are the largest of 2x2 places (Brock et al. 2018).

    (N, n_channels, H, W), H and W at least 2. The softmax runs over the keys.
    """

    def __init__(self, n_channels: int):
        super().__init__()
        self.n_channels, inner, half = n_channels, max(n_channels // 8, 1), max(n_channels // 2, 1)
        self.query = projection(Conv2d, n_channels, inner)
        self.key = projection(Conv2d, n_channels, inner)
        self.value = projection(Conv2d, n_channels, half)
        self.out = projection(Conv2d, half, n_channels)
        self.gamma = Parameter(xp.zeros((1,), "float32"))

    def forward(self, input: Tensor) -> Tensor:
        """input (N, n_channels, H, W) -> the same shape."""
        _check(self, input, 4)
        n, _, h, w = input.shape
        q = self.query(input).flatten(2)
        k, v = (F.max_pool2d(f(input), 2).flatten(2) for f in (self.key, self.value))
        weights = F.softmax(q.transpose(1, 2) @ k, dim=2)  # (N, queries, keys)
        found = v @ weights.transpose(1, 2)  # (N, C / 2, H W)
        return self.out(found.reshape((n, -1, h, w))) * self.gamma + input

    def extra_repr(self) -> str:
        return f"{self.n_channels}"


def _check(layer: Any, input: Tensor, ndim: int | None = None) -> None:
    wanted = "(N, n_channels, H, W)" if ndim else "(N, n_channels, *)"
    if input.ndim < 3 or input.ndim != (ndim or input.ndim) or input.shape[1] != layer.n_channels:
        raise ShapeError(explain(type(layer).__name__, f"expected {wanted}",
                                 {"input": input, "n_channels": layer.n_channels}))
