"""Weight norm and spectral norm: weights that are computed from others at each access."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from .. import xp
from ..errors import explain
from ..tensor import Tensor
from . import init
from .conv import ConvTranspose1d, ConvTranspose2d
from .module import Module
from .parametrize import register_parametrization


class _WeightNorm(Module):
    """weight = g v / ||v||, a norm for each index of `dim` (Salimans & Kingma 2016)."""

    def __init__(self, dim: int | None = 0):
        super().__init__()
        self.dim = -1 if dim is None else dim  # torch reads -1 as "the whole tensor"

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return weight_v * (weight_g / self._norm(weight_v))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return self._norm(weight), weight

    def _norm(self, v: Tensor) -> Tensor:
        if self.dim == -1:
            return (v * v).sum().sqrt()
        others = tuple(i for i in range(v.ndim) if i != self.dim)
        return (v * v).sum(others, True).sqrt() if others else v.abs()


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Learn length and direction of a weight apart: w = g v / ||v|| (Salimans & Kingma 2016).

    dim: the dimension along which each index has its own length; None for one length in all. The
    parameters are `parametrizations.weight.original0` (g) and `original1` (v). Returns the module.
    """
    weight = _weight_of("weight_norm", module, name)
    if dim is not None and not -1 <= dim < weight.ndim:
        raise IndexError(explain("weight_norm", "no such dimension", {name: weight, "dim": dim}))
    return register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


# ---------------------------------------------------------------- spectral norm


class _SpectralNorm(Module):
    """weight / sigma, sigma being its largest singular value (Miyato et al. 2018).

    The singular vectors u and v are buffers; each access in training improves them by power
    iteration. They count as constants in the gradient.
    """

    def __init__(self, weight: Tensor, n_power_iterations: int, dim: int, eps: float):
        super().__init__()
        self.dim, self.eps, self.n_power_iterations = dim % weight.ndim, eps, n_power_iterations
        if weight.ndim > 1:
            matrix = self._matrix(weight.detach())
            for name, size in zip(("_u", "_v"), matrix.shape, strict=True):
                start = init.normal_(Tensor(xp.empty((size,), weight.data.dtype)))
                self.register_buffer(name, Tensor(self._unit(start.data)))
            self._iterate(matrix.data, 15)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(matrix.data, self.n_power_iterations)
        # Detached: later iterations must not change what this graph remembers.
        u, v = self._u.detach(), self._v.detach()
        return weight / (u * (matrix @ v)).sum()

    def right_inverse(self, value: Tensor) -> Tensor:
        return value

    def _matrix(self, weight: Tensor) -> Tensor:
        """Arrange the weight as (size of `dim`, everything else)."""
        others = (i for i in range(weight.ndim) if i != self.dim)
        front = weight.permute((self.dim, *others))
        return front.reshape((front.shape[0], -1))

    def _iterate(self, matrix: Any, times: int) -> None:
        u, v = self._u.data, self._v.data
        for _ in range(times):
            u = self._unit(matrix @ v)
            v = self._unit(xp.matrix_transpose(matrix) @ u)
        self._u.data, self._v.data = u, v

    def _unit(self, x: Any) -> Any:
        length = xp.sqrt(xp.sum(x * x))
        return x / xp.maximum(length, xp.scalar(self.eps, x.dtype))


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """Divide a weight by its largest singular value (Miyato et al. 2018), and return the module.

    dim: the dimension of the outputs, 0 or, for transposed convolutions, 1. The value is found by
    `n_power_iterations` at each access in training, and kept in evaluation.
    """
    weight = _weight_of("spectral_norm", module, name)
    if dim is None:
        dim = 1 if isinstance(module, ConvTranspose1d | ConvTranspose2d) else 0
    arguments = {name: weight, "dim": dim, "n_power_iterations": n_power_iterations}
    if not -weight.ndim <= dim < weight.ndim:
        raise IndexError(explain("spectral_norm", "no such dimension", arguments))
    if n_power_iterations <= 0:
        raise ValueError(explain("spectral_norm", "at least one power iteration", arguments))
    return register_parametrization(
        module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))


def _weight_of(function: str, module: Module, name: str) -> Tensor:
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"{function}: {type(module).__name__} has no parameter {name!r}")
    return weight
