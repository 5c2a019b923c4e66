"""Lesson 4, continued: norms that look at one example only, and dropout."""

from __future__ import annotations

import math

import numpy as np
import torch
from hypothesis import strategies as st
from torch.nn import functional as F

from .contract import Raises, exercise
from .normalisation import EPS, LESSON
from .strategies import noise, scattered, seeds, shapes, signed, sizes

STANDARDISE = "standardise, which you have written."
ALWAYS = st.just(True)
AFFINE = "y * weight[:, None, None] + bias[:, None, None]"


def parameters(shape, dtype=np.float64):
    """Return a weight and a bias, different everywhere."""
    return dict(weight=signed(shape, 2, dtype), bias=10 * signed(shape, 1, dtype))


# ---------------------------------------------------------------- standardise

standardise = exercise(
    LESSON, "standardise", "Each row to mean 0 and variance 1", minutes=10, difficulty=2,
    keywords=("eps",),
    hints=("Change the shape to (rows, length), compute, and change it back.",
           "x.reshape(rows, -1) cuts in the order of memory; mean and variance are then over "
           "axis 1, with keepdims=True.",
           "((cut - mean) / np.sqrt(var + eps)).reshape(x.shape)"))


@st.composite
def cuts(draw, fill=None, dtype=np.float64):
    shape = draw(shapes(1, 4, 3))
    size = math.prod(shape)
    rows = draw(st.sampled_from([r for r in range(1, size + 1) if size % r == 0]))
    x = fill(noise(draw(seeds), shape)) if fill else signed(shape, 1, dtype)
    return dict(x=x, rows=rows, eps=draw(EPS))


def far(x):
    """Move numbers that are not whole far away from zero."""
    return 1e5 + x


def by_rows(x, rows, eps):
    cut = torch.from_numpy(x).reshape(rows, -1)
    return F.layer_norm(cut, cut.shape[1:], eps=eps).reshape(x.shape)


standardise.property("gives every row mean 0 and variance 1", 2, cuts())(by_rows)
standardise.property("is right for any numbers, far from zero too", 2, cuts(far),
                     rtol=1e-8)(by_rows)


@standardise.property("keeps float32, and leaves x as it is", 1, cuts(dtype=np.float32),
                      unchanged=True)
def _(x, rows, eps):
    return by_rows(x, rows, eps)


@standardise.property("refuses rows that are not equal", 1, st.builds(
    lambda rows, more: dict(x=signed(rows * more + 1), rows=rows), sizes(2, 4), sizes()))
def _(x, rows):
    return Raises("ValueError")


standardise.mistake(
    "the statistics run **down the columns** (axis 0); each row has its own: axis 1",
    ("mean(axis=1", "mean(axis=0"),
    ("var(axis=1", "var(axis=0"))
standardise.mistake("`rows` is taken for the **length of a row**: it is how many there are",
                    ("reshape(rows, -1)", "reshape(-1, rows)"))
standardise.mistake("there is **one mean for all rows**", ("mean(axis=1", "mean(axis=(0, 1)"),
                    ("var(axis=1", "var(axis=(0, 1)"))
standardise.mistake("the variance is the **unbiased** one (divided by n - 1); divide by n",
                    ("var(axis=1,", "var(axis=1, ddof=cut.shape[1] > 1,"))
standardise.mistake(
    "**eps is added outside the root**; it belongs to the variance: sqrt(var + eps)",
    ("np.sqrt(var + eps)", "(np.sqrt(var) + eps)"))
standardise.mistake("you divide by the **variance** instead of its root",
                    ("np.sqrt(var + eps)", "(var + eps)"))
standardise.mistake("the result **keeps the shape (rows, length)**: give it the shape of x again",
                    (".reshape(x.shape)", ""))
standardise.mistake(
    "the variance is mean(x²) - mean(x)²: far from zero this **difference of huge numbers loses "
    "its digits**; use `var`",
    ("cut.var(axis=1, keepdims=True)", "(cut * cut).mean(axis=1, keepdims=True) - mean * mean"))
standardise.mistake(
    "**x is changed in place**: `reshape` gives a view of the caller's array; no `cut -= mean`, "
    "but a new array",
    ("    return ((cut - mean)", "    cut -= mean\n    return (cut"))

# ---------------------------------------------------------------- layer_norm

layer_norm = exercise(
    LESSON, "layer_norm", "Layer norm", minutes=8, difficulty=2, keywords=("eps",),
    given=STANDARDISE,
    hints=("The last dimensions lie next to each other in memory: they are one row of standardise.",
           "One row is as long as weight has numbers, so there are x.size // weight.size of them.",
           "standardise(x, x.size // weight.size, eps) * weight + bias: weight and bias broadcast "
           "over the dimensions before."))


@st.composite
def words(draw, fill=None, dtype=np.float64):
    last = draw(shapes(1, 2, 3))
    shape = (*draw(shapes(0, 2, 3)), *last)
    x = noise(draw(seeds), shape) if fill == noise else signed(shape, 1, dtype)
    return dict(x=x, **parameters(last, dtype), eps=draw(EPS))


def by_layer(x, weight, bias, eps):
    x, weight, bias = map(torch.from_numpy, (x, weight, bias))
    return F.layer_norm(x, weight.shape, weight, bias, eps)


@st.composite
def misfits(draw):
    last = draw(shapes(1, 2, 3))
    other = (*last[:-1], last[-1] + draw(sizes()))
    return dict(x=signed((2, *other)), **parameters(last))


layer_norm.property("normalises over the dimensions of weight", 2, words())(by_layer)
layer_norm.property("is right for any numbers", 1, words(noise))(by_layer)


@layer_norm.property("keeps float32, and leaves its arguments as they are", 1,
                     words(dtype=np.float32), unchanged=True)
def _(x, weight, bias, eps):
    return by_layer(x, weight, bias, eps)


@layer_norm.property("refuses a weight of another shape", 1, misfits())
def _(x, weight, bias):
    return Raises("ValueError")


layer_norm.mistake(
    "everything after the batch axis is **one row**; only the dimensions that weight has are "
    "normalised together",
    ("rows = x.size // weight.size", "rows = len(x)"))
layer_norm.mistake("only the **last dimension** is normalised, also when weight has two",
                   ("x.size // weight.size", "x.size // weight.shape[-1]"))
layer_norm.mistake(
    "the statistics are taken **over the batch**, for each feature; layer norm takes them over "
    "the features of one example",
    ("standardise(x, rows, eps)",
     "standardise(x.reshape(rows, -1).T, weight.size, " "eps).T.reshape(x.shape)"))
layer_norm.mistake(
    "x as a whole is **one single row**",
    ("rows = x.size // weight.size", "rows = 1"))
layer_norm.mistake(
    "weight and bias come **before the normalising**, which takes them away again",
    ("standardise(x, rows, eps) * weight + bias", "standardise(x * weight + bias, rows, eps)"))
layer_norm.mistake("the **bias is missing**", (" * weight + bias", " * weight"))
layer_norm.mistake("**eps is not passed on**", ("rows, eps)", "rows)"))
layer_norm.mistake("a weight of **another shape is not refused**: it broadcasts or fails somehow",
                   ("if x.shape[x.ndim - weight.ndim :] != weight.shape:", "if False:"))

# ---------------------------------------------------------------- group_norm

group_norm = exercise(
    LESSON, "group_norm", "Group norm", minutes=10, difficulty=2, keywords=("eps",),
    given=STANDARDISE,
    hints=("Neighbouring channels of a picture lie next to each other in memory: a group of them "
           "is one row of standardise.",
           "Each of the N pictures has num_groups rows.",
           "y = standardise(x, N * num_groups, eps), then times weight[:, None, None], plus the "
           "bias in that shape."))


@st.composite
def grouped(draw, fill=None, dtype=np.float64):
    n, groups, each, h, w = (draw(sizes(1, 3)) for _ in range(5))
    shape = (n, groups * (each + (each * h * w == 1)), h, w)
    x = noise(draw(seeds), shape) if fill == noise else signed(shape, 1, dtype)
    return dict(x=x, num_groups=groups, **parameters(shape[1], dtype), eps=draw(EPS))


def by_groups(x, num_groups, weight, bias, eps):
    x, weight, bias = map(torch.from_numpy, (x, weight, bias))
    return F.group_norm(x, num_groups, weight, bias, eps)


group_norm.property("normalises each group of channels of each picture", 2, grouped())(by_groups)
group_norm.property("is right for any numbers", 1, grouped(noise))(by_groups)


@group_norm.property("keeps float32, and leaves its arguments as they are", 1,
                     grouped(dtype=np.float32), unchanged=True)
def _(x, num_groups, weight, bias, eps):
    return by_groups(x, num_groups, weight, bias, eps)


@group_norm.property("refuses groups that are not equal", 1, st.builds(
    lambda groups, more, n: dict(x=signed((n * groups, groups * more + 1, 2, 1)), num_groups=groups,
                                 **parameters(groups * more + 1)), sizes(2, 4), sizes(), sizes()))
def _(x, num_groups, weight, bias):
    return Raises("ValueError")


group_norm.mistake(
    "the groups are **interleaved** (channel c in group c % num_groups); a group is made of "
    "neighbouring channels",
    ("standardise(x, N * num_groups, eps)",
     "standardise(x.reshape(N, -1, num_groups, *x.shape[2:]).swapaxes(1, 2), N * num_groups, eps)"
     ".swapaxes(1, 2).reshape(x.shape)"))
group_norm.mistake(
    "num_groups is taken for the **channels in a group**: it is how many groups there are",
    ("N * num_groups,", "N * (C // num_groups),"))
group_norm.mistake("a group has **one mean for the whole batch**; each picture has its own",
                   ("standardise(x, N * num_groups, eps)",
                    "standardise(x.swapaxes(0, 1), num_groups, eps).swapaxes(0, 1)"))
group_norm.mistake("**num_groups is ignored**: all channels of a picture are normalised together",
                   ("N * num_groups,", "N,"))
group_norm.mistake("**every channel is its own group**: that is instance norm",
                   ("N * num_groups,", "N * C,"))
group_norm.mistake(
    "weight and bias meet the **last axis** (the columns) instead of the channels: give them "
    "the shape (C, 1, 1)",
    (AFFINE, "y * weight + bias"))
group_norm.mistake("**weight and bias are not used**", (AFFINE, "y"))
group_norm.mistake("**eps is not passed on**", ("num_groups, eps)", "num_groups)"))
group_norm.mistake(
    "groups that are **not equal are not refused**",
    ("if C % num_groups:", "if False:"))

# ---------------------------------------------------------------- instance_norm

instance_norm = exercise(
    LESSON, "instance_norm", "Instance norm", minutes=5, difficulty=1, keywords=("eps",),
    given=STANDARDISE,
    hints=("One plane of one picture is one row of standardise.",
           "There are N * C planes.",
           "standardise(x, N * C, eps), then weight and bias in the shape (C, 1, 1)."))


@st.composite
def photographs(draw, fill=None, dtype=np.float64):
    n, c, h, w = (draw(sizes(1, 3)) for _ in range(4))
    shape = (n, c, h, w + (h * w == 1))
    x = noise(draw(seeds), shape) if fill == noise else signed(shape, 1, dtype)
    return dict(x=x, **parameters(c, dtype), eps=draw(EPS))


def by_planes(x, weight, bias, eps):
    x, weight, bias = map(torch.from_numpy, (x, weight, bias))
    return F.instance_norm(x, weight=weight, bias=bias, eps=eps)


instance_norm.property("normalises each plane of each picture", 2, photographs())(by_planes)
instance_norm.property("is right for any numbers", 1, photographs(noise))(by_planes)


@instance_norm.property("keeps float32, and leaves its arguments as they are", 1,
                        photographs(dtype=np.float32), unchanged=True)
def _(x, weight, bias, eps):
    return by_planes(x, weight, bias, eps)


instance_norm.mistake(
    "a channel has **one mean for the whole batch**: that is batch norm; here every picture has "
    "its own",
    ("standardise(x, N * C, eps)", "standardise(x.swapaxes(0, 1), C, eps).swapaxes(0, 1)"))
instance_norm.mistake(
    "the channels of a picture are **normalised together**: that is layer norm; here every "
    "channel has its own mean",
    ("N * C,", "N,"))
instance_norm.mistake(
    "every **row of pixels** is normalised; the mean is over the whole plane, H and W",
    ("N * C,", "N * C * x.shape[2],"))
instance_norm.mistake(
    "weight and bias meet the **last axis** (the columns) instead of the channels: give them "
    "the shape (C, 1, 1)",
    (AFFINE, "y * weight + bias"))
instance_norm.mistake("**weight and bias are not used**", (AFFINE, "y"))
instance_norm.mistake("**eps is not passed on**", ("N * C, eps)", "N * C)"))

# ---------------------------------------------------------------- dropout

dropout = exercise(
    LESSON, "dropout", "Dropout", minutes=8, difficulty=1, keywords=("p", "training"),
    hints=("The chance is in u already: compare it with p, and nothing is random any more.",
           "u >= p says who stays. What is dropped must be made up for: only a share of 1 - p of "
           "the numbers is left, and their sum should be what it was.",
           "x * (u >= p) / (1 - p), with p = 1, training=False and a wrong p looked after first."))


@st.composite
def chances(draw, ps, training=ALWAYS, fill=signed, dtype=np.float64):
    shape = draw(shapes(1, 3))
    x = noise(draw(seeds), shape) if fill == noise else signed(shape, 1, dtype)
    u = scattered(draw(seeds), shape, 0, 19) / 20
    return dict(x=x, u=u, p=draw(st.sampled_from(ps)), training=draw(training))


def by_mask(x, u, p, training):
    x, dropped = torch.from_numpy(x), torch.from_numpy(u) < p
    if not training:
        return x
    return torch.zeros_like(x) if p == 1 else x.masked_fill(dropped, 0) / (1 - p)


dropout.property("drops where u is below p, and scales the rest", 2,
                 chances((0.5, 0.75, 0.0, 0.875)), exact=True, examples=(dict(
                     x=signed(3), u=np.array([0.45, 0.5, 0.55]), p=0.5, training=True),))(by_mask)
dropout.property("is right for any numbers and any p, 1 as well", 2,
                 chances((0.1, 1.0, 0.25, 1), fill=noise))(by_mask)


@dropout.property("changes nothing in evaluation, and never its arguments", 2,
                  chances((0.5, 0.75, 1.0), st.booleans(), dtype=np.float32),
                  exact=True, unchanged=True)
def _(x, u, p, training):
    return by_mask(x, u, p, training)


@dropout.property("refuses a p that is no probability", 1, st.builds(
    lambda p, training: dict(x=signed(3), u=np.zeros(3), p=p, training=training),
    st.sampled_from((-0.1, 1.5, -1, 2)), st.booleans()))
def _(x, u, p, training):
    return Raises("ValueError")


KEPT = "x * (u >= p) * scale"
dropout.mistake(
    "what is **dropped and what stays are swapped**: p is the probability to be dropped",
    ("(u >= p)", "(u < p)"))
dropout.mistake("the rest is **not scaled** by 1 / (1 - p)", (KEPT, "x * (u >= p)"))
dropout.mistake("the rest is scaled by **1 / p**; a share of 1 - p stays, so it is 1 / (1 - p)",
                ("1 / (1 - p) if p < 1 else 0.0", "1 / p if p > 0 else 0.0"))
dropout.mistake(
    "the rest is **multiplied by 1 - p** where it must be divided",
    (KEPT, "x * (u >= p) * (1 - p)"))
dropout.mistake(
    "the scaling is done **in evaluation** (times 1 - p) instead of in training; here the "
    "evaluation changes nothing",
    (KEPT, "x * (u >= p)"),
    ("        return x\n", "        return x * (1 - p)\n"))
dropout.mistake("`training` is **not looked at**: in evaluation nothing is dropped",
                ("if not training:", "if False:"))
dropout.mistake(
    "an element whose u **equals p is dropped**; it stays where u >= p, which matters for p = 0 "
    "and u = 0",
    ("(u >= p)", "(u > p)"))
dropout.mistake(
    "**p = 1 divides by zero**: 1 / (1 - p) has no value there, and the result is all zeros",
    ("1 / (1 - p) if p < 1 else 0.0", "np.float64(1) / (1 - p)"))
dropout.mistake("**x is changed in place** (`x[u < p] = 0`): the caller's array is spoiled",
                (f"return {KEPT}", "x[u < p] = 0\n    return x * scale"))
dropout.mistake("a **p outside 0 to 1 is not refused**", ("if not 0 <= p <= 1:", "if False:"))
dropout.mistake("a wrong p is refused **in training only**; it must be in evaluation too",
                ("if not 0 <= p <= 1:", "if training and not 0 <= p <= 1:"))
