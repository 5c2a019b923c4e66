"""Lesson 5, residual nets: blocks that keep their input, nets as lists, and what a loss looks like.

A net is written down as a list of layers, each a pair of its kind and its settings:

    ("conv", {"ni": 1, "nf": 8, "ks": 3, "stride": 2, "padding": 1, "bias": True})
    ("relu", {})
    ("batch_norm", {"nf": 8, "weight": 1})           weight: the number its weights start at
    ("flatten", {})
    ("linear", {"n_in": 8, "n_out": 10, "bias": True})
    ("residual", {"layers": [...]})                  adds the result of its layers to its input
    ("dense", {"layers": [...]})                     puts their channels side by side

ni, nf: channels in and out; ks: the side of the kernel, which is square. A convolution has a bias
of nf numbers if "bias" is true, a linear layer one of n_out.
"""

import math

import numpy as np


# ----------------------------------------------------------------
# 5.1 residual: A residual block
# About 5 minutes, difficulty 1 of 3, 5 points.
def residual(x, f):
    """Return x + f(x): a residual block, whose layers f only learn what is to be *changed* in x.

    x: an array of any shape; f: a function that takes such an array and returns one of the same
    shape. f is called once. There is no ReLU after the sum. Neither x nor what f returned is
    changed: f may keep it, or return x itself.

    Raises ValueError when f returns another shape; nothing is broadcast. Source: He et al. 2015.
    """
    raise NotImplementedError("residual")


# ----------------------------------------------------------------
# 5.2 residual_backward: The gradient's shortcut
# About 10 minutes, difficulty 2 of 3, 4 points.
def residual_backward(g, vjps):
    """Return the gradient with respect to the input of a row of residual blocks.

    The blocks run one after the other: x1 = x0 + f1(x0), x2 = x1 + f2(x1), and so on. g is the
    gradient of a loss with respect to the last x. vjps: one function per block, in the same order;
    given the gradient with respect to the block's f, it returns that with respect to the f's
    input. Returned is the gradient with respect to x0.

    Each block passes its gradient on twice, along the shortcut and through f; the shortcut is why
    a hundred blocks can be trained. Without blocks it is g. g is not changed.
    """
    raise NotImplementedError("residual_backward")


# ----------------------------------------------------------------
# 5.3 dense_block: A dense block
# About 8 minutes, difficulty 2 of 3, 4 points.
def dense_block(x, layers):
    """Run a dense block: every layer sees the input and all that the layers before it computed.

    x: (N, C, H, W); layers: functions, each taking (N, any number of channels, H, W) and returning
    new channels (N, k, H, W), where k may differ from layer to layer. After each, the new channels
    are put *before* those it was given, and the whole goes to the next layer. Returns the whole
    after the last one: C and all k together. Without layers it is x. Source: Huang et al. 2016.
    """
    raise NotImplementedError("dense_block")


# ----------------------------------------------------------------
# 5.4 identity_init: Blocks that start as the identity
# About 12 minutes, difficulty 2 of 3, 4 points.
def identity_init(parameters):
    """Return the parameters of a block so that x + f(x) begins as x: f returns zeros at first.

    parameters: a dict of arrays in the order of the layers, such as "conv1.weight" (F, C, KH, KW),
    "norm1.weight" (F,), "norm1.bias" (F,), "conv2.weight", "norm2.weight", "norm2.bias". The names
    of batch norms contain "norm", and the last layer of f is one.

    The weight and the bias of the last batch norm become 0, and nothing else changes: the layers
    before it keep their random weights, so that there is something to learn from. Returns a new
    dict with the same names in the same order and arrays of its own; those given do not change.
    """
    raise NotImplementedError("identity_init")


# ----------------------------------------------------------------
# 5.5 conv_layer: A factory for layers
# About 10 minutes, difficulty 1 of 3, 5 points.
def conv_layer(ni, nf, ks=3, stride=1, norm="batch", use_activ=True):
    """Write down the lesson's layer: convolution, then ReLU, then batch norm.

    ni, nf: channels in and out; ks: the side of the kernel. The convolution is padded by half of
    ks - 1, rounded down. It has a bias only if there is no batch norm, which would take it away.

    norm: "batch"; "batch_zero", whose weight starts at 0 instead of 1; or None for no batch norm.
    use_activ: whether there is a ReLU. Returns a list of pairs (kind, settings) as described at
    the top of this file. Raises ValueError for another norm.
    """
    raise NotImplementedError("conv_layer")


# ----------------------------------------------------------------
# 5.6 res_block: A residual block from two layers
# About 10 minutes, difficulty 2 of 3, 4 points. Given: conv_layer, which you have written.
def res_block(nf, dense=False, bottle=False, norm="batch"):
    """Write down the lesson's block: two `conv_layer`s of 3 x 3, stride 1, with a shortcut.

    nf: channels in, and out of the two layers. bottle: only nf / 2 channels, rounded down, between
    the two. norm: as for `conv_layer`, except that "batch_zero" is for the second layer alone, the
    first one having "batch" then: so the block starts as the identity.

    Returns one pair, ("residual", {"layers": [...]}), or "dense" if dense is true.
    """
    raise NotImplementedError("res_block")


# ----------------------------------------------------------------
# 5.7 count_parameters: How many numbers does a net learn?
# About 15 minutes, difficulty 2 of 3, 5 points.
def count_parameters(layers):
    """Count the numbers that a net learns: weights and biases.

    layers: pairs (kind, settings) as described at the top of this file, with blocks in blocks. A
    batch norm learns a weight and a bias per channel; its running statistics are not learned. The
    lesson's three nets have 12,126, 12,044 and 41,132 parameters.

    Returns an int, 0 for no layers. Raises ValueError for a kind that is not described there.
    """
    raise NotImplementedError("count_parameters")


# ----------------------------------------------------------------
# 5.8 output_shape: What comes out of a net?
# About 20 minutes, difficulty 3 of 3, 6 points.
def output_shape(layers, shape):
    """Return the shape that a net makes of one picture of the given shape (C, H, W).

    layers: pairs (kind, settings) as described at the top of this file. A convolution makes each
    side (n + 2 * padding - ks) / stride, rounded down, plus 1; flatten makes one row of numbers of
    a picture, and linear layers come after it: (n,) -> (n_out,). A residual block keeps the shape,
    a dense one adds the channels of its result to those it was given.

    Returns a tuple. Raises ValueError when a layer does not fit: a convolution for other channels,
    or whose kernel is larger than the padded picture; a batch norm or linear layer for another
    number; a residual block whose layers change the shape.
    """
    raise NotImplementedError("output_shape")


# ----------------------------------------------------------------
# 5.9 confusion_matrix: What is taken for what?
# About 10 minutes, difficulty 2 of 3, 3 points.
def confusion_matrix(scores, labels):
    """Count what was taken for what: element (i, j) says how many of class i were taken for j.

    scores: (N, K), the larger the likelier; the prediction is the class with the largest score.
    labels: (N,), the true classes, integers from 0 to K - 1. Returns integers (K, K); the right
    predictions are on the diagonal.
    """
    raise NotImplementedError("confusion_matrix")


# ----------------------------------------------------------------
# 5.10 top_k_accuracy: Right among the best k
# About 10 minutes, difficulty 2 of 3, 4 points.
def top_k_accuracy(scores, labels, k=1):
    """Return the share of examples whose true class is among the k classes with the best scores.

    scores: (N, K), the larger the better; labels: (N,), integers from 0 to K - 1. Returns a number
    from 0 to 1. Raises ValueError when k is not from 1 to K.
    """
    raise NotImplementedError("top_k_accuracy")


# ----------------------------------------------------------------
# 5.11 filter_normalised: Directions as long as the weights
# About 15 minutes, difficulty 2 of 3, 6 points.
def filter_normalised(direction, weight):
    """Scale a random direction so that each of its filters is as long as the weight's filter.

    direction, weight: arrays of one shape. Those with two axes or more consist of filters, one for
    each index of axis 0: a convolution's kernels (F, C, KH, KW), a linear layer's rows (F, D).
    With Euclidean lengths over all that belongs to a filter f, each becomes

        direction[f] * length(weight[f]) / (length(direction[f]) + 1e-10)

    Arrays with one axis (biases, batch norms) become zeros: the landscape does not move along
    them. Without this, nets of large weights look flat and those of small ones look steep.

    Returns a new array. Raises ValueError when the shapes differ. Source: Li et al. 2018.
    """
    raise NotImplementedError("filter_normalised")


# ----------------------------------------------------------------
# 5.12 loss_surface: A loss, seen from above
# About 15 minutes, difficulty 2 of 3, 4 points.
def loss_surface(loss, parameters, d1, d2, alphas, betas):
    """Return the loss on a grid around the parameters, in the plane of two directions.

    parameters, d1, d2: lists of arrays, of the same shapes; alphas, betas: arrays of numbers.
    loss: a function that takes such a list of parameters and returns a number. Element (i, j) is

        loss(parameters + alphas[i] * d1 + betas[j] * d2)

    with the sum taken array by array. Returns float64 numbers (len(alphas), len(betas)); the
    parameters are not changed, and loss is called once per element. Source: Li et al. 2018.
    """
    raise NotImplementedError("loss_surface")


# ----------------------------------------------------------------
# 5.13 plane_coordinates: Where on the map?
# About 20 minutes, difficulty 3 of 3, 5 points.
def plane_coordinates(point, centre, d1, d2):
    """Return where in the picture of a loss surface another set of parameters lies: (a, b).

    point, centre, d1, d2: lists of arrays, of the same shapes. Of all places centre + a * d1 +
    b * d2, the one nearest to point is looked for: the sum of the squared differences over all
    numbers of all arrays is the least. The directions have any length, and in general no right
    angle between them; they are not parallel. Returns two numbers.
    """
    raise NotImplementedError("plane_coordinates")
