"""Lesson 2, the loop around the steps: the schedule, the loss that is shown, when to stop."""

from __future__ import annotations

import math

import numpy as np
import torch
from hypothesis import strategies as st
from torch.optim.lr_scheduler import OneCycleLR

from .contract import Raises, exercise
from .strategies import scattered, seeds, sizes

LESSON = "02_training"

# ---------------------------------------------------------------- one_cycle

one_cycle = exercise(
    LESSON, "one_cycle", "Warm up, then cool down", minutes=15, difficulty=2,
    keywords=("div", "final_div", "pct_start", "momenta"),
    hints=("Two halves, each a cosine from one value to another. Write the cosine once, as a small "
           "function of start, end and t.",
           "Up to T, t is step / T; behind it, t counts from T: what is done of total - T.",
           "lr: cosine(max_lr / div, max_lr, t) up to T, behind it cosine(max_lr, max_lr / (div * "
           "final_div), t). The momentum takes the same t, from high to low and back."))

WHOLE = """
def drive(module, one_cycle, total, max_lr, **shape):
    course = [one_cycle(step, total, max_lr, **shape) for step in range(total + 1)]
    return np.array([lr for lr, _ in course], float), np.array([m for _, m in course], float)
"""


class Held(torch.optim.Optimizer):
    """An optimizer in name only, for a schedule to act upon: a true one takes seconds to import."""

    def __init__(self):
        self.defaults = dict(lr=1.0, momentum=0.9)
        self.param_groups = [dict(self.defaults)]

    def step(self, closure=None):
        pass


def cycle(total, max_lr, div=25.0, final_div=1e4, pct_start=0.3, momenta=(0.95, 0.85)):
    """Ask torch for every step of a cycle.

    torch's ends at step total_steps - 1 and turns at pct_start * total_steps - 1, which need not be
    whole; ours always turns at a step.
    """
    turn = max(1, int(pct_start * total))
    optimizer = Held()
    schedule = OneCycleLR(optimizer, max_lr, total + 1, pct_start=(turn + 1) / (total + 1),
                          max_momentum=momenta[0], base_momentum=momenta[1], div_factor=div,
                          final_div_factor=final_div)
    course = [dict(optimizer.param_groups[0])]
    for _ in range(total):
        optimizer.step()
        schedule.step()
        course.append(dict(optimizer.param_groups[0]))
    return tuple(np.array([now[name] for now in course]) for name in ("lr", "momentum"))


rates, totals = st.sampled_from([1.0, 0.1, 0.003]), sizes(1, 12)


@st.composite
def corners(draw):
    total = draw(totals)
    steps = sorted({0, max(1, int(0.3 * total)), total})
    return dict(step=draw(st.sampled_from(steps)), total=total, max_lr=draw(rates))


@one_cycle.property("starts, turns and ends where it must", 1, corners())
def _(step, total, max_lr):
    lrs, momenta = cycle(total, max_lr)
    return lrs[step], momenta[step]


one_cycle.property("goes along both cosines in between", 2,
                   st.builds(dict, total=totals, max_lr=rates), driver=WHOLE,
                   examples=(dict(total=10, max_lr=1.0),))(cycle)
one_cycle.property("obeys div, final_div, pct_start and momenta", 2, st.builds(
    dict, total=totals, max_lr=rates, div=st.sampled_from([2.0, 10.0]),
    final_div=st.sampled_from([4.0, 100.0]), pct_start=st.sampled_from([0.5, 0.1, 0.75, 1.0]),
    momenta=st.sampled_from([(0.9, 0.8), (1.0, 0.0)])), driver=WHOLE)(cycle)


@one_cycle.property("refuses a step outside the cycle", 1,
                    st.builds(lambda total, off: dict(step=total + off if off > 0 else off,
                                                      total=total, max_lr=1.0),
                              totals, st.sampled_from([1, -1, 5, -3])))
def _(step, total, max_lr):
    return Raises("ValueError")


one_cycle.mistake("the way is a **straight line** instead of a cosine",
                  ("(1 + math.cos(math.pi * t)) / 2", "(1 - t)"))
one_cycle.mistake("the cosine makes a **whole wave** and comes back to its start; it must be half "
                  "a wave: the angle goes to pi only", ("math.pi * t", "2 * math.pi * t"))
one_cycle.mistake("the **momentum goes along with the rate**: it must be low while the rate is "
                  "high", ("high, low = momenta", "low, high = momenta"))
one_cycle.mistake("the **momentum stays low** behind T instead of coming back",
                  ("cosine(low, high, t)", "low"))
one_cycle.mistake("the rate **ends at max_lr / final_div**; it is max_lr / (div * final_div), a "
                  "part of the first rate", ("cosine(max_lr, max_lr / (div * final_div), t)",
                   "cosine(max_lr, max_lr / final_div, t)"))
one_cycle.mistake("the rate **ends where it began**; final_div is ignored",
                  ("cosine(max_lr, max_lr / (div * final_div), t)",
                   "cosine(max_lr, max_lr / div, t)"))
one_cycle.mistake("the rate **starts at 0** instead of max_lr / div",
                  ("cosine(max_lr / div, max_lr, t)", "cosine(0.0, max_lr, t)"))
one_cycle.mistake("on the way up, t is counted **over the whole cycle**: it is the share of the "
                  "way to T, step / T", ("t = step / turn", "t = step / total"))
one_cycle.mistake("on the way down, t is **step / total**: it must be 0 at T, so count from there",
                  ("(step - turn) / (total - turn)", "step / total"))
one_cycle.mistake("on the way down, t is divided by **total** instead of what is left, "
                  "total - T: the end is never reached", ("/ (total - turn)", "/ total"))
one_cycle.mistake("**pct_start is ignored**: the cycle turns at 0.3 of the way whatever it says",
                  ("max(1, int(pct_start * total))", "max(1, int(0.3 * total))"))
one_cycle.mistake("T is **rounded to the nearest** step; int rounds down",
                  ("max(1, int(pct_start * total))", "max(1, round(pct_start * total))"))
one_cycle.mistake("**T may be 0** in a short cycle: it is at least 1",
                  ("max(1, int(pct_start * total))", "int(pct_start * total)"))
one_cycle.mistake("the **last step is refused**: the steps go from 0 to total, both included",
                  ("0 <= step <= total", "0 <= step < total"))

# ---------------------------------------------------------------- Smoothed

smoothed = exercise(
    LESSON, "Smoothed", "A loss that can be read", minutes=10, difficulty=1, keywords=("beta",),
    hints=("An object must remember three things: beta, the average m, and how many losses it has "
           "seen.",
           "add renews m by the formula, counts on, and returns m divided by the sum of the "
           "weights. m itself is kept undivided.",
           "self.mean = self.beta * self.mean + (1 - self.beta) * loss; return self.mean / "
           "(1 - self.beta**self.count), the count already with this loss."))

ADDED = """
def drive(module, Smoothed, losses, **options):
    smoothed = Smoothed(**options)
    return [smoothed.add(loss) for loss in losses]
"""
TWO = """
def drive(module, Smoothed, losses, others):
    one, other = Smoothed(0.5), Smoothed(0.5)
    return [(one.add(a), other.add(b)) for a, b in zip(losses, others)]
"""
betas = st.sampled_from([0.5, 0.9, 0.98, 0.0])


@st.composite
def losses(draw, least=1, constant=False):
    n, seed = draw(sizes(least, 5)), draw(seeds)
    return (scattered(seed, 1 if constant else n, 1, 20).tolist() * n)[:n]


def weighted(losses, beta=0.98):
    """Write every average as a weighted mean: the weight of a loss is beta**age."""
    return [float(np.average(losses[:n], weights=[beta**age for age in reversed(range(n))]))
            for n in range(1, len(losses) + 1)]


def observed(beta=betas, **options):
    return st.builds(dict, losses=losses(**options), beta=beta)


smoothed.property("is right after one loss, and after equal ones", 1, observed(constant=True),
                  driver=ADDED, examples=(dict(losses=[2.0, 2.0]),))(weighted)
smoothed.property("forgets old losses slowly", 2, observed(least=2), driver=ADDED,
                  examples=(dict(losses=[1.0, 3.0, 2.0], beta=0.5),))(weighted)


@smoothed.property("keeps two averages apart", 1,
                   st.builds(dict, losses=losses(), others=losses()), driver=TWO)
def _(losses, others):
    return list(zip(weighted(losses, 0.5), weighted(others, 0.5), strict=False))


smoothed.mistake("the **division by 1 - beta^n is missing**: the first averages are pulled towards "
                 "0, where m starts", (" / (1 - self.beta**self.count)", ""))
smoothed.mistake("the **weights are exchanged**: beta belongs to the old average, 1 - beta to the "
                 "new loss", ("self.beta * self.mean + (1 - self.beta) * loss",
                              "(1 - self.beta) * self.mean + self.beta * loss"))
smoothed.mistake("the average **starts from the first loss**: that gives it too much weight for a "
                 "long time; start from 0 and divide",
                 ("        self.mean = self.beta * self.mean + (1 - self.beta) * loss\n",
                  "        beta = self.beta if self.count > 1 else 0.0\n"
                  "        self.mean = beta * self.mean + (1 - beta) * loss\n"),
                 (" / (1 - self.beta**self.count)", ""))
smoothed.mistake("the **divided average is kept** as m and divided again next time; keep m as it "
                 "is", ("        return self.mean / (1 - self.beta**self.count)",
                  "        self.mean /= 1 - self.beta**self.count\n        return self.mean"))
smoothed.mistake("the count is **one too large** in the division: after the first loss n is 1",
                 ("self.beta**self.count", "self.beta ** (self.count + 1)"))
smoothed.mistake("the count is **one too small**: count the new loss before you divide, or beta^0 "
                 "makes it a division by 0", ("self.beta**self.count",
                                              "self.beta ** (self.count - 1)"))
smoothed.mistake("it divides by **1 - beta**, whatever n is; the weights sum to 1 - beta^n",
                 ("self.beta**self.count", "self.beta"))
smoothed.mistake("this is the **plain mean** of all losses: old ones count as much as new ones",
                 ("self.beta * self.mean + (1 - self.beta) * loss", "self.mean + loss"),
                 ("(1 - self.beta**self.count)", "self.count"))
smoothed.mistake("**beta is ignored**: 0.98 is used whatever was asked for",
                 ("= beta, 0.0, 0", "= 0.98, 0.0, 0"))

# ---------------------------------------------------------------- should_stop

should_stop = exercise(
    LESSON, "should_stop", "When has the loss exploded?", minutes=6, difficulty=1,
    keywords=("factor",),
    hints=("Compare the newest loss with the best, that is the smallest, of all so far.",
           "Comparisons with nan are always False, so ask for it by name: math.isfinite.",
           "Two reasons joined by `or`: not math.isfinite(losses[-1]), and losses[-1] > factor * "
           "min(losses)."))

factors = st.sampled_from([2.0, 10.0, 3.0, 1.5])
ratios = st.sampled_from([3.0, 1.0, 4.0, 5.0, 2.0, 8.0, 4.0, 3.5, 12.0, 4.0])  # to the best loss


@st.composite
def searches(draw, **options):
    before = draw(st.lists(sizes(1, 9).map(float), max_size=6))
    newest = draw(ratios) * min(before, default=1.0)
    climb = [newest / 2] if draw(st.booleans()) else []  # or is it a jump?
    return dict(losses=[*before, *climb, newest]) | {k: draw(v) for k, v in options.items()}


def stops(losses, factor=4.0):
    x = torch.tensor(losses, dtype=torch.float64)
    best = x.cummin(0).values[-1]
    return bool(~torch.isfinite(x[-1]) | (x[-1] / best > factor))


def found(*losses):
    return dict(losses=list(losses))


should_stop.property(
    "stops above four times the best loss", 2, searches(), exact=True,
    examples=(found(2.0), found(1.0, 5.0), found(1.0, 4.0), found(9.0, 2.0, 1.0),
              found(1.0, 3.0, 5.0), found(8.0, 1.0, 5.0), found(2.0, 9.0, 3.0),
              found(1.0, 8.0, 8.0, 8.0, 5.0)))(stops)
should_stop.property("obeys factor", 1, searches(factor=factors), exact=True)(stops)
should_stop.property(
    "stops at nan and inf", 1,
    st.builds(lambda before, bad, factor: found(*before, bad) | dict(factor=factor),
              losses(least=0), st.sampled_from([math.nan, math.inf]), factors), exact=True,
    examples=(found(math.nan), found(math.inf), found(1.0, math.nan)))(stops)

should_stop.mistake("the newest loss is compared with **the first** instead of the best so far",
                    ("min(losses)", "losses[0]"))
should_stop.mistake("the newest loss is compared with **the one before** instead of the best so "
                    "far: a slow climb is never noticed", ("min(losses)", "losses[-2:][0]"))
should_stop.mistake("**any loss** far above the best counts, so a good fall from a high start "
                    "stops the search; only the newest counts",
                    ("newest > factor", "max(losses) > factor"))
should_stop.mistake("it stops **at** factor times the best; it must be above",
                    ("newest > factor", "newest >= factor"))
should_stop.mistake("**nan is not noticed**: every comparison with it is False; ask math.isfinite",
                    ("not math.isfinite(newest)", "newest == math.inf"))
should_stop.mistake("**inf is not noticed** in the first loss: it is no more than factor times "
                    "itself; ask math.isfinite instead of isnan",
                    ("not math.isfinite(newest)", "math.isnan(newest)"))
should_stop.mistake("**neither nan nor inf** is looked for: compared with them, nothing is greater",
                    ("not math.isfinite(newest) or ", ""))
should_stop.mistake("**factor is ignored**: it is always 4", ("factor * min", "4.0 * min"))
should_stop.mistake("it stops at **any loss above the best**; it must be above factor times the "
                    "best, for losses of single batches go up and down",
                    ("factor * min(losses)", "min(losses)"))
should_stop.mistake("the answer is **the wrong way round**: True means stop",
                    ("return not math.isfinite(newest) or newest > factor * min(losses)",
                     "return math.isfinite(newest) and newest <= factor * min(losses)"))
