"""Dropout: setting activations to 0 by chance, in training only (Srivastava et al. 2014)."""

from __future__ import annotations

from .. import functional as F
from ..tensor import Tensor
from .module import Module


class Dropout(Module):
    """Set each element to 0 with probability p and scale the others by 1 / (1 - p).

    Raises ValueError unless p is in [0, 1].
    """

    def __init__(self, p: float = 0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"{type(self).__name__}: p must be between 0 and 1, got {p}")
        self.p = p

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.dropout(input, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class Dropout1d(Dropout):
    """Set whole channels of (N, C, L) or (C, L) to 0."""

    def forward(self, input: Tensor) -> Tensor:
        """input (N, C, L) or (C, L) -> the same shape."""
        return F.dropout1d(input, self.p, self.training)


class Dropout2d(Dropout):
    """Set whole channels of (N, C, H, W) to 0."""

    def forward(self, input: Tensor) -> Tensor:
        """input (N, C, H, W) -> the same shape."""
        return F.dropout2d(input, self.p, self.training)
