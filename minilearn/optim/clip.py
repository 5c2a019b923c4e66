"""Clipping: keep one bad batch from throwing the parameters far away (Pascanu et al. 2013)."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from types import GeneratorType

from .. import xp
from ..slots import Slot
from ..tensor import Tensor


@Slot
def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients down together, so that their joint norm is at most `max_norm`.

    norm_type: the order p of the norm, `inf` for the largest element. Returns the norm before
    clipping. Raises RuntimeError if it is infinite or nan and `error_if_nonfinite` is set.
    """
    max_norm, norm_type, grads = float(max_norm), float(norm_type), _gradients(parameters)
    if not grads:
        return Tensor(0.0)
    with xp.quiet():
        norms = [xp.linalg.vector_norm(g.data, ord=norm_type) for g in grads]
        kind = xp.result_type(*norms)
        total = xp.linalg.vector_norm(xp.stack([xp.astype(n, kind) for n in norms]), ord=norm_type)
        if error_if_nonfinite and not xp.isfinite(total):
            raise RuntimeError(f"clip_grad_norm_: the norm of order {norm_type} of the gradients "
                               f"is {total}; look for the first layer whose gradient is not finite")
        total = xp.asarray(total)
        scale = xp.clip(max_norm / (total + 1e-6), max=1.0)  # an array: nobody waits for a GPU
        for g in grads:
            g.data = xp.asarray(g.data * xp.astype(xp.asarray(scale), g.data.dtype))
    return Tensor(total)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Cut every element of every gradient off at `-clip_value` and `clip_value`."""
    limit = float(clip_value)
    for g in _gradients(parameters):
        g.data = xp.asarray(xp.clip(g.data, -limit, limit))


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    params = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    if isinstance(parameters, GeneratorType) and not params:
        warnings.warn("the generator of parameters is used up: nothing is clipped", stacklevel=3)
    return [p.grad for p in params if p.grad is not None]
