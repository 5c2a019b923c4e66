"""Lesson 3: what a convolution must do whose taps stand apart, or whose channels are in groups."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from .contract import Case, Raises, exercise
from .convolution import ANY, LESSON, SIGNED, Geometry, by_torch, cases, forward, geometries
from .strategies import counted, sizes

# ---------------------------------------------------------------- conv2d_dilated

conv2d_dilated = exercise(
    LESSON, "conv2d_dilated", "Taps that stand apart", minutes=15, difficulty=2,
    keywords=("stride", "padding", "dilation"), given="the names of the sizes and options",
    hints=("Start from your conv2d. First write every option twice, for rows and for columns; then "
           "add the dilation.",
           "Dilation changes two things: the view of tap (k, l) starts at row k * DH and column "
           "l * DW, and the kernel reaches over DH * (KH - 1) + 1 rows.",
           "seen = x[:, :, k * DH : k * DH + SH * OH : SH, l * DW : l * DW + SW * OW : SW], with "
           "OH = (padded height - DH * (KH - 1) - 1) // SH + 1."))


def with_pairs(g: Geometry, fill: Callable) -> Case:
    return forward(g, fill) | dict(stride=g.stride, padding=g.padding, dilation=g.dilation)


conv2d_dilated.property("takes pairs for stride and padding", 1,
                        cases(with_pairs, pairs=True), exact=True)(by_torch)
conv2d_dilated.property("is right for any dilation", 2,
                        cases(with_pairs, pairs=True, dilation=3), exact=True)(by_torch)
conv2d_dilated.property("is right for any numbers, in their dtype", 1,
                        cases(with_pairs, ANY, pairs=True, dilation=3))(by_torch)

OPTIONS = "(SH, SW), (PH, PW), (DH, DW) ="
conv2d_dilated.mistake("the **taps are not spread**: tap (k, l) looks at row k and column l "
                       "instead of k * DH and l * DW",
                       ("top, left = k * DH, l * DW", "top, left = k, l"))
conv2d_dilated.mistake("the **size of the result** does not allow for the dilation: the kernel "
                       "reaches over DH * (KH - 1) + 1 rows",
                       ("2] - DH * (KH - 1)", "2] - (KH - 1)"),
                       ("3] - DW * (KW - 1)", "3] - (KW - 1)"))
conv2d_dilated.mistake("a kernel is taken to reach over **DH * KH** rows; but k taps have only "
                       "k - 1 gaps between them",
                       ("2] - DH * (KH - 1) - 1", "2] - DH * KH"),
                       ("3] - DW * (KW - 1) - 1", "3] - DW * KW"))
conv2d_dilated.mistake("the strides are **swapped**: a pair is (for rows, for columns)",
                       (OPTIONS, "(SW, SH), (PH, PW), (DH, DW) ="))
conv2d_dilated.mistake("the paddings are **swapped**: a pair is (for rows, for columns)",
                       (OPTIONS, "(SH, SW), (PW, PH), (DH, DW) ="))
conv2d_dilated.mistake("the dilations are **swapped**: a pair is (for rows, for columns)",
                       (OPTIONS, "(SH, SW), (PH, PW), (DW, DH) ="))
conv2d_dilated.mistake("the padding is read as **(before, after)**; but PH goes to the top and "
                       "to the bottom, PW to the left and to the right",
                       ("(PH, PH), (PW, PW)", "(PH, PW), (PH, PW)"))
conv2d_dilated.mistake("the result is **always float64**: give np.zeros the dtype of x",
                       ("(len(x), F, OH, OW), x.dtype)", "(len(x), F, OH, OW))"))

# ---------------------------------------------------------------- conv2d_general

conv2d_general = exercise(
    LESSON, "conv2d_general", "Channels in groups", minutes=20, difficulty=3,
    keywords=("stride", "padding", "dilation", "groups"),
    given="the names of the sizes and options",
    hints=("Groups are convolutions side by side that do not know of each other. Give the group an "
           "axis of its own in x, in w and in y.",
           "Channels of one group are neighbours, so x.reshape(N, groups, C, height, width) and "
           "w.reshape(groups, F // groups, C, KH, KW) need no transpose.",
           "y += np.einsum('ngchw,gfc->ngfhw', seen, w[..., k, l]), with y of shape "
           "(N, groups, F // groups, OH, OW); at the end y.reshape(N, F, OH, OW)."))


@st.composite
def grouped(draw, fill=SIGNED):
    """The geometry's c and f are those of one group."""
    g, fill = draw(geometries(stride=2, padding=1, dilation=2, pairs=True)), draw(fill)
    groups = draw(sizes(1, 3))
    return dict(x=fill((g.n, g.c * groups, *g.size)), w=fill((g.f * groups, g.c, *g.kernel)),
                b=fill(g.f * groups) * 10, stride=g.stride, padding=g.padding,
                dilation=g.dilation, groups=groups)


@st.composite
def ill_grouped(draw):
    groups, c, f = draw(sizes(2, 3)), draw(sizes(1, 2)), draw(sizes(1, 2))
    if draw(st.booleans()):
        channels, filters = c * groups, f * groups - 1
    else:
        channels, filters = c * groups + draw(sizes(1, 2)), f * groups
    return dict(x=counted((1, channels, 2, 2)), w=counted((filters, c, 1, 1)),
                b=counted(filters), groups=groups)


conv2d_general.property("is right without groups", 1,
                        cases(with_pairs, pairs=True, dilation=2), exact=True)(by_torch)
conv2d_general.property("is right for any groups", 2, grouped(), exact=True)(by_torch)
conv2d_general.property("is right for any numbers, in their dtype", 1, grouped(ANY))(by_torch)


@conv2d_general.property("refuses channels that do not make groups", 1, ill_grouped())
def _(x, w, b, groups):
    return Raises("ValueError")


conv2d_general.mistake(
    "the input channels are dealt out **in turn**, channel c to group c % groups; a group's "
    "channels are neighbours", ("x.reshape(len(x), groups, C, *x.shape[2:])",
                       "x.reshape(len(x), C, groups, *x.shape[2:]).swapaxes(1, 2)"))
conv2d_general.mistake(
    "the results are **not in the order of the filters**: group and filter have changed places "
    "before the last reshape", ("return y.reshape", "return y.swapaxes(1, 2).reshape"))
conv2d_general.mistake(
    "the filters are dealt out to the groups **in turn**; the first F // groups belong to the "
    "first group", ("w.reshape(groups, F // groups, C, KH, KW)",
              "w.reshape(F // groups, groups, C, KH, KW).swapaxes(0, 1)"),
    ("return y.reshape", "return y.swapaxes(1, 2).reshape"))
conv2d_general.mistake("every filter looks at the **first group's** input channels",
                       ('"ngchw,gfc->ngfhw", seen', '"nchw,gfc->ngfhw", seen[:, 0]'))
conv2d_general.mistake("every filter looks at the channels of **all groups**, which are added up",
                       ('"ngchw,gfc->ngfhw"', '"nachw,gfc->ngfhw"'))
conv2d_general.mistake("only the filters of the **first group** are used, for all groups",
                       ('"ngchw,gfc->ngfhw", seen, w[..., k, l]',
                        '"ngchw,fc->ngfhw", seen, w[0, ..., k, l]'))
conv2d_general.mistake("the **taps are not spread**: tap (k, l) looks at row k and column l "
                       "instead of k * DH and l * DW",
                       ("top, left = k * DH, l * DW", "top, left = k, l"))
conv2d_general.mistake("the padding is **swapped**: a pair is (for rows, for columns)",
                       (OPTIONS, "(SH, SW), (PW, PH), (DH, DW) ="))
