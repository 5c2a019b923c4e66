"""Lesson 5, continued: nets written down as lists of layers, and what can be read off them."""

from __future__ import annotations

import torch
from hypothesis import strategies as st
from torch import nn

from .. import nn as ours
from .contract import Raises, exercise
from .resnet import LESSON
from .strategies import sizes


def conv(ni, nf, ks=3, stride=1, padding=1, bias=False):
    """Write down a convolution."""
    return "conv", dict(ni=ni, nf=nf, ks=ks, stride=stride, padding=padding, bias=bias)


def norm(nf, weight=1):
    """Write down a batch norm."""
    return "batch_norm", dict(nf=nf, weight=weight)


def linear(n_in, n_out, bias=True):
    """Write down a linear layer."""
    return "linear", dict(n_in=n_in, n_out=n_out, bias=bias)


def block(kind, *layers):
    """Write down a residual or dense block."""
    return kind, dict(layers=list(layers))


RELU: tuple[str, dict] = ("relu", {})
FLATTEN: tuple[str, dict] = ("flatten", {})


def written(layer):
    """Read off the settings of the framework's own layers."""
    if isinstance(layer, ours.SequentialEx):
        *inside, merge = layer
        layers = [layer for row in inside for layer in written(row)]
        return block("dense" if merge.dense else "residual", *layers)
    if isinstance(layer, ours.Sequential):
        return [written(inner) for inner in layer]
    if isinstance(layer, ours.Conv2d):
        return conv(layer.in_channels, layer.out_channels, *(side for side, _ in (
            layer.kernel_size, layer.stride, layer.padding)), bias=layer.bias is not None)
    if isinstance(layer, ours.BatchNorm2d):
        return norm(layer.num_features, int(layer.weight.data[0]))
    return RELU


# ---------------------------------------------------------------- conv_layer

conv_layer = exercise(
    LESSON, "conv_layer", "A factory for layers", minutes=10, difficulty=1,
    keywords=("ks", "stride", "norm", "use_activ"),
    hints=("The convolution is always there; then ask for each of the others whether it is wanted.",
           "Two things depend on norm: whether the convolution has a bias, and at which weight the "
           "batch norm starts.",
           "'padding': (ks - 1) // 2, 'bias': norm is None; then append ('relu', {}) and "
           "('batch_norm', {'nf': nf, 'weight': ...})."))


def by_framework(ni, nf, **options):
    return written(ours.conv_layer(ni, nf, **options))


conv_layer.property("puts convolution, ReLU and batch norm in a row", 2, st.builds(
    lambda ni, nf, ks, stride: dict(ni=ni, nf=nf, ks=ks, stride=stride),
    sizes(), sizes(), sizes(1, 7), sizes(1, 3)))(by_framework)
conv_layer.property("leaves out what is not wanted", 2, st.builds(
    lambda ni, nf, norm, use_activ: dict(ni=ni, nf=nf, norm=norm, use_activ=use_activ),
    sizes(), sizes(), st.sampled_from(("batch", "batch_zero", None)), st.booleans()))(by_framework)


@conv_layer.property("refuses an unknown norm", 1, st.builds(
    lambda ni, nf, norm: dict(ni=ni, nf=nf, norm=norm), sizes(), sizes(),
    st.sampled_from(("layer", "Batch", "", "none"))))
def _(ni, nf, norm):
    return Raises("ValueError")


conv_layer.mistake("the convolution **always has a bias**; before a batch norm it is of no use",
                   ('"bias": norm is None', '"bias": True'))
conv_layer.mistake("the convolution **never has a bias**; without a batch norm it needs one",
                   ('"bias": norm is None', '"bias": False'))
conv_layer.mistake(
    "the **batch norm comes before the ReLU**; in the lesson's layer it comes after",
    ("layers.append((\"relu\", {}))", "pass"),
    ("    return layers",
     "    if use_activ:\n        layers.append((\"relu\", {}))\n" "    return layers"))
conv_layer.mistake(
    "the convolution is **not padded**",
    ('"padding": (ks - 1) // 2', '"padding": 0'))
conv_layer.mistake(
    "the padding is **ks // 2**, too much for kernels of even size: it is (ks - 1) // 2",
    ("(ks - 1) // 2", "ks // 2"))
conv_layer.mistake(
    "the batch norm has **ni channels**: it comes after the convolution, so it has nf",
    ('"batch_norm", {"nf": nf', '"batch_norm", {"nf": ni'))
conv_layer.mistake("the **stride is ignored**", ('"stride": stride', '"stride": 1'))
conv_layer.mistake("**\"batch_zero\" is taken for \"batch\"**: its weight starts at 0",
                   ('0 if norm == "batch_zero" else 1', "1"))
conv_layer.mistake("**use_activ is ignored**", ("if use_activ:", "if True:"))
conv_layer.mistake("an **unknown norm is not refused**",
                   ('if norm not in ("batch", "batch_zero", None):', "if False:"))

# ---------------------------------------------------------------- res_block

res_block = exercise(
    LESSON, "res_block", "A residual block from two layers", minutes=10, difficulty=2,
    keywords=("dense", "bottle", "norm"), given="conv_layer, which you have written.",
    hints=("Two lists of conv_layer, joined by +, are the layers of the block.",
           "nf -> inner -> nf, where inner is nf // 2 in a bottleneck. Only the second layer may "
           "start at 0.",
           "first = 'batch' if norm == 'batch_zero' else norm; then conv_layer(nf, inner, "
           "norm=first) + conv_layer(inner, nf, norm=norm)."))
CHOICES = dict(dense=st.booleans(), bottle=st.booleans(),
               norm=st.sampled_from(("batch", "batch_zero", None)))
res_block.property("adds what two layers make", 2, st.builds(
    lambda nf, norm: dict(nf=nf, norm=norm), sizes(2, 9), CHOICES["norm"]))(
    lambda nf, norm: written(ours.res_block(nf, norm=norm)))


@res_block.property("can be dense, or narrow in between", 2,
                    st.fixed_dictionaries(dict(nf=sizes(2, 9), **CHOICES)))
def _(nf, dense, bottle, norm):
    return written(ours.res_block(nf, dense=dense, bottle=bottle, norm=norm))


SECOND = "conv_layer(inner, nf, norm=norm)"
res_block.mistake(
    "**both batch norms start at 0** with \"batch_zero\": then nothing is ever learned; the first "
    "is \"batch\"",
    ('"batch" if norm == "batch_zero" else norm', "norm"))
res_block.mistake("with \"batch_zero\" the **first layer starts at 0** and the second does not",
                  ("norm=first)", "norm=norm)"), (SECOND, "conv_layer(inner, nf, norm=first)"))
res_block.mistake("**norm is not passed on**", ("norm=first)", "norm=\"batch\")"),
                  (SECOND, "conv_layer(inner, nf)"))
res_block.mistake("**bottle is ignored**: there are nf / 2 channels in between",
                  ("nf // 2 if bottle else nf", "nf"))
res_block.mistake("the **second layer does not lead back** to nf channels: the sum would not fit",
                  (SECOND, "conv_layer(inner, inner, norm=norm)"))
res_block.mistake("there is **only one layer** in the block", (f" + {SECOND}", ""))
res_block.mistake("**dense is ignored**", ('"dense" if dense else "residual"', '"residual"'))
res_block.mistake("the first layer has **stride 2**: then the shortcut would not fit",
                  ("conv_layer(nf, inner,", "conv_layer(nf, inner, stride=2,"))

# ---------------------------------------------------------------- nets for the other three

WIDTHS = (1, 8, 16, 32, 16, 10)
PAIRS = list(zip(WIDTHS, WIDTHS[1:], strict=False))
BASIC = [layer for ni, nf in PAIRS for layer in (conv(ni, nf, stride=2, bias=True), norm(nf), RELU)]
REFACTOR = [layer for ni, nf in PAIRS for layer in (conv(ni, nf, stride=2), RELU, norm(nf))]
BLOCKS = [(conv(ni, nf, stride=2), RELU, norm(nf), *[block(
    "residual", conv(nf, nf), RELU, norm(nf), conv(nf, nf), RELU, norm(nf))] * (nf != 10))
    for ni, nf in PAIRS]
RESNET = [layer for layers in BLOCKS for layer in layers]
LESSON_NETS = ([*BASIC[:-1], FLATTEN], [*REFACTOR, FLATTEN], [*RESNET, FLATTEN])


class Block(nn.Module):
    """A block in torch."""

    def __init__(self, kind, layers):
        super().__init__()
        self.kind, self.inside = kind, built(layers)

    def forward(self, x):
        y = self.inside(x)
        return x + y if self.kind == "residual" else torch.cat([y, x], 1)


def built(layers):
    """Build a net in torch."""
    make = {"conv": lambda s: nn.Conv2d(s["ni"], s["nf"], s["ks"], s["stride"], s["padding"],
                                        bias=s["bias"]),
            "batch_norm": lambda s: nn.BatchNorm2d(s["nf"]), "relu": lambda s: nn.ReLU(),
            "flatten": lambda s: nn.Flatten(), "linear": lambda s: nn.Linear(*s.values())}
    return nn.Sequential(*(make[kind](s) if kind in make else Block(kind, s["layers"])
                           for kind, s in layers)).eval()


@torch.no_grad()
def made(layers, shape):
    """Return the shape that torch makes of one picture."""
    return tuple(built(layers)(torch.zeros(1, *shape)).shape[1:])


KINDS = st.sampled_from(("conv", "residual", "dense", "conv", "tail", "conv"))
PARTS = st.tuples(KINDS, sizes(1, 4), sizes(1, 4), sizes(1, 3), st.booleans())


def net(shape, parts, end):
    """Write down a net that fits pictures of a shape; `end`: linear outputs and bias, or None."""
    layers, c = [], shape[0]
    for kind, ks, nf, stride, flag in parts:
        if kind == "conv":
            layers.append(conv(c, nf, ks, stride, ks // 2, flag))
            c = nf
        elif kind == "tail":
            layers += [norm(c), RELU]
        else:
            side, again = 2 * stride - 1, [block("residual", conv(nf, nf))] * flag
            inside = conv(c, nf, side, 1, side // 2), *again, conv(nf, c, 1, 1, 0)
            layers.append(block(kind, *inside))
            c = 2 * c if kind == "dense" else c
    if end:
        numbers, = made([*layers, FLATTEN], shape)
        layers += [FLATTEN, linear(numbers, *end)]
    return dict(layers=layers, shape=shape)


def nets(least=1, most=3, flat=True):
    """Draw the shape of a picture and a net that fits it, with blocks in blocks."""
    end = st.none() | st.tuples(sizes(), st.booleans()) if flat else st.none()
    return st.builds(net, st.tuples(sizes(1, 3), sizes(4, 9), sizes(4, 9)),
                     st.lists(PARTS, min_size=least, max_size=most), end)


# ---------------------------------------------------------------- count_parameters

count_parameters = exercise(
    LESSON, "count_parameters", "How many numbers does a net learn?", minutes=15, difficulty=2,
    hints=("Each kind has its own small formula; blocks are nets themselves.",
           "A convolution has nf kernels, each (ni, ks, ks); a batch norm has two numbers per "
           "channel.",
           "For a block: count_parameters(s['layers']). For a bias: s['nf'] * s['bias'], as True "
           "is 1."))


@count_parameters.property("counts weights and biases, in blocks too", 3,
                           nets().map(lambda net: dict(layers=net["layers"])))
def parameters_in_torch(layers):
    return sum(p.numel() for p in built(layers).parameters())


count_parameters.property("is right for the lesson's three nets", 1, st.sampled_from(
    LESSON_NETS).map(lambda net: dict(layers=net)))(parameters_in_torch)


@count_parameters.property("refuses a kind it does not know", 1, st.builds(
    lambda net, kind: dict(layers=[*net["layers"], (kind, {})]), nets(0),
    st.sampled_from(("lstm", "Conv", "pool"))))
def _(layers):
    return Raises("ValueError")


count_parameters.mistake("the **convolution's bias** is missing", (' + s["nf"] * s["bias"]', ""))
count_parameters.mistake(
    "a bias is counted **where there is none**: look at \"bias\"",
    ('s["nf"] * s["bias"]', 's["nf"]'),
    ('s["n_out"] * s["bias"]', 's["n_out"]'))
count_parameters.mistake("the kernel is counted as **ks numbers**; it is square: ks * ks",
                         ('s["ks"] ** 2', 's["ks"]'))
count_parameters.mistake("each kernel is counted for **one input channel** only; it has ni of them",
                         ('s["ni"] * ', ""))
count_parameters.mistake(
    "a batch norm is counted with **one number per channel**: it has a weight and a bias",
    ("2 * s", "s"))
count_parameters.mistake("a batch norm's **running statistics** are counted: they are not learned",
                         ("2 * s", "4 * s"))
count_parameters.mistake("the layers **inside blocks** are not counted",
                         ('count_parameters(s["layers"])', "0"))
count_parameters.mistake(
    "the **linear layer's bias** is missing",
    (' + s["n_out"] * s["bias"]', ""))
count_parameters.mistake("an **unknown kind** is not refused",
                         ('kind not in ("relu", "flatten")', "False"))

# ---------------------------------------------------------------- output_shape

output_shape = exercise(
    LESSON, "output_shape", "What comes out of a net?", minutes=20, difficulty=3,
    hints=("Go through the layers with the shape so far; most kinds leave it alone.",
           "Remember the shape a layer was given: you need it for the checks, and for the blocks.",
           "A block: inner = output_shape(s['layers'], shape); a residual one must not change "
           "the shape, a dense one returns (inner[0] + shape[0], *inner[1:])."))


output_shape.property("follows the shape through the net", 3, nets())(made)
output_shape.property("is right for the lesson's three nets", 1, st.builds(
    lambda net, side: dict(layers=net, shape=(1, side, side)),
    st.sampled_from(LESSON_NETS), st.sampled_from((28, 32, 20))))(made)


def misfits(c, h, w):
    """Write down layers that do not fit a picture of this shape."""
    large = min(h, w) + 1
    return ([conv(c + 1, 2)], [conv(c, 2, large, 1, 0)], [norm(c + 1)],
            [FLATTEN, linear(c * h * w + 1, 2)], [block("residual", conv(c, c + 1))],
            [conv(c, 2, large, 3, 0)], [block("residual", conv(c, c, 3, 1, 0))],
            [block("dense", conv(c + 1, c))], [block("residual", conv(c, 1), norm(2), conv(1, c))])


@st.composite
def misfitting(draw):
    """Draw a net whose last layer does not fit."""
    net = draw(nets(0, 2, flat=False))
    wrong = draw(st.sampled_from(misfits(*made(**net))))
    return dict(layers=[*net["layers"], *wrong], shape=net["shape"])


@output_shape.property("refuses a layer that does not fit", 2, misfitting(), examples=tuple(
    dict(layers=wrong, shape=(1, 4, 5)) for wrong in misfits(1, 4, 5)))
def _(layers, shape):
    return Raises("ValueError")


SIDE = '(n + 2 * s["padding"] - s["ks"]) // s["stride"] + 1'
output_shape.mistake("the **padding is counted once**: it is at both ends",
                     ('2 * s["padding"]', 's["padding"]'))
output_shape.mistake("the **stride is ignored**", (' // s["stride"]', ""))
output_shape.mistake("the sides are **rounded up** instead of down",
                     (SIDE, '-(-(n + 2 * s["padding"] - s["ks"]) // s["stride"]) + 1'))
output_shape.mistake("the **+ 1 is missing** in the sides of a convolution",
                     ('// s["stride"] + 1', '// s["stride"]'))
output_shape.mistake(
    "a dense block **replaces the channels**: those it was given stay, beside its own",
    ("shape[0] + given[0]", "shape[0]"))
output_shape.mistake("a block is passed **without looking inside**: its channels and misfits count",
                     ('output_shape(s["layers"], given)', "given"))
output_shape.mistake("**other channels are not refused**: a layer for ni channels must be given ni",
                     ("given[0] != expects.get(kind, given[0]) or ", ""))
output_shape.mistake("a **kernel larger than the padded picture** is not refused",
                     (" or min(shape) < 1", ""))
output_shape.mistake("a residual block that **changes the shape** is not refused",
                     ('kind == "residual" and shape != given', "False"))
