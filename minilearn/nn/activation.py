"""Activation functions as layers; formulas are in `functional`, those in pieces in `rectifier`."""

from __future__ import annotations

from .. import functional as F
from ..errors import ShapeError, explain
from ..tensor import Tensor
from .module import Module


class GELU(Module):
    """Return `x P(N(0, 1) <= x)` (Hendrycks & Gimpel 2016); approximate: "none" or "tanh"."""

    def __init__(self, approximate: str = "none"):
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """Return `x sigmoid(x)`."""

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.silu(input)


class Mish(Module):
    """Return `x tanh(softplus(x))` (Misra 2019)."""

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.mish(input)


class Softplus(Module):
    """Return `log(1 + exp(beta x)) / beta`, and x itself where `beta x > threshold`."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0):
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Sigmoid(Module):
    """Return `1 / (1 + exp(-x))`, in (0, 1)."""

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.sigmoid(input)


class LogSigmoid(Module):
    """Return the logarithm of the sigmoid."""

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.logsigmoid(input)


class Tanh(Module):
    """Return the hyperbolic tangent, in (-1, 1)."""

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.tanh(input)


class Tanhshrink(Module):
    """Return `x - tanh(x)`."""

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.tanhshrink(input)


class Softsign(Module):
    """Return `x / (1 + |x|)`."""

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.softsign(input)


class Softmax(Module):
    """Return `exp(x) / sum(exp(x))` over `dim`: positive, and 1 in all."""

    def __init__(self, dim: int | None = None):
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmin(Module):
    """Return the softmax of `-x` over `dim`."""

    def __init__(self, dim: int | None = None):
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.softmin(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """Return the logarithm of the softmax over `dim`."""

    def __init__(self, dim: int | None = None):
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax2d(Module):
    """Return the softmax over the channels of an image, at each of its pixels."""

    def forward(self, input: Tensor) -> Tensor:
        """input (N, C, H, W) or (C, H, W) -> the same; ShapeError for other shapes."""
        if input.ndim not in (3, 4):
            raise ShapeError(explain("Softmax2d", "input must be (N, C, H, W) or (C, H, W)",
                                     {"input": input}))
        return F.softmax(input, -3)


class GLU(Module):
    """Return the first half of `dim` times the sigmoid of the second (Dauphin et al. 2017)."""

    def __init__(self, dim: int = -1):
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """input (*, N, *) -> (*, N / 2, *)."""
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
