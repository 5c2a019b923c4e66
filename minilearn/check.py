"""Checking derivatives by finite differences.

    check(lambda x, w: (x @ w).tanh(), x, w)    # says nothing if every derivative is right
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import xp
from .derivatives import Tensors, as_tuple, gradients
from .errors import explain
from .tensor import Tensor


class GradientError(AssertionError):
    """A derivative that differs from what finite differences say."""


def check(
    function: Callable, *inputs: Any, order: int = 2, eps: float = 1e-5, rtol: float = 1e-5,
    atol: float = 1e-7, seed: int = 0,
) -> None:
    """Compare the derivatives of `function(*inputs)`, up to `order`, with finite differences.

    inputs: floating-point tensors or arrays are differentiated, in float64; others are passed on.
    The function may return a tensor or several; it must be smooth within `eps` of the inputs, and
    give the same for the same. Each derivative is compared along random directions with
    (f(x + eps v) - f(x - eps v)) / 2 eps. Raises GradientError with the order, the input, the worst
    element and both numbers where they differ by more than `atol + rtol * size`.

    >>> check(lambda x: x**3, Tensor([1.0, -2.0]))
    >>> check(lambda x: x * x.detach(), Tensor([1.0, 2.0]))
    Traceback (most recent call last):
    minilearn.check.GradientError: check: derivative of order 1 ... input 0 at (1,): ...
    """
    rng = np.random.default_rng(seed)
    f, xs, names = _of_floats(function, inputs)
    for level in range(1, order + 1):
        ys = f(*xs)
        weights = [_normal(rng, y) for y in ys]
        _compare(f, xs, weights, rng, (eps, rtol, atol), (level, names))
        f, xs = _derivative(f, len(xs)), (*xs, *weights)
        names = (*names, *(f"the gradient of output {i} (order {level})" for i in range(len(ys))))


def _of_floats(function: Callable, inputs: Sequence) -> tuple[Callable, Tensors, tuple[str, ...]]:
    """Reduce a function to its floating-point inputs and outputs."""
    given = [Tensor(x) if hasattr(x, "dtype") and not isinstance(x, Tensor) else x for x in inputs]
    places = [i for i, x in enumerate(given) if isinstance(x, Tensor) and xp.is_floating(x.data)]
    if not places:
        raise TypeError(explain("check", "nothing to differentiate: no floating-point tensor",
                                {f"inputs[{i}]": x for i, x in enumerate(given)}))

    def reduced(*xs: Tensor) -> Tensors:
        arguments = list(given)
        for i, x in zip(places, xs, strict=True):
            arguments[i] = x
        ys = function(*arguments)
        return tuple(y for y in as_tuple(ys) if xp.is_floating(y.data))

    doubles = tuple(Tensor(xp.astype(given[i].data, xp.float64, copy=True)) for i in places)
    return reduced, doubles, tuple(f"input {i}" for i in places)


def _derivative(f: Callable, count: int) -> Callable:
    """Return the function of inputs and output gradients that gives the input gradients."""

    def derivative(*arguments: Tensor) -> Tensors:
        xs = [x if x.requires_grad else x.detach().requires_grad_() for x in arguments[:count]]
        return gradients(f(*xs), xs, arguments[count:], True)

    return derivative


def _compare(f, xs, weights, rng, tolerances, where) -> None:
    """Compare the derivatives of `sum(w * f(xs))` along two random directions for each input."""
    eps, rtol, atol = tolerances
    leaves = [x.detach().requires_grad_() for x in xs]
    # A fused op has a fast rule for a first derivative alone, and another way to higher ones.
    exact = [gradients(f(*leaves), leaves, weights, higher) for higher in (False, True)]
    for i, g in [(i, g) for gs in exact for i, g in enumerate(gs)]:
        for v in (_normal(rng, xs[i]), _normal(rng, xs[i])):
            slope, size = _slope(f, xs, i, v, weights, eps)
            along = float((g * v).sum().data)
            if not abs(along - slope) <= atol * (1 + size) + rtol * max(abs(slope), abs(along)):
                raise GradientError(_report(f, xs, i, g, weights, eps, where, (along, slope)))


def _slope(f, xs, i, v, weights, eps) -> tuple[float, float]:
    """Measure the derivative of `sum(w * f(xs))` along v in input i, and how large the sum is."""
    values = []
    for sign in (1, -1):
        moved = xs[i] + v * (sign * eps)
        ys = f(*xs[:i], moved.detach(), *xs[i + 1 :])
        terms = (float((y * w).sum().data) for y, w in zip(ys, weights, strict=True))
        values.append(math.fsum(terms))
    return (values[0] - values[1]) / (2 * eps), abs(values[0])


def _report(f, xs, i, g, weights, eps, where, along) -> str:
    """Find the element that is most wrong, and say so."""
    worst = 0.0
    text = f"along a line: the rules say {along[0]:.6g}, finite differences {along[1]:.6g}"
    for at in itertools.product(*map(range, xs[i].shape)):
        unit = xp.zeros(xs[i].shape, xp.float64)
        unit[at] = 1.0
        slope, _ = _slope(f, xs, i, Tensor(unit), weights, eps)
        value = float(g.data[at])
        if not abs(value - slope) <= worst:
            worst = abs(value - slope)
            text = f"at {at}: the rules say {value:.6g}, finite differences {slope:.6g}"
    return f"check: derivative of order {where[0]} with respect to {where[1][i]} {text}"


def _normal(rng, like: Tensor) -> Tensor:
    return Tensor(xp.array(rng.standard_normal(like.shape), xp.float64))
