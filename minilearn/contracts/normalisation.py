"""Lesson 4: what any batch norm must do, in training, in evaluation and backwards."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import strategies as st
from torch.nn import functional as F

from .contract import Raises, exercise
from .strategies import counted, noise, scattered, seeds, signed, sizes

LESSON = "04_normalisation"
EPS = st.sampled_from((0.01, 1e-5, 1.0))
MOMENTUM = st.sampled_from((0.1, 0.25, 0.0, 1.0))

# Pieces of the solutions that several edits change.
OVER, OVER_KEPT = "axis=(0, 2, 3)", "axis=(0, 2, 3), keepdims=True"


@st.composite
def pictures(draw, fill=None, dtype=np.float64):
    """Draw (N, C, H, W) with at least two numbers per channel."""
    n, c, h, w = (draw(sizes(1, 3)) for _ in range(4))
    shape = (n + (n * h * w == 1), c, h, w)
    return (fill or signed)(shape).astype(dtype) if fill != noise else noise(draw(seeds), shape)


def per_channel(x, first):
    """Return first, -(first + 1), ...: one number per channel, none of them 0 or 1."""
    return signed(x.shape[1], first, x.dtype)


@st.composite
def batches(draw, fill=None, plain=False, dtype=np.float64):
    x = draw(pictures(fill, dtype))
    weight, bias = per_channel(x, 2), 10 * per_channel(x, 1)
    if plain:
        weight, bias = np.ones_like(weight), np.zeros_like(bias)
    return dict(x=x, weight=weight, bias=bias, eps=draw(EPS))


def far(shape):
    """Return small differences far away from zero."""
    return 1e5 + signed(shape)


# ---------------------------------------------------------------- batch_norm

batch_norm = exercise(
    LESSON, "batch_norm", "Batch norm in training", minutes=15, difficulty=2, keywords=("eps",),
    hints=("One mean and one variance per channel: the channels are axis 1, so take them over all "
           "the other axes.",
           "x.mean(axis=(0, 2, 3), keepdims=True) has the shape (1, C, 1, 1) and can be subtracted "
           "from x; x.var is the biased variance already.",
           "y = (x - mean) / np.sqrt(var + eps), then times weight[:, None, None], plus "
           "bias[:, None, None]."))


def in_training(x, weight, bias, eps):
    x, weight, bias = map(torch.from_numpy, (x, weight, bias))
    return F.batch_norm(x, None, None, weight, bias, training=True, eps=eps)


batch_norm.property("normalises each channel over the batch and all places", 2, batches(plain=True),
                    examples=(dict(x=np.full((2, 1, 1, 1), 3.0), weight=np.ones(1),
                                   bias=np.zeros(1), eps=1e-5),))(in_training)
batch_norm.property("has a weight and a bias for each channel", 1, batches(noise))(in_training)
batch_norm.property("is right far from zero", 1, batches(far, plain=True), rtol=1e-8)(in_training)


@batch_norm.property("keeps float32, and leaves its arguments as they are", 1,
                     batches(dtype=np.float32), unchanged=True)
def _(x, weight, bias, eps):
    return in_training(x, weight, bias, eps)


batch_norm.mistake(
    "the variance is the **unbiased** one (divided by n - 1); here it is divided by n, as "
    "`x.var` does without `ddof`",
    (f"var({OVER_KEPT})", f"var({OVER_KEPT}, ddof=1)"))
batch_norm.mistake("the statistics are taken over the **batch alone**; a channel has one "
                   "mean, over axes 0, 2 and 3",
                   (f"mean({OVER}", "mean(axis=0"), (f"var({OVER}", "var(axis=0"))
batch_norm.mistake(
    "every picture has **statistics of its own** (axes 2, 3): that is instance norm; batch norm "
    "takes axis 0 as well",
    (f"mean({OVER}", "mean(axis=(2, 3)"),
    (f"var({OVER}", "var(axis=(2, 3)"))
batch_norm.mistake(
    "there is **one mean for all channels**: leave axis 1 out of the axes",
    (f"mean({OVER}", "mean(axis=(0, 1, 2, 3)"),
    (f"var({OVER}", "var(axis=(0, 1, 2, 3)"))
batch_norm.mistake(
    "**eps is added outside the root**, to the standard deviation; it belongs to the variance: "
    "sqrt(var + eps)",
    ("np.sqrt(var + eps)", "(np.sqrt(var) + eps)"))
batch_norm.mistake("**eps is missing**: it is added to the variance, under the root",
                   ("var + eps", "var"))
batch_norm.mistake("you divide by the **variance** instead of its root, the standard deviation",
                   ("np.sqrt(var + eps)", "(var + eps)"))
batch_norm.mistake("weight and bias meet the **last axis** (the columns) instead of "
                   "the channels: give them the shape (C, 1, 1)",
                   ("weight[:, None, None] + bias[:, None, None]", "weight + bias"))
batch_norm.mistake("**weight and bias are not used**",
                   ("y * weight[:, None, None] + bias[:, None, None]", "y"))
batch_norm.mistake(
    "the variance is mean(x²) - mean(x)²: far from zero this **difference of huge numbers loses "
    "its digits**; use `var`",
    (f"x.var({OVER_KEPT})", f"(x * x).mean({OVER_KEPT}) - mean * mean"))
batch_norm.mistake("**x is changed in place** (`x -= ...`): the caller's array is spoiled; write "
                   "`x - mean` into a new one",
                   ("    y = (x - mean) /", "    x -= mean\n    y = x /"))

# ---------------------------------------------------------------- running_statistics

running_statistics = exercise(
    LESSON, "running_statistics", "What batch norm remembers", minutes=12, difficulty=2,
    keywords=("momentum",),
    hints=("The momentum is the share of the new batch; what was there keeps the rest.",
           "Both statistics are over the axes 0, 2 and 3, without keepdims: (C,). The unbiased "
           "variance is x.var(..., ddof=1).",
           "return ((1 - momentum) * running_mean + momentum * mean, and the same with var)."))


@st.composite
def memories(draw, fill=None):
    x = draw(pictures(fill))
    return dict(running_mean=10 * per_channel(x, 1), running_var=counted(x.shape[1], 2), x=x,
                momentum=draw(MOMENTUM))


def remembered(running_mean, running_var, x, momentum):
    mean, var = map(torch.from_numpy, (running_mean, running_var))
    F.batch_norm(torch.from_numpy(x), mean, var, training=True, momentum=momentum)
    return mean, var


running_statistics.property("moves mean and variance towards the batch's", 2,
                            memories())(remembered)
running_statistics.property("is right for any numbers", 1, memories(noise))(remembered)


@running_statistics.property("leaves its arguments as they are", 1, memories(),
                             unchanged=True)
def _(running_mean, running_var, x, momentum):
    return remembered(running_mean, running_var, x, momentum)


@running_statistics.property("refuses one number per channel", 1, st.builds(
    lambda c: dict(running_mean=np.zeros(c), running_var=np.ones(c), x=signed((1, c, 1, 1))),
    sizes()))
def _(running_mean, running_var, x):
    return Raises("ValueError")


running_statistics.mistake(
    "the variance is the **biased** one (divided by n); what is remembered is divided by n - 1: "
    "ddof=1",
    (", ddof=1", ""))
running_statistics.mistake(
    "the **momentum is reversed**: it is the share of the new batch, not of what was there",
    ("(1 - momentum) * running_mean + momentum * mean",
     "momentum * running_mean + (1 - momentum) * mean"),
    ("(1 - momentum) * running_var + momentum * var",
     "momentum * running_var + (1 - momentum) * var"))
running_statistics.mistake("what was there is **not faded** by 1 - momentum, so that the sums grow",
                           ("(1 - momentum) * running_mean", "running_mean"),
                           ("(1 - momentum) * running_var", "running_var"))
running_statistics.mistake(
    "the running statistics are **replaced** by the batch's; only the share `momentum` is new",
    ("(1 - momentum) * running_mean + momentum * mean", "mean"),
    ("(1 - momentum) * running_var + momentum * var", "var"))
running_statistics.mistake(
    "the variance is made unbiased with the **number of pictures N**; the number of places "
    "counts: n = N * H * W, n / (n - 1)",
    (f"x.var({OVER}, ddof=1)", f"x.var({OVER}) * len(x) / max(len(x) - 1, 1)"))
running_statistics.mistake("the **standard deviation** is remembered instead of the variance",
                           (f"x.var({OVER}, ddof=1)", f"x.std({OVER}, ddof=1)"))
running_statistics.mistake(
    "the variance is the **mean of the pictures' own variances**; it must be taken over all "
    "pictures at once",
    (f"x.var({OVER}, ddof=1)", "x.var(axis=(2, 3), ddof=1).mean(axis=0)"))
running_statistics.mistake("the **running variance stays as it was**: it moves as the mean does",
                           ("(1 - momentum) * running_var + momentum * var", "running_var"))
running_statistics.mistake("the **old arrays are changed in place**; return new ones",
                           ("mean = (1 - momentum) * running_mean + momentum * mean",
                            "running_mean *= 1 - momentum\n    running_mean += momentum * mean"),
                           ("var = (1 - momentum) * running_var + momentum * var",
                            "running_var *= 1 - momentum\n    running_var += momentum * var"),
                           ("return mean, var", "return running_mean, running_var"))
running_statistics.mistake(
    "**one number per channel is not refused**, and its unbiased variance is 0 / 0",
    ("if x.size == x.shape[1]:", "if x.size == 0:"))

# ---------------------------------------------------------------- batch_norm_eval

batch_norm_eval = exercise(
    LESSON, "batch_norm_eval", "Batch norm in evaluation", minutes=8, difficulty=1,
    keywords=("eps",),
    hints=("Nothing is measured here: the four arrays are given, one number per channel each.",
           "Give each of them the shape (C, 1, 1), so that it meets axis 1 of x.",
           "The whole is x * scale + shift, with scale = weight / np.sqrt(running_var + eps)."))


@st.composite
def learned(draw, fill=None, dtype=np.float64):
    x = draw(pictures(fill, dtype))
    x = x[: draw(sizes(1, len(x)))]
    return dict(x=x, running_mean=per_channel(x, 3), running_var=counted(x.shape[1], 4, x.dtype),
                weight=per_channel(x, 2), bias=10 * per_channel(x, 1), eps=draw(EPS))


def in_evaluation(x, running_mean, running_var, weight, bias, eps):
    arrays = map(torch.from_numpy, (x, running_mean, running_var, weight, bias))
    return F.batch_norm(*arrays, training=False, eps=eps)


batch_norm_eval.property("normalises by what was remembered", 2, learned())(in_evaluation)
batch_norm_eval.property("is right for any numbers", 1, learned(noise))(in_evaluation)


@batch_norm_eval.property("keeps float32, and leaves its arguments as they are", 1,
                          learned(dtype=np.float32), unchanged=True)
def _(x, eps, **arrays):
    return in_evaluation(x, eps=eps, **arrays)


batch_norm_eval.mistake(
    "the **batch's own mean and variance** are used; in evaluation the running ones are",
    ("    scale = ",
     "    running_mean, running_var = x.mean((0, 2, 3)), x.var((0, 2, 3))\n" "    scale = "))
batch_norm_eval.mistake("**eps is added outside the root**; it belongs to the variance",
                        ("np.sqrt(running_var + eps)", "(np.sqrt(running_var) + eps)"))
batch_norm_eval.mistake("**eps is missing**: it is added to the variance, under the root",
                        ("running_var + eps", "running_var"))
batch_norm_eval.mistake("you divide by the **variance** instead of its root",
                        ("np.sqrt(running_var + eps)", "(running_var + eps)"))
batch_norm_eval.mistake(
    "the **running mean is not subtracted**",
    ("bias - running_mean * scale", "bias"))
batch_norm_eval.mistake("the **bias is scaled too**: it is added last, after the division and the "
                        "weight", ("bias - running_mean * scale", "(bias - running_mean) * scale"))
batch_norm_eval.mistake("the **weight is not used**", ("scale = weight /", "scale = 1 /"))
batch_norm_eval.mistake(
    "the arrays meet the **last axis** (the columns) instead of the channels: "
    "give them the shape (C, 1, 1)",
    ("x * scale[:, None, None] + shift[:, None, None]", "x * scale + shift"))

# ---------------------------------------------------------------- batch_norm_grad

batch_norm_grad = exercise(
    LESSON, "batch_norm_grad", "Batch norm backwards", minutes=30, difficulty=3, keywords=("eps",),
    hints=("Compute xhat again, as in batch_norm. bias and weight are simple: each of their "
           "numbers met all places of its channel, so sum over the axes 0, 2 and 3.",
           "A number of x that grows takes the mean and the standard deviation of its channel with "
           "it: that is what the two subtracted terms say. Take both means with keepdims.",
           "dx = weight[:, None, None] / std * (g - g.mean(...) - xhat * (g * xhat).mean(...))."))


@st.composite
def cotangents(draw, fill=None):
    x = draw(pictures(fill))
    g = scattered(draw(seeds), x.shape)
    return dict(g=g, x=x, weight=per_channel(x, 2), eps=draw(EPS))


def backwards(g, x, weight, eps):
    x, weight = (torch.from_numpy(a).requires_grad_() for a in (x, weight))
    bias = torch.zeros_like(weight, requires_grad=True)
    y = F.batch_norm(x, None, None, weight, bias, training=True, eps=eps)
    return torch.autograd.grad(y, (x, weight, bias), torch.from_numpy(g))


batch_norm_grad.property("returns the gradients of x, weight and bias", 3, cotangents())(backwards)
batch_norm_grad.property("is right for any numbers", 1, cotangents(noise))(backwards)


@st.composite
def cotangents32(draw):  # eps 1 and numbers apart: else dx is a difference that float32 has not
    x = draw(pictures(dtype=np.float32))
    return dict(g=counted(x.shape, dtype=x.dtype), x=x, weight=per_channel(x, 2), eps=1.0)


@batch_norm_grad.property("keeps float32, and leaves its arguments as they are", 1,
                          cotangents32(), rtol=1e-3, unchanged=True)
def _(g, x, weight, eps):
    return backwards(g, x, weight, eps)


MEAN_PATH = ("g - g.mean(axis=over, keepdims=True)", "g")
VARIANCE_PATH = ("direct - xhat * (g * xhat).mean(axis=over, keepdims=True)", "direct")
batch_norm_grad.mistake(
    "the **path through the mean is missing** in dx: subtract mean(g)",
    MEAN_PATH)
batch_norm_grad.mistake("the **path through the variance is missing** in dx: subtract "
                        "xhat * mean(g * xhat)", VARIANCE_PATH)
batch_norm_grad.mistake(
    "**mean and variance are treated as constants** in dx, but both depend on x",
    MEAN_PATH,
    VARIANCE_PATH)
batch_norm_grad.mistake(
    "the **weight is missing in dx**",
    ("weight[:, None, None] / std", "1 / std"))
batch_norm_grad.mistake("dx is **not divided by the standard deviation**",
                        ("weight[:, None, None] / std *", "weight[:, None, None] *"))
batch_norm_grad.mistake(
    "dweight is the sum of **g * x**; what the weight was multiplied by is xhat, the normalised "
    "x",
    ("dweight = (g * xhat)", "dweight = (g * x)"))
batch_norm_grad.mistake(
    "dweight and dbias are **means** over the places; the gradient is their sum",
    ("dbias = g.sum", "dbias = g.mean"),
    ("dweight = (g * xhat).sum", "dweight = (g * xhat).mean"))
batch_norm_grad.mistake("dweight and dbias are summed over the **batch only**: a channel's places "
                        "share them too, so sum over the axes 0, 2 and 3",
                        ("dbias = g.sum(axis=over)", "dbias = g.sum(axis=0)"),
                        ("dweight = (g * xhat).sum(axis=over)", "dweight = (g * xhat).sum(axis=0)"))
batch_norm_grad.mistake("the two terms of dx are **sums** over the places where means are due",
                        ("g - g.mean", "g - g.sum"), ("(g * xhat).mean", "(g * xhat).sum"))
batch_norm_grad.mistake("**eps is missing** in the standard deviation", (") + eps)", "))"))
