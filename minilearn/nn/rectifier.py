"""Activation functions made of pieces, with a corner or a step: `ReLU` and its relatives."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from ..ops.dims import integer
from ..tensor import Tensor
from .init import constant_
from .module import Module
from .parameter import empty


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


class PReLU(Module):
    """Return each element, times a learnt slope where it is negative (He et al. 2015).

    num_parameters: 1, or one slope for each channel of (N, C, *). init: what they begin with.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: Any = None):
        super().__init__()
        self.num_parameters = integer("PReLU", "num_parameters", num_parameters)
        self.init = init
        self.weight = empty(self.num_parameters, dtype=dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set all slopes to `init`."""
        constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        """input (N, C, *) or (*) -> the same."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class RReLU(Module):
    """Return each element, times a slope where it is negative: random in training (`F.rrelu`)."""

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3):
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.rrelu(input, self.lower, self.upper, self.training)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}"


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


class CELU(Module):
    """Return each element, or `alpha (exp(x / alpha) - 1)` where it is negative (Barron 2017)."""

    def __init__(self, alpha: float = 1.0):
        super().__init__()
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.celu(input, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class SELU(Module):
    """Return `ELU` with constants that keep mean 0 and variance 1 (Klambauer et al. 2017)."""

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.selu(input)


class Hardtanh(Module):
    """Return each element cut off at `min_val` and `max_val`; ValueError unless min < max."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0):
        super().__init__()
        if not max_val > min_val:
            raise ValueError(f"Hardtanh: min_val={min_val} must be below max_val={max_val}")
        self.min_val, self.max_val = min_val, max_val

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.hardtanh(input, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}"


class ReLU6(Hardtanh):
    """Return each element cut off at 0 and 6."""

    def __init__(self) -> None:
        super().__init__(0.0, 6.0)

    def extra_repr(self) -> str:
        return ""


class Hardsigmoid(Module):
    """Return a sigmoid made of three straight lines."""

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.hardsigmoid(input)


class Hardswish(Module):
    """Return `x Hardsigmoid(x)` (Howard et al. 2019)."""

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.hardswish(input)


class Threshold(Module):
    """Return each element above `threshold`, and `value` for the others."""

    def __init__(self, threshold: float, value: float):
        super().__init__()
        self.threshold, self.value = threshold, value

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.threshold(input, self.threshold, self.value)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}"


class Hardshrink(Module):
    """Return each element, or 0 where it lies within `lambd` of 0."""

    def __init__(self, lambd: float = 0.5):
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Softshrink(Module):
    """Return each element moved towards 0 by `lambd`, or 0 where it lies within it."""

    def __init__(self, lambd: float = 0.5):
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"
