"""Why a submission is wrong: because it does exactly what a known mistake does.

A cause is named only when the submission equals it on every case that was tried, and it differs
from what is due on at least three of them. Two that cannot be told apart are both named; where
nothing fits, nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

import numpy as np

from ...contracts import Exercise, Mistake, Property, Raises
from ..isolation.child import Local, Reply
from ..verdicts import Status
from .compare import difference
from .results import Cause, PropertyResult, Seen

TELLING = 3  # cases on which a mistake must differ from what is due
FURTHER = 40  # cases that are tried to tell causes apart
EXPLAINABLE = (Status.WRONG_VALUE, Status.WRONG_SHAPE, Status.WRONG_TYPE, Status.EXCEPTION)


def diagnose(
    exercise: Exercise, seen: Collection[Seen], results: list[PropertyResult],
    more: Callable[[Property, int], Iterable[Seen]],
) -> list[Cause]:
    """Return the causes that explain all that was seen; usually one, or none.

    more: tries that many further cases of a property, when those seen do not suffice.
    """
    failed = [r.prop for r in results if r.status in EXPLAINABLE]
    if not failed:
        return []
    suspects = Suspects(exercise)
    suspects.confront(seen)
    for prop in failed:
        if suspects.left:  # the more cases it explains, the surer it is
            suspects.confront(more(prop, FURTHER))
    causes = [cause for cause, _ in suspects.left if cause.telling >= TELLING]
    return causes or general([*seen, *more(failed[0], FURTHER)])


class Suspects:
    """The planted mistakes of an exercise, fewer after each case that speaks against them."""

    def __init__(self, exercise: Exercise):
        self.exercise = exercise
        self.left = [(Cause(mistake.sentence), planted(exercise, mistake))
                     for mistake in exercise.mistakes]

    def confront(self, cases: Iterable[Seen]) -> None:
        """Drop every mistake that would have answered one of the cases differently."""
        for seen in sorted(cases, key=lambda s: s.good):  # the failures tell most
            self.left = [(c, version) for c, version in self.left if self._fits(c, version, seen)]

    def _fits(self, cause: Cause, version: Local, seen: Seen) -> bool:
        args, kwargs = self.exercise.call(seen.case)
        if not same(version.call(self.exercise.name, args, kwargs, seen.prop.driver), seen.reply):
            return False
        cause.fits += 1
        cause.telling += not seen.good
        return True


def planted(exercise: Exercise, mistake: Mistake) -> Local:
    """Return the wrong version of the solution, to be called in this process."""
    return Local(exercise.wrong_source(mistake).encode(), f"{exercise.lesson}.py")


def same(one: Reply, other: Reply) -> bool:
    """Say whether two replies are the same results, or the same exception."""
    if one.status != "ok" or other.status != "ok":
        return (one.status, one.error) == (other.status, other.error)
    return difference(one.value, other.value, rtol=1e-7) is None


# ---------------------------------------------------------------- mistakes of any function


def general(seen: Iterable[Seen]) -> list[Cause]:
    """Name what is wrong in a way that any function can be: a factor, a transpose, zeros."""
    asked = [s for s in seen if not isinstance(s.due, Raises)]
    pairs = [(s.reply.value, s.due, s) for s in asked if _comparable(s)]
    bad = [s.difference.status for s in asked if not s.good]
    telling = len(bad)
    if telling < TELLING or len(pairs) < len(asked) or set(bad) != {Status.WRONG_VALUE}:
        return []
    found = [sentence for test in GENERAL if (sentence := test(pairs))]
    return [Cause(s, len(pairs), telling) for s in found[:1]]


def _comparable(seen: Seen) -> bool:
    return all(isinstance(v, np.ndarray | float | int) for v in (seen.reply.value, seen.due))


def _zeros(pairs: list) -> str:
    return "the result is **always zero**" if all(not np.any(got) for got, _, _ in pairs) else ""


def _factor(pairs: list) -> str:
    """One number between all results and what is due; where 0 is due and given, any would do."""
    ratios = [_ratio(got, due) for got, due, _ in pairs if np.any(got) or np.any(due)]
    if np.isclose(ratios[0], 1, rtol=1e-3) or not np.allclose(ratios, ratios[0], rtol=1e-6, atol=0):
        return ""
    if np.isclose(ratios[0], -1):
        return "the result has the **sign reversed**"
    return f"the result is **{ratios[0]:.4g} times** what is due"


def _ratio(got: Any, due: Any) -> float:
    """Return the number r with got = r due, or nan."""
    if np.shape(got) != np.shape(due) or not np.any(due):
        return np.nan
    got, due = np.asarray(got, float), np.asarray(due, float)
    ratio = np.sum(got * due) / np.sum(due * due)
    return ratio if np.allclose(got, ratio * due, rtol=1e-6, atol=0) else np.nan


def _transposed(pairs: list) -> str:
    ok = all(np.ndim(got) == 2 and np.array_equal(np.transpose(got), due)
             for got, due, _ in pairs)
    return "the result is **transposed**" if ok else ""


def _input(pairs: list) -> str:
    def equals_argument(got: Any, seen: Seen) -> bool:
        return any(isinstance(v, np.ndarray) and np.array_equal(got, v)
                   for v in seen.case.values())

    ok = all(equals_argument(got, seen) for got, _, seen in pairs)
    return "the result is **one of the arguments, unchanged**" if ok else ""


def _missing_numbers(pairs: list) -> str:
    ok = all(not np.all(np.isfinite(got)) and np.all(np.isfinite(due)) for got, due, _ in pairs)
    return "the result holds **nan or inf** where numbers are due" if ok else ""


GENERAL: tuple[Callable[[list], str], ...] = (_zeros, _factor, _transposed, _input,
                                              _missing_numbers)
