"""Lesson 3: what the gradients of a convolution must be, and its transpose."""

from __future__ import annotations

from collections.abc import Callable

import torch
from hypothesis import strategies as st
from torch.nn import functional as F
from torch.nn import grad as torch_grad

from .contract import Case, Raises, exercise
from .convolution import ANY, COUNTED, LESSON, PAD, SEEN, SIGNED, Geometry, cases
from .strategies import counted, sizes

FLIPPED = "w[:, :, KH - 1 - k, KW - 1 - l]"


# ---------------------------------------------------------------- conv2d_grad_bias

conv2d_grad_bias = exercise(
    LESSON, "conv2d_grad_bias", "The gradient to the bias", minutes=5, difficulty=1,
    hints=("If b[f] grows by a little, which elements of y grow by as much?",
           "All of channel f, in every image and at every place. Their gradients are summed.",
           "Sum g over the axes 0, 2 and 3; only the axis of the filters stays."))


def only_g(g: Geometry, fill: Callable) -> Case:
    return dict(g=fill((g.n, g.f, *g.places)))


def bias_by_torch(g):
    b = torch.zeros(g.shape[1], dtype=torch.from_numpy(g).dtype, requires_grad=True)
    y = b[:, None, None].expand(g.shape)
    return torch.autograd.grad(y, b, torch.from_numpy(g))[0]


conv2d_grad_bias.property("sums over everything the bias was added to", 2,
                          cases(only_g), exact=True)(bias_by_torch)
conv2d_grad_bias.property("is right for any numbers, in their dtype", 1,
                          cases(only_g, ANY))(bias_by_torch)

BIAS = "g.sum(axis=(0, 2, 3))"
conv2d_grad_bias.mistake("you sum over the **batch only**; the bias was added at every place too",
                         (BIAS, "g.sum(axis=0)"))
conv2d_grad_bias.mistake("you sum over the **places only**; the bias was added in every image too",
                         (BIAS, "g.sum(axis=(2, 3))"))
conv2d_grad_bias.mistake("you return the **mean**; all that b[f] was added to counts in full",
                         (BIAS, "g.mean(axis=(0, 2, 3))"))
conv2d_grad_bias.mistake("you take the **mean over the batch**; if a loss is a mean, g knows that "
                         "already", (BIAS, "g.sum(axis=(2, 3)).mean(axis=0)"))
conv2d_grad_bias.mistake("you sum over the **filters** and keep the images; it is the other way "
                         "round", (BIAS, "g.sum(axis=(1, 2, 3))"))
conv2d_grad_bias.mistake("you sum over **everything**, the filters too; each has a bias of its own",
                         (BIAS, "g.sum()"))
conv2d_grad_bias.mistake("only the **last image** counts", (BIAS, "g[-1].sum(axis=(1, 2))"))
conv2d_grad_bias.mistake("the result **keeps the summed axes** (keepdims); a gradient has the "
                         "shape of what it belongs to, (F,)", ("2, 3))", "2, 3), keepdims=True)"))

# ---------------------------------------------------------------- conv2d_grad_weight

conv2d_grad_weight = exercise(
    LESSON, "conv2d_grad_weight", "The gradient to the weights", minutes=20, difficulty=2,
    keywords=("stride", "padding"), given="the names of the sizes",
    hints=("Pad x as the convolution did. One weight met one view of the padded images, the same "
           "view as in conv2d; its gradient is about that view and g only.",
           "In g and in the view, the images, rows and columns belong together and are summed. "
           "Filters (of g) and channels (of the view) remain: each pairs with each.",
           "dw[:, :, k, l] = np.einsum('nfhw,nchw->fc', g, view), with the view "
           "x[:, :, k : k + stride * OH : stride, l : l + stride * OW : stride]."))


def weight_case(g: Geometry, fill: Callable) -> Case:
    return dict(g=fill((g.n, g.f, *g.places)), x=fill((g.n, g.c, *g.size)), kernel=g.kernel,
                stride=g.stride[0], padding=g.padding[0])


def weight_by_torch(g, x, kernel, stride, padding):
    g, x = torch.from_numpy(g), torch.from_numpy(x)
    shape = (g.shape[1], x.shape[1], *kernel)
    return torch_grad.conv2d_weight(x, shape, g, stride, padding)


conv2d_grad_weight.property("is right at stride 1 without padding", 2,
                            cases(weight_case, COUNTED, stride=1, padding=0),
                            exact=True)(weight_by_torch)
conv2d_grad_weight.property("is right for any stride and padding", 2,
                            cases(weight_case), exact=True)(weight_by_torch)
conv2d_grad_weight.property("is right for any numbers, in their dtype", 1,
                            cases(weight_case, ANY))(weight_by_torch)

conv2d_grad_weight.mistake("x is **not padded**: the weights met the padded images",
                           (PAD, "((0, 0),) * 4"))
conv2d_grad_weight.mistake("the views **do not step by the stride**: they are OH x OW neighbouring "
                           "pixels", (SEEN, "k : k + OH, l : l + OW"))
conv2d_grad_weight.mistake("the stride is used along the **rows only**",
                           ("l : l + stride * OW : stride", "l : l + OW"))
conv2d_grad_weight.mistake("you take the **mean over the batch**; if a loss is a mean, g knows "
                           "that already", ("return dw", "return dw / len(x)"))
conv2d_grad_weight.mistake("you take the **mean over the places**; a weight was used at each of "
                           "them, and all its effects are summed",
                           ("return dw", "return dw / (OH * OW)"))
conv2d_grad_weight.mistake("only the **last image** counts; sum over the whole batch",
                           ("g, seen", "g[-1:], seen[-1:]"))
conv2d_grad_weight.mistake("the gradient comes out **flipped**: the view of tap (k, l) gives dw at "
                           "[k, l]", ("dw[:, :, k, l]", "dw[:, :, KH - 1 - k, KW - 1 - l]"))
conv2d_grad_weight.mistake("filters and channels have **changed places**: the result must have w's "
                           "shape (F, C, KH, KW)", ("return dw", "return dw.swapaxes(0, 1)"))

# ---------------------------------------------------------------- conv2d_grad_input

conv2d_grad_input = exercise(
    LESSON, "conv2d_grad_input", "The gradient to the images", minutes=25, difficulty=3,
    keywords=("stride", "padding"), given="the names of the sizes",
    hints=("Run conv2d backwards: where it took a view of the padded images, you add to that view. "
           "Start from zeros, as large as the padded images.",
           "For tap (k, l) every filter sends g times w[f, c, k, l] to channel c: sum over the "
           "filters, keep images and places. It goes to the view that conv2d saw.",
           "dx[:, :, k : k + stride * OH : stride, l : l + stride * OW : stride] += "
           "np.einsum('nfhw,fc->nchw', g, w[:, :, k, l]); at the end cut off the padding."))


def input_case(g: Geometry, fill: Callable) -> Case:
    return dict(g=fill((g.n, g.f, *g.places)), w=fill((g.f, g.c, *g.kernel)), size=g.size,
                stride=g.stride[0], padding=g.padding[0])


def input_by_torch(g, w, size, stride, padding):
    g, w = torch.from_numpy(g), torch.from_numpy(w)
    shape = (g.shape[0], w.shape[1], *size)
    return torch_grad.conv2d_input(shape, w, g, stride, padding)


conv2d_grad_input.property("is right at stride 1 without padding", 2,
                           cases(input_case, COUNTED, stride=1, padding=0),
                           exact=True)(input_by_torch)
conv2d_grad_input.property("is right for any stride and padding", 2,
                           cases(input_case), exact=True)(input_by_torch)
conv2d_grad_input.property("is right for any numbers, in their dtype", 1,
                           cases(input_case, ANY))(input_by_torch)

CROP = "dx[:, :, padding : padding + H, padding : padding + W]"
conv2d_grad_input.mistake("where windows overlap, later taps **overwrite** earlier ones; what "
                          "arrives at a pixel is summed", ("+= sent", "= sent"))
conv2d_grad_input.mistake("the **kernel is the wrong way round**: turn it by 180 degrees to gather "
                          "g by a convolution, but not to send g back",
                          ("w[:, :, k, l]", FLIPPED))
conv2d_grad_input.mistake("the **padding is not cut off** from the result", (CROP, "dx"))
conv2d_grad_input.mistake("the padding is cut off at the **bottom and right only**: x begins at "
                          "row and column `padding`", (CROP, "dx[:, :, :H, :W]"))
conv2d_grad_input.mistake("the padding is cut off with **[padding:-padding]**, which is empty "
                          "for padding 0; write [padding : padding + H]",
                          (CROP, "dx[:, :, padding:-padding, padding:-padding]"))
conv2d_grad_input.mistake("the **stride's gaps are not put back**: what is sent lands on "
                          "neighbouring pixels instead of stride apart",
                          (SEEN, "k : k + OH, l : l + OW"))
conv2d_grad_input.mistake("the stride is used along the **rows only**",
                          ("l : l + stride * OW : stride", "l : l + OW"))
conv2d_grad_input.mistake(
    "the **size is worked out from g**; rows and columns that no tap has met are then missing",
    ("(N, _, OH, OW), (H, W) = g.shape, size\n",
     "N, _, OH, OW = g.shape\n    H, W = ((n - 1) * stride + k - 2 * padding "
     "for n, k in ((OH, KH), (OW, KW)))\n"))
conv2d_grad_input.mistake("only **filter 0** sends something back; sum over all filters",
                          ("nfhw,fc->nchw", "nhw,c->nchw"),
                          ("g, w[:, :, k, l]", "g[:, 0], w[0, :, k, l]"))

# ---------------------------------------------------------------- conv_transpose2d

conv_transpose2d = exercise(
    LESSON, "conv_transpose2d", "The transposed convolution", minutes=25, difficulty=3,
    keywords=("stride", "padding", "output_padding"), given="the names of the sizes",
    hints=("It is the gradient to the input of a convolution, used as a layer. You have written "
           "it: conv2d_grad_input adds to strided views of an array of zeros.",
           "The canvas has (H - 1) * stride + KH + output_padding rows. For each tap, add to the "
           "view of H rows that starts at row k; then keep canvas[padding : rows - padding].",
           "canvas[:, :, k : k + stride * H : stride, l : l + stride * W : stride] += "
           "np.einsum('nchw,cf->nfhw', x, w[:, :, k, l]). After the cut add b[:, None, None]."))


@st.composite
def transposed(draw, fill=SIGNED, plain=False):
    fill, n, c, f = draw(fill), draw(sizes(1, 2)), draw(sizes(1, 3)), draw(sizes(1, 3))
    kernel, size = (draw(sizes(1, 3)), draw(sizes(1, 3))), (draw(sizes(1, 3)), draw(sizes(1, 3)))
    stride = 1 if plain else draw(sizes(1, 3))
    more = 0 if plain else draw(sizes(0, stride - 1))
    least = min((i - 1) * stride + k + more for i, k in zip(size, kernel, strict=True))
    padding = 0 if plain else draw(sizes(0, min(2, (least - 1) // 2)))
    return dict(x=fill((n, c, *size)), w=fill((c, f, *kernel)), b=fill(f) * 10, stride=stride,
                padding=padding, output_padding=more)


@st.composite
def too_much(draw):
    """Draw an output padding that is not less than the stride."""
    stride, rows = draw(sizes(1, 3)), draw(sizes(1, 3))
    return dict(x=counted((1, 1, rows, 2)), w=counted((1, 1, 2, 1)), b=counted(1), stride=stride,
                padding=0, output_padding=stride + draw(sizes(0, 1)))


def transposed_by_torch(x, w, b, **options):
    return F.conv_transpose2d(*map(torch.from_numpy, (x, w, b)), **options)


conv_transpose2d.property("is right at stride 1 without padding", 2,
                          transposed(COUNTED, plain=True), exact=True)(transposed_by_torch)
conv_transpose2d.property("is right for any stride and paddings", 3,
                          transposed(), exact=True)(transposed_by_torch)
conv_transpose2d.property("is right for any numbers, in their dtype", 1,
                          transposed(ANY))(transposed_by_torch)


@conv_transpose2d.property("refuses an output_padding that is not less than the stride", 1,
                           too_much())
def _(x, w, b, stride, padding, output_padding):
    return Raises("ValueError")


CUT = "canvas[:, :, padding : height - padding, padding : width - padding]"
conv_transpose2d.mistake("w is read as **(F, C, KH, KW)**; here the input channels come first: "
                         "(C, F, KH, KW)", ("F, KH, KW = w.shape[1:]", "F, _, KH, KW = w.shape"),
                         ("nchw,cf->nfhw", "nchw,fc->nfhw"))
conv_transpose2d.mistake("where copies overlap, later ones **overwrite** earlier ones; add them",
                         ("+= copy", "= copy"))
conv_transpose2d.mistake("the **kernel is flipped**: each pixel lays down a copy of the kernel as "
                         "it is", ("w[:, :, k, l]", FLIPPED))
conv_transpose2d.mistake("the **bias is missing**", ("return y + b[:, None, None]", "return y"))
conv_transpose2d.mistake("the bias is added to **every copy**, so that overlaps get it several "
                         "times, and gaps never; add it once, at the end",
                         ("optimize=True)", "optimize=True) + b[:, None, None]"),
                         ("return y + b[:, None, None]", "return y"))
conv_transpose2d.mistake("the copies lie **side by side by one pixel**: neighbouring input pixels "
                         "lay theirs `stride` rows or columns apart",
                         ("k : k + stride * H : stride, l : l + stride * W : stride",
                          "k : k + H, l : l + W"))
conv_transpose2d.mistake("the **padding is ignored**: it is cut off all four sides of the canvas",
                         (CUT, "canvas"))
conv_transpose2d.mistake("the padding makes the result **larger**; in a transposed convolution it "
                         "is cut off the canvas", (CUT, f"np.pad(canvas, {PAD})"))
conv_transpose2d.mistake("the padding is cut off with **[padding:-padding]**, which is empty for "
                         "padding 0; write [padding : height - padding]",
                         (CUT, "canvas[:, :, padding:-padding, padding:-padding]"))
conv_transpose2d.mistake("the **output_padding is ignored**", ("+ k + output_padding", "+ k"))
conv_transpose2d.mistake(
    "output_padding **appends zeros** to the result; it must move the cut, and uncover what "
    "padding would cut off", ("+ k + output_padding", "+ k"),
    (CUT, f"np.pad({CUT}, ((0, 0), (0, 0), (0, output_padding), (0, output_padding)))"))
conv_transpose2d.mistake("an **output_padding as large as the stride** is not refused with a "
                         "ValueError", ("output_padding >= stride", "False"))
