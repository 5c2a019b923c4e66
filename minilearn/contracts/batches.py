"""Lesson 2, the batches of an epoch."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import strategies as st
from torch.utils.data import DataLoader, TensorDataset

from .contract import Raises, exercise
from .strategies import counted, sizes

LESSON = "02_training"

# ---------------------------------------------------------------- batches

batches = exercise(
    LESSON, "batches", "An epoch in batches", minutes=12, difficulty=1, keywords=("drop_last",),
    hints=("Cut the order into pieces of `size`; each piece says which samples make a batch.",
           "An array of numbers as an index picks these rows: x[picked], and y[picked] with the "
           "same numbers. range(0, N, size) are the places where the pieces start.",
           "for start in range(0, len(order), size): picked = order[start : start + size]; "
           "yield x[picked], y[picked], unless it is too short and drop_last says no."))

BATCHES = """
def drive(module, batches, *args, **options):
    return [(inputs, targets) for inputs, targets in batches(*args, **options)]
"""
UNCHANGED = """
def drive(module, batches, x, y, size, order):
    for _ in batches(x, y, size, order):
        pass
    return x, y, order
"""


def data(n, size, order, **options):
    x, y = counted((n, 2)), np.arange(n) * 100
    return dict(x=x, y=y, size=size, order=np.array(order), **options)


@st.composite
def epochs(draw, whole=False, **options):
    size = draw(sizes(1, 4))
    n = size * draw(sizes(1, 3)) if whole else draw(sizes(1, 8))
    order = draw(st.permutations(range(n)))
    return data(n, size, order, **{k: draw(v) for k, v in options.items()})


def by_loader(x, y, size, order, drop_last=False):
    dataset = TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    loader = DataLoader(dataset, size, sampler=order.tolist(), drop_last=drop_last)
    return [tuple(batch) for batch in loader]


batches.property("gives inputs and targets in the order that is due", 2, epochs(whole=True),
                 exact=True, driver=BATCHES, examples=(data(4, 2, [2, 0, 3, 1]),))(by_loader)
batches.property("keeps the last, smaller batch, or drops it", 2, epochs(drop_last=st.booleans()),
                 exact=True, driver=BATCHES,
                 examples=(data(3, 2, [0, 1, 2], drop_last=False),
                           data(3, 2, [0, 1, 2], drop_last=True),
                           data(4, 2, [0, 1, 2, 3], drop_last=True)))(by_loader)


@st.composite
def nonsense(draw):
    case = draw(epochs())
    if draw(st.booleans()):
        return case | dict(size=draw(st.sampled_from([0, -1])))
    return case | dict(y=np.arange(len(case["y"]) + draw(sizes(1, 2))))


@batches.property("refuses a size below 1, and targets that do not match", 1, nonsense(),
                  driver=BATCHES)
def _(x, y, size, order):
    return Raises("ValueError")


@batches.property("leaves x, y and order as they are", 1, epochs(), exact=True, driver=UNCHANGED)
def _(x, y, size, order):
    return x, y, order


batches.mistake("**y is not shuffled**: each input gets another one's target; pick from both with "
                "the same numbers", ("y[picked]", "y[start : start + size]"))
batches.mistake("the **order is ignored**: the batches come as the data lie",
                ("picked = order[start : start + size]",
                 "picked = np.arange(len(order))[start : start + size]"))
batches.mistake("the order is used **the wrong way round**: order[0] is the number of the sample "
                "that comes first, not the place to which sample 0 goes",
                ("picked = order[start : start + size]",
                 "picked = np.argsort(order)[start : start + size]"))
batches.mistake("the **last, smaller batch is always dropped**; do so only with drop_last",
                ("len(picked) == size or not drop_last", "len(picked) == size"))
batches.mistake("**drop_last is ignored**: the smaller batch at the end always comes",
                ("len(picked) == size or not drop_last", "len(picked)"))
batches.mistake("with drop_last the last batch is dropped **even if it is full**",
                ("len(picked) == size or not drop_last",
                 "start + size < len(order) or not drop_last"))
batches.mistake("a last sample that is **left alone** is lost: it is a batch of one",
                ("range(0, len(order), size)", "range(0, max(1, len(order) - 1), size)"))
batches.mistake("`size` is taken for the **number of batches**; it is how many samples one has",
                ("range(0, len(order), size)", "range(0, len(order), -(-len(order) // size))"),
                ("order[start : start + size]", "order[start : start + -(-len(order) // size)]"),
                ("len(picked) == size", "len(picked) == -(-len(order) // size)"))
batches.mistake("the last batch is **filled up** with samples from the beginning; it has fewer",
                ("order[start : start + size]", "np.resize(np.roll(order, -start), size)"),
                ("len(picked) == size", "start + size <= len(order)"))
batches.mistake("**nothing is checked**: a size below 1 and unequal numbers of inputs and targets "
                "must raise ValueError", ("if size < 1:", "if False:"),
                ("if len(x) != len(y):", "if False:"))
batches.mistake("**x and y themselves are reordered**: x[:] = ... writes into the caller's arrays",
                ("    for start in range(0, len(order), size):\n",
                 "    x[:], y[:] = x[order], y[order]\n"
                 "    for start in range(0, len(order), size):\n"),
                ("picked = order[start : start + size]",
                 "picked = np.arange(len(order))[start : start + size]"))
