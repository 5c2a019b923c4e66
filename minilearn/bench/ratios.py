"""From times to a verdict: medians, quartiles, and whether a ratio can be relied on."""

from __future__ import annotations

import os
from collections.abc import Iterable
from math import exp, log
from statistics import fmean, median, quantiles
from typing import Any

WIDE = 0.15  # a ratio whose quartiles lie further apart than this share of it is unsure


def timing(ours: list[list[float]], theirs: list[list[float]], rival: str) -> dict[str, Any]:
    """Summarise the times of bursts taken by turns, in milliseconds.

    ratio: the median, over the rounds, of the ratio of both bursts' medians; ratio_spread and
    ..._spread: the quartiles. unsure: whether those of the ratio lie far apart. ..._best: the time
    of the fastest step.
    """
    ratios = [median(a) / median(b) for a, b in zip(ours, theirs, strict=True)]
    low, high = quartiles(ratios)
    summary: dict[str, Any] = {"ratio": median(ratios), "ratio_spread": [low, high],
                               "unsure": high - low > WIDE * median(ratios)}
    for side, bursts in (("ours", ours), (rival, theirs)):
        times = [ms for burst in bursts for ms in burst]
        summary |= {f"{side}_ms": median(times), f"{side}_spread": quartiles(times),
                    f"{side}_best": min(times), f"{side}_steps": len(times)}
    return summary


def quartiles(values: list[float]) -> list[float]:
    """Return the first and the third quartile."""
    return quantiles(values, n=4, method="inclusive")[::2] if len(values) > 1 else values * 2


def geometric_mean(ratios: Iterable[float]) -> float:
    """Return the mean that treats twice as fast and twice as slow alike.

    >>> round(geometric_mean([0.5, 2.0]), 6)
    1.0
    """
    return exp(fmean(map(log, ratios)))


def load() -> float | None:
    """Return how many programs want a core, a mean over the last minute; None on Windows."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def overloaded(threads: int) -> bool:
    """Say whether more want to run than there are cores: those at work now, and a contestant."""
    return (load() or 0) > (os.cpu_count() or 1) + threads - 1
