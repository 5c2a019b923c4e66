"""Probabilities from scores, and their logarithms: written so that no score is too large."""

from __future__ import annotations

from .. import xp
from ..tensor import Op
from .exponential import sigmoid
from .index import place
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
def softmax_nll(input, *, target, scale):
    """Return `-log(softmax(input))` at the right class of every row, added up, times `scale`.

    input (N, C), target an array of N class numbers -> one number.
    """
    with xp.quiet():
        x = _below_peak(input, 1)
        surprise = xp.log(xp.sum(xp.exp(x), axis=1)) - xp.getitem(x, *_chosen(target))
        return xp.sum(surprise) * scale


def _chosen(target):
    """The index of one class in every row."""
    return (), (xp.arange(target.shape[0]), target)


def _excess(g, y, x, target, scale):
    """Probability beyond what is right: all of it, less 1 at the right class."""
    g = (g * scale).broadcast_to(target.shape)
    return softmax(x, 1) * g.unsqueeze(1) - place(g, index=_chosen(target), shape=x.shape)


softmax_nll.grad(_excess)


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
