"""Probabilities from scores, and their logarithms: written so that no score is too large."""

from __future__ import annotations

from .. import xp
from ..errors import explain
from ..op import Op
from .dims import wrap
from .exponential import sigmoid
from .index import place
from .order import clamp


def _need_floating(function, x):
    if not xp.is_floating(x):
        raise TypeError(explain(function, "input must hold floating-point numbers", {"input": x},
                                "convert it with input.float()"))


def _below_peak(function, x, dim, dtype=None):
    """Subtract the largest score along `dim`: softmax does not change, and exp cannot overflow.

    Returns the result and the axis, which a single number has none of.
    """
    x = x if dtype is None else xp.astype(x, xp.dtype(dtype))
    _need_floating(function, x)
    dim = wrap(function, x, dim)
    axis = (dim,) if x.shape else ()
    empty = x.shape and x.shape[dim] == 0
    return x if empty else x - xp.max(x, axis=axis, keepdims=True), axis


@Op
def softmax(input, *, dim, dtype=None):
    """Return `exp(input)` divided by its sum along `dim`: positive numbers that sum to 1.

    dtype: what the input is converted to first. Raises DimError, TypeError.

    >>> from minilearn import tensor
    >>> softmax(tensor([1.0, 1.0]), dim=0)
    tensor([0.5, 0.5])
    """
    with xp.quiet():
        x, axis = _below_peak("softmax", input, dim, dtype)
        e = xp.exp(x)
        return e / xp.sum(e, axis=axis, keepdims=True)


softmax.grad(lambda g, y, x, dim, dtype: y * (g - (g * y).sum(dim, True)))


@Op
def log_softmax(input, *, dim, dtype=None):
    """Return `log(softmax(input, dim))`, exact even where a probability underflows to 0.

    dtype: what the input is converted to first. Raises DimError, TypeError.
    """
    with xp.quiet():
        x, axis = _below_peak("log_softmax", input, dim, dtype)
        return x - xp.log(xp.sum(xp.exp(x), axis=axis, keepdims=True))


log_softmax.grad(lambda g, y, x, dim, dtype: g - y.exp() * g.sum(dim, True))


softmax.in_order = log_softmax.in_order = ("dim", "dtype")  # torch takes this dtype in order


@Op
def softmax_nll(input, *, target, scale):
    """Return `-log(softmax(input))` at the right class of every row, added up, times `scale`.

    input (N, C), target an array of N class numbers -> one number.
    """
    with xp.quiet():
        x, _ = _below_peak("cross_entropy", input, 1)
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
    """Return `log(sigmoid(input))`, exact even where the sigmoid underflows to 0."""
    _need_floating("logsigmoid", input)
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
