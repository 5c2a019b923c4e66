"""Lesson 3: what pooling must do, and its gradients."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from hypothesis import strategies as st
from torch.nn import functional as F

from .contract import Raises, exercise
from .convolution import ANY, COUNTED, LESSON, SIGNED
from .strategies import counted, scattered, seeds, sizes

NEGATIVE = st.just(lambda shape: -counted(shape))
TIES = st.builds(lambda seed: partial(scattered, seed, low=-1, high=1), seeds)

# Pieces of the solutions that several edits change.
GIVEN = "SH, SW = kernel if stride is None else stride"
Y = "(*x.shape[:2], OH, OW)"


@st.composite
def pools(draw, fill=SIGNED, plain=False):
    """Draw images and windows; plain: side by side, without padding."""
    fill, n, c = draw(fill), draw(sizes(1, 2)), draw(sizes(1, 2))
    kernel = draw(sizes(1, 3)), draw(sizes(1, 3))
    stride, padding = None, (0, 0)
    if not plain:
        stride = draw(st.none() | st.tuples(sizes(1, 3), sizes(1, 3)))
        padding = tuple(draw(sizes(0, k // 2)) for k in kernel)
    size = [draw(sizes(k - p, k - p + 4)) for k, p in zip(kernel, padding, strict=True)]
    return dict(x=fill((n, c, *size)), kernel=kernel, stride=stride, padding=padding)


def pool(function: Callable) -> Callable:
    """Return the reference for a way of pooling."""
    return lambda x, kernel, stride, padding, **options: function(
        torch.from_numpy(x), kernel, stride, padding, **options)


def places(x, kernel, stride, padding) -> tuple[int, ...]:
    """Return the shape of what comes out."""
    along = zip(x.shape[2:], kernel, stride or kernel, padding, strict=True)
    return (*x.shape[:2], *((n + 2 * p - k) // s + 1 for n, k, s, p in along))


def pullback(function: Callable, g, x) -> torch.Tensor:
    """Return torch's gradient of `function` at x, from the gradient g of its result."""
    x = torch.from_numpy(x).requires_grad_()
    return torch.autograd.grad(function(x), x, torch.from_numpy(g))[0]


# ---------------------------------------------------------------- max_pool2d

max_pool2d = exercise(
    LESSON, "max_pool2d", "The largest of every window", minutes=15, difficulty=2,
    keywords=("stride", "padding"), given="the names of the sizes",
    hints=("It is conv2d with another way to combine the taps: instead of adding products, keep "
           "the larger of two numbers.",
           "The padding must lose against every pixel, so pad with minus infinity: np.pad has "
           "constant_values. Start y from minus infinity too.",
           "For each tap: y = np.maximum(y, x[:, :, k : k + SH * OH : SH, l : l + SW * OW : SW])."))


@st.composite
def too_wide(draw):
    """Draw a padding of more than half of the kernel, along one axis or both."""
    kernel = draw(sizes(1, 3)), draw(sizes(1, 3))
    bad = draw(st.sampled_from(((True, False), (False, True), (True, True))))
    padding = tuple(draw(sizes(k // 2 + 1, k + 2)) if b else 0
                    for k, b in zip(kernel, bad, strict=True))
    return dict(x=counted((1, 1, 3, 4)), kernel=kernel, padding=padding)


largest = pool(F.max_pool2d)
max_pool2d.property("is right for windows side by side", 2,
                    pools(COUNTED, plain=True), exact=True)(largest)
max_pool2d.property("is right for any stride and padding", 2,
                    pools(SIGNED | NEGATIVE), exact=True)(largest)
max_pool2d.property("is right for any numbers, in their dtype", 1, pools(ANY), exact=True)(largest)


@max_pool2d.property("refuses padding of more than half of the kernel", 1, too_wide())
def _(x, kernel, padding):
    return Raises("ValueError")


max_pool2d.mistake("the images are padded with **zeros**, which win against negative pixels; pad "
                   "with minus infinity", (", constant_values=-np.inf", ""))
max_pool2d.mistake("the search for the largest **starts at 0**, so that negative windows give 0; "
                   "start at minus infinity",
                   (f"np.full({Y}, -np.inf, x.dtype)", f"np.zeros({Y}, x.dtype)"))
max_pool2d.mistake("the **stride is ignored**: windows always lie side by side",
                   (GIVEN, "SH, SW = kernel"))
max_pool2d.mistake("without a stride the windows move by **1**; None means the kernel's size",
                   (GIVEN, "SH, SW = (1, 1) if stride is None else stride"))
max_pool2d.mistake("the **padding is ignored**", ("(PH, PH), (PW, PW)", "(0, 0), (0, 0)"))
max_pool2d.mistake("the strides are **swapped**: a pair is (for rows, for columns)",
                   (GIVEN, "SW, SH = kernel if stride is None else stride"))
max_pool2d.mistake("the kernel's sizes are **swapped**: a pair is (rows, columns)",
                   ("(KH, KW), (PH, PW) =", "(KW, KH), (PH, PW) ="))
max_pool2d.mistake("you return the **mean** of the windows",
                   (f"np.full({Y}, -np.inf, x.dtype)", f"np.zeros({Y}, x.dtype)"),
                   ("np.maximum(y, seen)", "y + np.where(np.isinf(seen), 0, seen) / (KH * KW)"))
max_pool2d.mistake("a **padding that is too large** is not refused with a ValueError",
                   ("2 * PH > KH or 2 * PW > KW", "False"))
max_pool2d.mistake("the padding is compared with the **whole kernel**, not with half of it",
                   ("2 * PH > KH or 2 * PW > KW", "PH > KH or PW > KW"))

# ---------------------------------------------------------------- max_pool2d_grad

max_pool2d_grad = exercise(
    LESSON, "max_pool2d_grad", "The gradient of max pooling", minutes=25, difficulty=3,
    keywords=("stride", "padding"), given="the names of the sizes, and the stride",
    hints=("First find out, for every window, which of its taps won. Then go over the taps and "
           "send g back from those windows that this tap has won.",
           "Lay the views of all taps along a new first axis, in the order of the taps, and take "
           "np.argmax along it: it returns the first of equals.",
           "For tap number t: dx[view of the tap] += np.where(winner == t, g, 0), where dx has the "
           "shape of the padded images; at the end cut off the padding."))


@st.composite
def pool_gradients(draw, fill=TIES, plain=False):
    case, other = draw(pools(fill, plain)), draw(SIGNED)
    g = other(places(**case)).astype(case["x"].dtype)
    return dict(g=g) | case


def max_gradient(g, x, kernel, stride, padding):
    return pullback(lambda x: F.max_pool2d(x, kernel, stride, padding), g, x)


max_pool2d_grad.property("sends g to the largest of windows side by side", 2,
                         pool_gradients(SIGNED, plain=True), exact=True)(max_gradient)
max_pool2d_grad.property("adds up where windows overlap, and cuts off the padding", 2,
                         pool_gradients(SIGNED | NEGATIVE), exact=True)(max_gradient)
max_pool2d_grad.property("gives everything to the first of equals", 2,
                         pool_gradients(), exact=True)(max_gradient)


@max_pool2d_grad.property("keeps any dtype, and leaves g and x as they were", 1,
                          pool_gradients(ANY), unchanged=True)
def _(g, x, **options):
    return max_gradient(g, x, **options)


VIEWS = "np.argmax([x[at] for at in places], axis=0)"
SENT = "np.where(winner == tap, g, 0)"
CROP = "dx[:, :, PH : PH + H, PW : PW + W]"
max_pool2d_grad.mistake("**all** pixels that are equally large get g; only the first of them does",
                        (VIEWS, "np.max([x[at] for at in places], axis=0)"),
                        (SENT, "np.where(x[at] == winner, g, 0)"))
max_pool2d_grad.mistake("pixels that are equally large **share** g; the first of them gets it all",
                        (VIEWS, "np.max([x[at] for at in places], axis=0)"),
                        (SENT, "np.where(x[at] == winner, g, 0)"
                               " / np.sum([x[a] == winner for a in places], axis=0)"))
max_pool2d_grad.mistake("the **last** of equally large pixels gets g; the first must",
                        (VIEWS, f"len(taps) - 1 - {VIEWS.replace('places', 'places[::-1]')}"))
max_pool2d_grad.mistake("of equally large pixels the one **furthest to the left** gets g; the "
                        "one in the highest row must",
                        ("for k in range(KH) for l in range(KW)",
                         "for l in range(KW) for k in range(KH)"))
max_pool2d_grad.mistake("a pixel that wins in several windows gets the g of the **last one only**; "
                        "add them up",
                        ("+= " + SENT, "= np.where(winner == tap, g, dx[at])"))
max_pool2d_grad.mistake("**every pixel** of a window gets g; only its largest does",
                        (SENT, "g"))
max_pool2d_grad.mistake("the images are padded with **zeros**, which win against negative pixels "
                        "and take their g; pad with minus infinity",
                        (", constant_values=-np.inf", ""))
max_pool2d_grad.mistake("the **padding is not cut off** from the result", (CROP, "dx"))
max_pool2d_grad.mistake("the padding is cut off with **[PH:-PH]**, which leaves nothing when "
                        "padding is 0; write [PH : PH + H]", (CROP, "dx[:, :, PH:-PH, PW:-PW]"))
max_pool2d_grad.mistake("g is **multiplied by the pixel**; the largest pixel passes through as it "
                        "is, with the slope 1", (SENT, "np.where(winner == tap, g * x[at], 0)"))

# ---------------------------------------------------------------- avg_pool2d

avg_pool2d = exercise(
    LESSON, "avg_pool2d", "The mean of every window", minutes=15, difficulty=2,
    keywords=("stride", "padding", "count_include_pad"),
    given="the names of the sizes, and the stride",
    hints=("Add up the views of all taps, as in conv2d with all weights 1; then divide.",
           "How many real pixels a window holds is the sum of a window too: in an image of ones, "
           "with a border of zeros.",
           "Pad np.ones(x.shape[2:], x.dtype) with constant_values=count_include_pad, sum its "
           "windows in the same loop, and return total / count."))


def averages(fill=SIGNED, plain=False):
    counting = st.just(True) if plain else st.booleans()
    return st.builds(lambda case, counting: case | dict(count_include_pad=counting),
                     pools(fill, plain), counting)


average = pool(F.avg_pool2d)
avg_pool2d.property("is right for windows side by side", 2, averages(COUNTED, plain=True))(average)
avg_pool2d.property("is right for any stride and padding", 2, averages())(average)
avg_pool2d.property("is right for any numbers, in their dtype", 1, averages(ANY))(average)

avg_pool2d.mistake("the **padding is always counted**; with count_include_pad=False a sum is "
                   "divided by the number of real pixels",
                   ("constant_values=count_include_pad", "constant_values=1"))
avg_pool2d.mistake("the **padding is never counted**; with count_include_pad=True every sum is "
                   "divided by KH * KW", ("constant_values=count_include_pad", "constant_values=0"))
avg_pool2d.mistake("count_include_pad is used the **wrong way round**",
                   ("constant_values=count_include_pad", "constant_values=not count_include_pad"))
avg_pool2d.mistake("the **sum** is not divided", ("total / count", "total"))
avg_pool2d.mistake("the **stride is ignored**: windows always lie side by side",
                   ("SH, SW = stride or kernel", "SH, SW = kernel"))
avg_pool2d.mistake("without a stride the windows move by **1**; None means the kernel's size",
                   ("SH, SW = stride or kernel", "SH, SW = (1, 1) if stride is None else stride"))
avg_pool2d.mistake("the **padding is ignored**",
                   ("(0, 0), (PH, PH), (PW, PW))", "(0, 0), (0, 0), (0, 0))"),
                   ("counts, ((PH, PH), (PW, PW))", "counts, ((0, 0), (0, 0))"))
avg_pool2d.mistake("the strides are **swapped**: a pair is (for rows, for columns)",
                   ("SH, SW = stride or kernel", "SW, SH = kernel if stride is None else stride"))
avg_pool2d.mistake("the division **rounds down** (//)", ("total / count", "total // count"))

# ---------------------------------------------------------------- avg_pool2d_grad

avg_pool2d_grad = exercise(
    LESSON, "avg_pool2d_grad", "The gradient of average pooling", minutes=15, difficulty=2,
    keywords=("stride", "padding"), given="the names of the sizes, and the stride",
    hints=("It is conv2d_grad_input with all weights equal, for each channel by itself.",
           "A pixel's share in the mean of a window is 1 / (KH * KW). Add g times that share to "
           "the view of each tap, in zeros as large as the padded images.",
           "dx[:, :, k : k + SH * OH : SH, l : l + SW * OW : SW] += g / (KH * KW); at the end keep "
           "dx[:, :, PH : PH + H, PW : PW + W]."))


@st.composite
def average_gradients(draw, fill=SIGNED, plain=False):
    case = draw(pools(fill, plain))
    x = case.pop("x")
    return dict(g=draw(fill)(places(x, **case)), size=x.shape[2:]) | case


def average_gradient(g, size, kernel, stride, padding):
    x = torch.zeros(*g.shape[:2], *size, dtype=torch.from_numpy(g).dtype)
    return pullback(lambda x: F.avg_pool2d(x, kernel, stride, padding), g, x.numpy())


avg_pool2d_grad.property("is right for windows side by side", 2,
                         average_gradients(COUNTED, plain=True))(average_gradient)
avg_pool2d_grad.property("is right for any stride and padding", 2,
                         average_gradients())(average_gradient)


@avg_pool2d_grad.property("keeps any dtype, and leaves g as it was", 1,
                          average_gradients(ANY), unchanged=True)
def _(g, **options):
    return average_gradient(g, **options)


VIEW = "k : k + SH * OH : SH, l : l + SW * OW : SW"
avg_pool2d_grad.mistake("where windows overlap, later ones **overwrite** earlier ones; what "
                        "arrives at a pixel is summed", ("+= share", "= share"))
avg_pool2d_grad.mistake("every pixel gets **all of g**; its share in the mean is 1 / (KH * KW)",
                        ("g / (KH * KW)", "g"))
avg_pool2d_grad.mistake("g is divided by the number of **windows**, OH * OW; a mean is over the "
                        "KH * KW pixels of one window", ("g / (KH * KW)", "g / (OH * OW)"))
avg_pool2d_grad.mistake("the **padding is not cut off** from the result", (CROP, "dx"))
avg_pool2d_grad.mistake("the padding is cut off with **[PH:-PH]**, which leaves nothing when "
                        "padding is 0; write [PH : PH + H]", (CROP, "dx[:, :, PH:-PH, PW:-PW]"))
avg_pool2d_grad.mistake("what is sent back lands on **neighbouring pixels**; the views step by the "
                        "stride", (VIEW, "k : k + OH, l : l + OW"))
avg_pool2d_grad.mistake("g is **divided in place** (g /= ...): the caller's array changes; write "
                        "share = g / (KH * KW)",
                        ("share = g / (KH * KW)", "g /= KH * KW\n    share = g"))
avg_pool2d_grad.mistake(
    "each g is shared among the **real pixels** of its window; with count_include_pad=True the "
    "padding has its share too", (
        "share = g / (KH * KW)",
        "real = np.pad(np.ones(size, g.dtype), ((PH, PH), (PW, PW)))\n"
        f"    share = g / sum(real[{VIEW}] for k in range(KH) for l in range(KW))"))

# ---------------------------------------------------------------- adaptive_avg_pool2d

adaptive_avg_pool2d = exercise(
    LESSON, "adaptive_avg_pool2d", "Pooling to a given size", minutes=12, difficulty=2,
    given="the names of the sizes",
    hints=("In 7 rows to 3, the windows are the rows 0-2, 2-4 and 4-6: they share rows 2 and 4.",
           "In whole numbers: rounded down is a // b, rounded up is -(-a // b). Both are right for "
           "i * H / OH.",
           "y[:, :, i, j] = x[:, :, rows, columns].mean(axis=(2, 3)), where rows is "
           "slice(i * H // OH, -(-(i + 1) * H // OH)), and columns likewise."))


@st.composite
def adaptive(draw, fill=SIGNED, whole=False):
    fill, n, c = draw(fill), draw(sizes(1, 2)), draw(sizes(1, 2))
    oh, ow = draw(sizes(1, 4)), draw(sizes(1, 4))
    h, w = (oh * draw(sizes(1, 2)), ow * draw(sizes(1, 3))) if whole else \
        (draw(sizes(1, 7)), draw(sizes(1, 7)))
    return dict(x=fill((n, c, h, w)), size=(oh, ow))


def adapted(x, size):
    return F.adaptive_avg_pool2d(torch.from_numpy(x), size)


adaptive_avg_pool2d.property("is right where windows divide the image evenly", 1,
                             adaptive(COUNTED, whole=True))(adapted)
adaptive_avg_pool2d.property("is right for any sizes", 2, adaptive(), examples=(
    dict(x=counted((1, 1, 7, 1)), size=(3, 1)),))(adapted)
adaptive_avg_pool2d.property("is right for any numbers, in their dtype", 1,
                             adaptive(ANY))(adapted)

ROWS = "slice(i * H // OH, -(-(i + 1) * H // OH))"
COLUMNS = "slice(j * W // OW, -(-(j + 1) * W // OW))"
QUIET = (".mean(axis=(2, 3))",  # the same, without a warning about windows that are empty
         ".sum(axis=(2, 3)) / x[0, 0, rows, columns].size")
adaptive_avg_pool2d.mistake("the **end is rounded down**, so that windows never share a row; round "
                            "it up", ("-(-(i + 1) * H // OH)", "(i + 1) * H // OH"),
                            ("-(-(j + 1) * W // OW)", "(j + 1) * W // OW"), QUIET)
adaptive_avg_pool2d.mistake("the **beginning is rounded up**; round it down",
                            ("slice(i * H // OH", "slice(-(-i * H // OH)"),
                            ("slice(j * W // OW", "slice(-(-j * W // OW)"), QUIET)
adaptive_avg_pool2d.mistake("all windows have the **same size**, H // OH rows; the rows that are "
                            "left over belong to windows too",
                            (ROWS, "slice(i * (H // OH), (i + 1) * (H // OH))"),
                            (COLUMNS, "slice(j * (W // OW), (j + 1) * (W // OW))"), QUIET)
adaptive_avg_pool2d.mistake("windows are **one row too long** where the sizes divide evenly: "
                            "rounded down plus 1 is not rounded up",
                            ("-(-(i + 1) * H // OH)", "(i + 1) * H // OH + 1"),
                            ("-(-(j + 1) * W // OW)", "(j + 1) * W // OW + 1"))
adaptive_avg_pool2d.mistake("every place holds the mean of the **whole image**",
                            ("[:, :, rows, columns]", ""))
adaptive_avg_pool2d.mistake("you take **one pixel** of each window instead of the mean of all",
                            ("[:, :, rows, columns].mean(axis=(2, 3))",
                             "[:, :, i * H // OH, j * W // OW]"))
adaptive_avg_pool2d.mistake("the **sum** is not divided", (".mean(", ".sum("))
adaptive_avg_pool2d.mistake("the sizes are **swapped**: a pair is (rows, columns)",
                            ("(H, W), (OH, OW) =", "(H, W), (OW, OH) ="))
