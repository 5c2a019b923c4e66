"""Probabilities from scores, and their logarithms: written so that no score is too large."""

from __future__ import annotations

from .. import xp
from ..tensor import Op
from .exponential import sigmoid
from .order import clamp


def _below_peak(x, dim):
    """Subtract the largest score: softmax does not change, and exp cannot overflow."""
    return x - xp.max(x, axis=dim, keepdims=True) if x.shape[dim] else x


@Op
def softmax(input, *, dim):
    """Return `exp(input) / exp(input).sum(dim)`: positive numbers that sum to 1 along `dim`."""
    with xp.quiet():
        e = xp.exp(_below_peak(input, dim))
        return e / xp.sum(e, axis=dim, keepdims=True)


softmax.grad(lambda g, y, x, dim: y * (g - (g * y).sum(dim, True)))


@Op
def log_softmax(input, *, dim):
    """Return the logarithm of `softmax`, exact even where a probability underflows to 0."""
    with xp.quiet():
        x = _below_peak(input, dim)
        return x - xp.log(xp.sum(xp.exp(x), axis=dim, keepdims=True))


log_softmax.grad(lambda g, y, x, dim: g - y.exp() * g.sum(dim, True))


@Op
def logsigmoid(input):
    """Return the logarithm of `sigmoid` for each element."""
    return xp.minimum(input, xp.zeros((), input.dtype)) - xp.log1p(xp.exp(-xp.abs(input)))


logsigmoid.grad(lambda g, y, x: g * sigmoid(-x))


@Op
def bernoulli_nll(input, target):
    """Return `-(target log(input) + (1 - target) log(1 - input))`, each logarithm at least -100."""
    with xp.quiet():
        floor = xp.full((), -100, input.dtype)
        log_p, log_q = xp.maximum(xp.log(input), floor), xp.maximum(xp.log1p(-input), floor)
    return -(target * log_p + (1 - target) * log_q)


bernoulli_nll.grad(
    # The variance is kept off 0: a prediction both certain and wrong has a finite gradient.
    lambda g, y, p, t: g * (p - t) / clamp(p * (1 - p), min=1e-12),
    lambda g, y, p, t: g * ((1 - p).log() - p.log()),
)
