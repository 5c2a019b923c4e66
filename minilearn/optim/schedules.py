"""Schedules as pure functions of position: what is the value after this part of the way?

An annealing goes from `start` to `end` as `t` goes from 0 to 1. A schedule joins annealings.
"""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi

from ..slots import Slot

Annealing = Callable[[float, float, float], float]


def constant(start: float, end: float, t: float) -> float:
    """Stay at `start`."""
    return start


def linear(start: float, end: float, t: float) -> float:
    """Go in equal steps."""
    return start + (end - start) * t


def cosine(start: float, end: float, t: float) -> float:
    """Go slowly at both ends, along half a wave.

    >>> [round(cosine(1.0, 0.0, t), 3) for t in (0, 0.25, 0.5, 1)]
    [1.0, 0.854, 0.5, 0.0]
    """
    return end + (start - end) / 2 * (1 + cos(pi * t))


def exponential(start: float, end: float, t: float) -> float:
    """Multiply by equal factors; `start` and `end` have one sign and are not 0."""
    return start * (end / start) ** t


def polynomial(degree: float) -> Annealing:
    """Return the annealing whose distance to `end` is (1 - t)**degree of the whole."""
    return lambda start, end, t: end + (start - end) * (1 - t) ** degree


@Slot
def one_cycle(
    step: int, total: int, max_lr: float, *, div: float = 25.0, final_div: float = 1e4,
    pct_start: float = 0.3, momenta: tuple[float, float] = (0.95, 0.85),
) -> tuple[float, float]:
    """Return learning rate and momentum of one batch of fast.ai's one-cycle (Smith 2018).

    step: the number of the batch, 0 to total. The rate rises from max_lr / div to max_lr over the
    first `pct_start` of the way, then falls to max_lr / (div final_div), both along a cosine, and
    the momentum goes the other way. Raises ValueError for a step outside the cycle.

    >>> [round(one_cycle(step, 10, 1.0)[0], 4) for step in (0, 3, 10)]
    [0.04, 1.0, 0.0]
    """
    if not 0 <= step <= total:
        raise ValueError(f"one_cycle: step must be from 0 to total={total}; got {step}")
    turn = int(total * pct_start)
    rise, fall = max(turn, 1), max(total - turn, 1)
    if step <= rise:
        return cosine(max_lr / div, max_lr, step / rise), cosine(*momenta, step / rise)
    t = (step - rise) / fall
    return cosine(max_lr, max_lr / (div * final_div), t), cosine(*momenta[::-1], t)


def flat_cosine(step: int, total: int, lr: float, *, pct_start: float = 0.72) -> float:
    """Return a rate that is flat for `pct_start` of the way, then falls to 0 along a cosine."""
    turn = int(total * pct_start)
    return lr if step <= turn else cosine(lr, 0.0, (step - turn) / (total - turn))
