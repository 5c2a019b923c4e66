"""Lesson 3: what any convolution must do, from counting its places to the windows in a matrix."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from hypothesis import strategies as st
from torch.nn import functional as F

from .contract import Case, Raises, exercise
from .strategies import counted, noise, seeds, signed, sizes

LESSON = "03_convolution"
COUNTED, SIGNED = st.just(counted), st.just(signed)
ANY = st.builds(lambda seed, dtype: partial(noise, seed, dtype=dtype), seeds,
                st.sampled_from([np.float64, np.float32]))
PAD = "((0, 0), (0, 0), (padding, padding), (padding, padding))"
SEEN = "k : k + stride * OH : stride, l : l + stride * OW : stride"


class Geometry(NamedTuple):
    """The sizes of a convolution whose kernel fits."""

    n: int
    c: int  # input channels
    f: int  # filters
    size: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]

    @property
    def places(self) -> tuple[int, ...]:
        """The height and width of the result."""
        along = zip(*self[3:], strict=True)
        return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in along)


@st.composite
def geometries(draw, stride=3, padding=2, dilation=1, pairs=False):
    """Draw sizes, with options up to the given ones: the same along both axes, or pairs."""
    def pair(least, most):
        rows = draw(sizes(least, most))
        return rows, draw(sizes(least, most)) if pairs else rows

    n, c, f = draw(sizes(1, 2)), draw(sizes(1, 3)), draw(sizes(1, 3))
    kernel = draw(sizes(1, 3)), draw(sizes(1, 3))
    s, p, d = pair(1, stride), pair(0, padding), pair(1, dilation)
    least = [max(1, d[i] * (kernel[i] - 1) + 1 - 2 * p[i]) for i in (0, 1)]
    size = draw(sizes(least[0], least[0] + 4)), draw(sizes(least[1], least[1] + 4))
    return Geometry(n, c, f, size, kernel, s, p, d)


def cases(arrange: Callable, fill=SIGNED, **options) -> st.SearchStrategy[Case]:
    """Draw a geometry and a way to fill arrays, and arrange them as the arguments of a call."""
    return st.builds(arrange, geometries(**options), fill)


# ---------------------------------------------------------------- output_size

output_size = exercise(
    LESSON, "output_size", "How large is the result?", minutes=8, difficulty=1,
    keywords=("stride", "padding", "dilation"),
    hints=("Move the kernel to the right until it touches the end of the padded axis. How far is "
           "that from where it started?",
           "A kernel of 3 taps reaches over 1 + 2 * dilation pixels. The padded axis minus that "
           "reach is the room the kernel has to move.",
           "There are room // stride + 1 places, with room = n + 2 * padding - reach and reach = "
           "dilation * (kernel - 1) + 1. A room below 0 is an error."))


@st.composite
def lines(draw, fits=True):
    kernel, dilation = draw(sizes(1 if fits else 2, 4)), draw(sizes(1, 3))
    padding, stride = draw(sizes(0, 3 if fits else 0)), draw(sizes(1, 4))
    reach = dilation * (kernel - 1) + 1
    least = max(1, reach - 2 * padding)
    n = draw(sizes(least, least + 9) if fits else sizes(1, reach - 1))
    return dict(n=n, kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@output_size.property("counts the places for any stride, padding and dilation", 2, lines(),
                      examples=(dict(n=4, kernel=3, stride=2, padding=0, dilation=1),
                                dict(n=2, kernel=1, stride=4, padding=0, dilation=1)))
def _(n, kernel, stride, padding, dilation):
    x, w = torch.zeros(1, 1, n), torch.zeros(1, 1, kernel)
    return F.conv1d(x, w, stride=stride, padding=padding, dilation=dilation).shape[2]


@output_size.property("refuses a kernel that does not fit", 1, lines(fits=False))
def _(n, kernel, stride, padding, dilation):
    return Raises("ValueError")


output_size.mistake("the padding is counted at **one end only**; it is added at both",
                    ("n + 2 * padding", "n + padding"))
output_size.mistake("the **stride is ignored**", ("room // stride + 1", "room + 1"))
output_size.mistake("the division is **rounded up**; a place that is not whole does not count",
                    ("room // stride", "-(-room // stride)"))
output_size.mistake("the final **+ 1 is missing**: the first place counts too",
                    ("room // stride + 1", "room // stride"))
output_size.mistake("the **dilation is ignored**", ("dilation * (kernel - 1)", "(kernel - 1)"))
output_size.mistake("a kernel is taken to reach over **dilation * kernel** pixels; but k taps have "
                    "only k - 1 gaps between them",
                    ("dilation * (kernel - 1) + 1", "dilation * kernel"))
output_size.mistake("a kernel that **does not fit** is not refused with a ValueError",
                    ("room < 0", "False"))
output_size.mistake("the division is **/ instead of //**, which gives a float",
                    ("room // stride", "room / stride"))

# ---------------------------------------------------------------- receptive_field

receptive_field = exercise(
    LESSON, "receptive_field", "How far does a stack of layers look?", minutes=10, difficulty=2,
    hints=("Two 3-wide kernels of stride 1 look over 5 pixels: the second adds 2 to the 3 of the "
           "first.",
           "After a layer of stride 2, neighbouring outputs are 2 input pixels apart. So each tap "
           "of the next layer adds 2 pixels, not 1.",
           "Keep two numbers, both 1 at first. For each layer: field += (kernel - 1) * distance, "
           "and only then distance *= stride."))
stacks = st.lists(st.tuples(sizes(1, 4), sizes(1, 3)), min_size=0, max_size=4).map(list)


@receptive_field.property("counts the pixels for any kernels and strides", 2,
                          st.builds(dict, layers=stacks),
                          examples=(dict(layers=[(3, 1), (3, 1)]),
                                    dict(layers=[(3, 2), (3, 1)])))
def _(layers):
    n = 1
    for kernel, stride in reversed(layers):
        n = (n - 1) * stride + kernel
    x = torch.zeros(1, 1, n + 5, requires_grad=True)
    y = x
    for kernel, stride in layers:
        y = F.conv1d(y, torch.ones(1, 1, kernel), stride=stride)
    touched = torch.autograd.grad(y[..., 0].sum(), x)[0].flatten().nonzero()
    return int(touched.max()) + 1


@receptive_field.property("grows by kernel - 1 for each layer of stride 1", 1,
                          st.builds(lambda ks: dict(layers=[(k, 1) for k in ks]),
                                    st.lists(sizes(1, 5), max_size=5)))
def _(layers):
    return 1 + sum(kernel - 1 for kernel, _ in layers)


receptive_field.mistake("the **strides are ignored**", ("distance *= stride", "pass"))
receptive_field.mistake(
    "a layer's **own stride** is counted for its own taps; it only moves the taps of the layers "
    "after it", ("        field += (kernel - 1) * distance\n        distance *= stride\n",
                 "        distance *= stride\n        field += (kernel - 1) * distance\n"))
receptive_field.mistake("only the **stride of the layer before** counts; the strides of all layers "
                        "before must be multiplied", ("distance *= stride", "distance = stride"))
receptive_field.mistake("the strides are **added up**; they multiply",
                        ("distance *= stride", "distance += stride - 1"))
receptive_field.mistake("each layer adds **kernel** instead of kernel - 1 steps: its first tap was "
                        "there already", ("(kernel - 1) * distance", "kernel * distance"))
receptive_field.mistake("the layers are taken in **reverse order**",
                        ("in layers:", "in layers[::-1]:"))
receptive_field.mistake("the count starts at **0 instead of 1**: even without layers an output is "
                        "one pixel", ("field, distance = 1, 1", "field, distance = 0, 1"))

# ---------------------------------------------------------------- conv2d_loops

conv2d_loops = exercise(
    LESSON, "conv2d_loops", "Convolution, place by place", minutes=15, difficulty=1,
    keywords=("stride", "padding"), given="the names of w's sizes",
    forbidden=("numpy.convolve", "numpy.correlate", "numpy.lib.stride_tricks.sliding_window_view"),
    hints=("Pad the image with np.pad, work out OH and OW, and fill an array (F, OH, OW) in two "
           "loops, over i and over j.",
           "The window of place (i, j) has the size of the kernel and begins in row i * stride and "
           "column j * stride; it spans all channels.",
           "y[:, i, j] = (w * window).sum(axis=(1, 2, 3)), where window = "
           "padded[:, top : top + KH, left : left + KW]."))


def one_image(g: Geometry, fill: Callable) -> Case:
    return dict(x=fill((g.c, *g.size)), w=fill((g.f, g.c, *g.kernel)),
                stride=g.stride[0], padding=g.padding[0])


def conv2d_of_one(x, w, stride, padding):
    return F.conv2d(torch.from_numpy(x), torch.from_numpy(w), None, stride, padding)


conv2d_loops.property("is right at stride 1 without padding", 2,
                      cases(one_image, COUNTED, stride=1, padding=0), exact=True)(conv2d_of_one)
conv2d_loops.property("is right for any stride and padding", 2,
                      cases(one_image), exact=True)(conv2d_of_one)
conv2d_loops.property("is right for any numbers, in their dtype", 1,
                      cases(one_image, ANY))(conv2d_of_one)

conv2d_loops.mistake("the windows **begin at (i, j)**, whatever the stride; they begin at "
                     "(i * stride, j * stride)",
                     ("top, left = i * stride, j * stride", "top, left = i, j"))
conv2d_loops.mistake("the stride is used along the **rows only**",
                     ("i * stride, j * stride\n", "i * stride, j\n"))
conv2d_loops.mistake("the **padding is ignored**",
                     ("((0, 0), (padding, padding), (padding, padding))", "((0, 0),) * 3"))
conv2d_loops.mistake("the padding is added at the **bottom and right only**; it belongs on all "
                     "four sides",
                     ("(padding, padding), (padding, padding)", "(0, padding), (0, padding)"))
conv2d_loops.mistake("the **kernel is flipped**: that is the mathematician's convolution; in deep "
                     "learning the kernel is laid on as it is",
                     ("(w * window)", "(w[:, :, ::-1, ::-1] * window)"))
conv2d_loops.mistake("you return the **mean** of the products instead of their sum",
                     (".sum(axis", ".mean(axis"))
conv2d_loops.mistake("only **channel 0** is used; the sum goes over all channels",
                     ("(w * window).sum(axis=(1, 2, 3))", "(w * window)[:, 0].sum(axis=(1, 2))"))
conv2d_loops.mistake("the number of columns OW is worked out with **KH instead of KW**",
                     ("(x.shape[2] - KW)", "(x.shape[2] - KH)"))
conv2d_loops.mistake("the result is **always float64**: give np.zeros the dtype of x",
                     ("(F, OH, OW), x.dtype)", "(F, OH, OW))"))

# ---------------------------------------------------------------- conv2d

conv2d = exercise(
    LESSON, "conv2d", "Convolution, tap by tap", minutes=25, difficulty=3,
    keywords=("stride", "padding"), given="the names of w's sizes",
    forbidden=("numpy.convolve", "numpy.correlate"),
    hints=("Pad first. Then each tap (k, l) sees, over all places, a shifted and thinned-out view "
           "of the images.",
           "The view of tap (k, l) starts at row k and column l, steps by the stride, and has OH "
           "rows and OW columns: k : k + stride * OH : stride.",
           "Each view meets the matrix w[:, :, k, l] of shape (F, C): "
           "y += np.einsum('nchw,fc->nfhw', view, w[:, :, k, l]); at the end + b[:, None, None]."))


def forward(g: Geometry, fill: Callable) -> Case:
    return dict(x=fill((g.n, g.c, *g.size)), w=fill((g.f, g.c, *g.kernel)), b=fill(g.f) * 10,
                stride=g.stride[0], padding=g.padding[0])


def by_torch(x, w, b, **options):
    return F.conv2d(*map(torch.from_numpy, (x, w, b)), **options)


conv2d.property("is right at stride 1 without padding", 2,
                cases(forward, COUNTED, stride=1, padding=0), exact=True)(by_torch)
conv2d.property("is right for any stride and padding", 2, cases(forward), exact=True)(by_torch)
conv2d.property("is right for any numbers, in their dtype", 1, cases(forward, ANY))(by_torch)

conv2d.mistake("the **padding is ignored**", (PAD, "((0, 0),) * 4"))
conv2d.mistake("the **kernel is flipped**: that is the mathematician's convolution; in deep "
               "learning the kernel is laid on as it is",
               ("w[:, :, k, l]", "w[:, :, KH - 1 - k, KW - 1 - l]"))
conv2d.mistake("the **bias is missing**", ("y + b[:, None, None]", "y"))
conv2d.mistake("the bias is added **once for each tap**; add it once, at the end",
               ("optimize=True)", "optimize=True) + b[:, None, None]"),
               ("return y + b[:, None, None]", "return y"))
conv2d.mistake("the bias is added along the **columns** of the images; give it the shape "
               "(F, 1, 1), so that each filter gets its own", ("b[:, None, None]", "b"))
conv2d.mistake("the views **do not step by the stride**: they are OH x OW neighbouring pixels",
               (SEEN, "k : k + OH, l : l + OW"))
conv2d.mistake("the stride is used along the **rows only**", ("l : l + stride * OW : stride",
                                                              "l : l + OW"))
conv2d.mistake("each tap **overwrites** what the taps before it gave; add them up",
               ("y += np.einsum", "y[...] = np.einsum"))
conv2d.mistake("every channel meets the weights of **channel 0**",
               ('"nchw,fc->nfhw", seen, w[:, :, k, l]', '"nchw,f->nfhw", seen, w[:, 0, k, l]'))
conv2d.mistake("the result is **always float64**: give np.zeros the dtype of x",
               ("(len(x), F, OH, OW), x.dtype)", "(len(x), F, OH, OW))"))

# ---------------------------------------------------------------- unfold

unfold = exercise(
    LESSON, "unfold", "All windows as the columns of a matrix", minutes=20, difficulty=2,
    keywords=("stride", "padding"), given="the names of the sizes",
    hints=("Collect the windows in an array of six axes first: image, channel, two for the tap, "
           "two for the place. Reshape it at the end.",
           "Put the axes in the order (N, C, KH, KW, OH, OW). Then a plain reshape gives the right "
           "order of rows and columns.",
           "For each tap: columns[:, :, k, l] = padded[:, :, k : k + stride * OH : stride, "
           "l : l + stride * OW : stride]; then columns.reshape(N, C * KH * KW, OH * OW)."))


def windows(g: Geometry, fill: Callable) -> Case:
    return dict(x=fill((g.n, g.c, *g.size)), kernel=g.kernel, stride=g.stride[0],
                padding=g.padding[0])


def unfold_by_torch(x, kernel, stride, padding):
    return F.unfold(torch.from_numpy(x), kernel, 1, padding, stride)


unfold.property("lays out the windows at stride 1 without padding", 2,
                cases(windows, COUNTED, stride=1, padding=0), exact=True)(unfold_by_torch)
unfold.property("is right for any stride and padding", 2,
                cases(windows), exact=True)(unfold_by_torch)
unfold.property("is right for any numbers, in their dtype", 1,
                cases(windows, ANY), exact=True)(unfold_by_torch)

unfold.mistake("the **channel runs fastest** down a column; it must run slowest: (C, KH, KW)",
               ("columns.reshape", "columns.transpose(0, 2, 3, 1, 4, 5).reshape"))
unfold.mistake("the windows are in the **rows**; they belong in the columns",
               ("return columns.reshape(N, C * KH * KW, OH * OW)",
                "return columns.reshape(N, C * KH * KW, OH * OW).swapaxes(1, 2)"))
unfold.mistake("taps and places are **mixed up by reshape**: from (N, C, OH, OW, KH, KW), first "
               "move the taps before the places",
               ("(N, C, KH, KW, OH, OW)", "(N, C, OH, OW, KH, KW)"),
               ("columns[:, :, k, l]", "columns[..., k, l]"))
unfold.mistake("the places follow one another **column by column**; they must row by row",
               ("columns.reshape", "columns.swapaxes(4, 5).reshape"))
unfold.mistake("the taps follow one another **column by column**; they must row by row",
               ("columns.reshape", "columns.swapaxes(2, 3).reshape"))
unfold.mistake("the **kernel is flipped**: the first tap comes last",
               ("columns[:, :, k, l]", "columns[:, :, KH - 1 - k, KW - 1 - l]"))
unfold.mistake("the **padding is ignored**", (PAD, "((0, 0),) * 4"))
unfold.mistake("the views **do not step by the stride**: they are OH x OW neighbouring pixels",
               (SEEN, "k : k + OH, l : l + OW"))
