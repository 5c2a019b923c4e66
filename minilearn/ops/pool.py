"""Windows along one dimension: what pooling, `unfold` and `fold` are made of.

A window of a few taps moves along a dimension; a `Window` says where its taps fall. In two
dimensions it moves along the columns, then along the rows of the result: a maximum of maxima is the
maximum, a sum of sums is the sum, and `K + K` steps do the work of `K * K`.

Two pairs of primitives undo each other: `window_sum` / `window_spread` and `window_stack` /
`window_unstack`. The first pair can be told to look at one chosen tap only; so `window_max`, which
chooses, is differentiated by them.
"""

from __future__ import annotations

import operator
from functools import reduce
from typing import NamedTuple

from .. import xp
from ..arrays import constant
from ..op import Op


class Window(NamedTuple):
    """Where a window goes: tap t of place o meets `o * stride + t * dilation - padding`.

    size: of the dimension `dim` (negative: counted from the end) that it moves along.
    """

    dim: int
    size: int
    places: int
    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def reach(self) -> int:
        """How far the windows reach, counted from the start of the padding."""
        return max((self.places - 1) * self.stride, 0) + (self.kernel - 1) * self.dilation + 1

    def at(self, start: int, span: int, step: int = 1) -> tuple:
        """Index `span` positions of the dimension, all of the others."""
        return (..., slice(start, start + span, step), *[slice(None)] * (-self.dim - 1))

    def places_of(self, tap: int) -> tuple:
        """Index, in the padded dimension, what one tap meets at every place."""
        span = max((self.places - 1) * self.stride + 1, 0)
        return self.at(tap * self.dilation, span, self.stride)

    def taps(self, x, outside) -> list:
        """For each tap: a view of what it meets at every place (`outside`: a value, around x)."""
        before, after = self.padding, self.reach - self.padding - self.size
        if before > 0 or after > 0:
            x = xp.pad_along(x, self.dim, before, max(after, 0), outside)
        return [x[self.places_of(tap)] for tap in range(self.kernel)]

    def untaps(self, parts):
        """Add each part to where its tap meets the dimension: undoes `taps`."""
        first, *_ = parts = list(parts)
        shape = list(first.shape)
        shape[self.dim] = max(self.reach, self.padding + self.size)
        out = xp.full_laid_out_like(first, tuple(shape), 0)
        apart = self.stride > (self.kernel - 1) * self.dilation  # no two windows meet
        for tap, part in enumerate(parts):
            if apart:
                out[self.places_of(tap)] = part
            else:
                out[self.places_of(tap)] += part
        return out[self.at(self.padding, self.size)]


@Op
def window_sum(input, *, window, choice=None):
    """Return the sum of each window, or the one tap that `choice` names for it."""
    taps = window.taps(input, 0)
    if choice is not None:
        taps = [xp.kept(x, choice == tap) for tap, x in enumerate(taps)]
    return reduce(operator.add, taps)


@Op
def window_spread(input, *, window, choice=None):
    """Add each place's number to all that its window meets, or to the one tap of `choice`."""
    if choice is None:
        return window.untaps([input] * window.kernel)
    return window.untaps(xp.kept(input, choice == tap) for tap in range(window.kernel))


window_sum.grad(lambda g, y, x, **p: window_spread(g, **p))
window_spread.grad(lambda g, y, x, **p: window_sum(g, **p))


@Op
def window_stack(input, *, window):
    """Lay what each window meets along a new last dimension: one element for each tap."""
    return xp.stack(window.taps(input, 0), axis=-1)


@Op
def window_unstack(input, *, window):
    """Add every element of the last dimension to where it was met: undoes `window_stack`."""
    return window.untaps(input[..., tap] for tap in range(window.kernel))


window_stack.grad(lambda g, y, x, window: window_unstack(g, window=window))
window_unstack.grad(lambda g, y, x, window: window_stack(g, window=window))


@Op
def window_max(input, *, window):
    """Return the largest element that each window meets; a NaN counts as the largest."""
    return reduce(xp.maximum, window.taps(input, lowest(input)))


def _to_chosen(g, y, x, window):
    return window_spread(g, window=window, choice=chosen(x.data, y.data, window))


window_max.grad(_to_chosen)


def lowest(x):
    """Return what no element of x can lie below."""
    return -float("inf") if xp.is_floating(x) else xp.iinfo(x.dtype).min


def chosen(x, largest, window):
    """Return which tap met the largest element: the first of equals, the last of several NaNs."""
    kind = xp.dtype("int16" if window.kernel < 2**14 else "int32")
    best, *others = window.taps(x, lowest(x))
    choice, some_nan = xp.zeros_like(largest, dtype=kind), xp.waits() or xp.any(largest != largest)
    for tap, met in enumerate(others, 1):
        wins = (met > best) | (met != met) if some_nan else met > best
        choice = xp.maximum(choice, xp.astype(wins, kind) * tap)  # the last to win
        best = xp.maximum(best, met)
    # Where everything is -inf, the padding in front equals it, but cannot be chosen.
    return xp.maximum(choice, _first_inside(window, choice)) if window.padding else choice


def _first_inside(window, choice):
    """Return, for each place, the first tap that does not meet the padding in front."""
    before = (window.padding - place * window.stride for place in range(window.places))
    taps = tuple(max(-(-n // window.dilation), 0) for n in before)
    return xp.reshape(constant(taps, choice.dtype), (-1,) + (1,) * (-window.dim - 1))
