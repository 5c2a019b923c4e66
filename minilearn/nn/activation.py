"""Activation functions as layers; the formulas are in `functional`."""

from __future__ import annotations

from .. import functional as F
from ..tensor import Tensor
from .module import Module


class ReLU(Module):
    """Return each element, or 0 where it is negative."""

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.relu(input)


class LeakyReLU(Module):
    """Return each element, times `negative_slope` where it is negative."""

    def __init__(self, negative_slope: float = 0.01):
        super().__init__()
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.leaky_relu(input, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class ELU(Module):
    """Return each element, or `alpha (exp(x) - 1)` where it is negative (Clevert et al. 2015)."""

    def __init__(self, alpha: float = 1.0):
        super().__init__()
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.elu(input, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


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


class Tanh(Module):
    """Return the hyperbolic tangent, in (-1, 1)."""

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.tanh(input)


class Softmax(Module):
    """Return `exp(x) / sum(exp(x))` over `dim`: positive, and 1 in all."""

    def __init__(self, dim: int):
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """Return the logarithm of the softmax over `dim`."""

    def __init__(self, dim: int):
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
