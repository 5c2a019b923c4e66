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


def residual(x, f):
    """Return x + f(x): a residual block, whose layers f only learn what is to be *changed* in x.

    x: an array of any shape; f: a function that takes such an array and returns one of the same
    shape. f is called once. There is no ReLU after the sum. Neither x nor what f returned is
    changed: f may keep it, or return x itself.

    Raises ValueError when f returns another shape; nothing is broadcast. Source: He et al. 2015.
    """
    y = f(x)
    if y.shape != x.shape:
        raise ValueError(f"f made {y.shape} of {x.shape}: the two cannot be added")
    return x + y


def residual_backward(g, vjps):
    """Return the gradient with respect to the input of a row of residual blocks.

    The blocks run one after the other: x1 = x0 + f1(x0), x2 = x1 + f2(x1), and so on. g is the
    gradient of a loss with respect to the last x. vjps: one function per block, in the same order;
    given the gradient with respect to the block's f, it returns that with respect to the f's
    input. Returned is the gradient with respect to x0.

    Each block passes its gradient on twice, along the shortcut and through f; the shortcut is why
    a hundred blocks can be trained. Without blocks it is g. g is not changed.
    """
    for vjp in reversed(vjps):
        g = g + vjp(g)
    return g


def dense_block(x, layers):
    """Run a dense block: every layer sees the input and all that the layers before it computed.

    x: (N, C, H, W); layers: functions, each taking (N, any number of channels, H, W) and returning
    new channels (N, k, H, W), where k may differ from layer to layer. After each, the new channels
    are put *before* those it was given, and the whole goes to the next layer. Returns the whole
    after the last one: C and all k together. Without layers it is x. Source: Huang et al. 2016.
    """
    for f in layers:
        x = np.concatenate([f(x), x], axis=1)
    return x


def identity_init(parameters):
    """Return the parameters of a block so that x + f(x) begins as x: f returns zeros at first.

    parameters: a dict of arrays in the order of the layers, such as "conv1.weight" (F, C, KH, KW),
    "norm1.weight" (F,), "norm1.bias" (F,), "conv2.weight", "norm2.weight", "norm2.bias". The names
    of batch norms contain "norm", and the last layer of f is one.

    The weight and the bias of the last batch norm become 0, and nothing else changes: the layers
    before it keep their random weights, so that there is something to learn from. Returns a new
    dict with the same names in the same order and arrays of its own; those given do not change.
    """
    norms = [name for name in parameters if "norm" in name]
    last = norms[-1].split(".")[0]
    return {name: np.zeros_like(array) if name.split(".")[0] == last else array.copy()
            for name, array in parameters.items()}


def conv_layer(ni, nf, ks=3, stride=1, norm="batch", use_activ=True):
    """Write down the lesson's layer: convolution, then ReLU, then batch norm.

    ni, nf: channels in and out; ks: the side of the kernel. The convolution is padded by half of
    ks - 1, rounded down. It has a bias only if there is no batch norm, which would take it away.

    norm: "batch"; "batch_zero", whose weight starts at 0 instead of 1; or None for no batch norm.
    use_activ: whether there is a ReLU. Returns a list of pairs (kind, settings) as described at
    the top of this file. Raises ValueError for another norm.
    """
    if norm not in ("batch", "batch_zero", None):
        raise ValueError(f"norm must be 'batch', 'batch_zero' or None, not {norm!r}")
    layers = [("conv", {"ni": ni, "nf": nf, "ks": ks, "stride": stride,
                        "padding": (ks - 1) // 2, "bias": norm is None})]
    if use_activ:
        layers.append(("relu", {}))
    if norm is not None:
        layers.append(("batch_norm", {"nf": nf, "weight": 0 if norm == "batch_zero" else 1}))
    return layers


def res_block(nf, dense=False, bottle=False, norm="batch"):
    """Write down the lesson's block: two `conv_layer`s of 3 x 3, stride 1, with a shortcut.

    nf: channels in, and out of the two layers. bottle: only nf / 2 channels, rounded down, between
    the two. norm: as for `conv_layer`, except that "batch_zero" is for the second layer alone, the
    first one having "batch" then: so the block starts as the identity.

    Returns one pair, ("residual", {"layers": [...]}), or "dense" if dense is true.
    """
    inner = nf // 2 if bottle else nf
    first = "batch" if norm == "batch_zero" else norm
    layers = conv_layer(nf, inner, norm=first) + conv_layer(inner, nf, norm=norm)
    return "dense" if dense else "residual", {"layers": layers}


def count_parameters(layers):
    """Count the numbers that a net learns: weights and biases.

    layers: pairs (kind, settings) as described at the top of this file, with blocks in blocks. A
    batch norm learns a weight and a bias per channel; its running statistics are not learned. The
    lesson's three nets have 12,126, 12,044 and 41,132 parameters.

    Returns an int, 0 for no layers. Raises ValueError for a kind that is not described there.
    """
    total = 0
    for kind, s in layers:
        if kind == "conv":
            total += s["nf"] * s["ni"] * s["ks"] ** 2 + s["nf"] * s["bias"]
        elif kind == "linear":
            total += s["n_out"] * s["n_in"] + s["n_out"] * s["bias"]
        elif kind == "batch_norm":
            total += 2 * s["nf"]
        elif kind in ("residual", "dense"):
            total += count_parameters(s["layers"])
        elif kind not in ("relu", "flatten"):
            raise ValueError(f"no such kind of layer: {kind!r}")
    return total


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
    for kind, s in layers:
        given = shape
        if kind == "conv":
            shape = (s["nf"], *((n + 2 * s["padding"] - s["ks"]) // s["stride"] + 1
                                for n in given[1:]))
        elif kind == "flatten":
            shape = (math.prod(given),)
        elif kind == "linear":
            shape = (s["n_out"],)
        elif kind in ("residual", "dense"):
            shape = output_shape(s["layers"], given)
        expects = {"conv": s.get("ni"), "batch_norm": s.get("nf"), "linear": s.get("n_in")}
        if given[0] != expects.get(kind, given[0]) or min(shape) < 1:
            raise ValueError(f"a {kind} layer {s} does not fit {given}")
        if kind == "residual" and shape != given:
            raise ValueError(f"a residual block made {shape} of {given}")
        if kind == "dense":
            shape = (shape[0] + given[0], *given[1:])
    return shape


def confusion_matrix(scores, labels):
    """Count what was taken for what: element (i, j) says how many of class i were taken for j.

    scores: (N, K), the larger the likelier; the prediction is the class with the largest score.
    labels: (N,), the true classes, integers from 0 to K - 1. Returns integers (K, K); the right
    predictions are on the diagonal.
    """
    K = scores.shape[1]
    predicted = scores.argmax(axis=1)
    counts = np.zeros((K, K), int)
    np.add.at(counts, (labels, predicted), 1)
    return counts


def top_k_accuracy(scores, labels, k=1):
    """Return the share of examples whose true class is among the k classes with the best scores.

    scores: (N, K), the larger the better; labels: (N,), integers from 0 to K - 1. Returns a number
    from 0 to 1. Raises ValueError when k is not from 1 to K.
    """
    if not 1 <= k <= scores.shape[1]:
        raise ValueError(f"k must be from 1 to {scores.shape[1]}, not {k}")
    best = np.argsort(-scores, axis=1)[:, :k]
    return (best == labels[:, None]).any(axis=1).mean()


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
    if direction.shape != weight.shape:
        raise ValueError(f"a direction {direction.shape} for weights {weight.shape}")
    if weight.ndim < 2:
        return np.zeros_like(weight)
    others = tuple(range(1, weight.ndim))
    wanted = np.sqrt((weight**2).sum(axis=others, keepdims=True))
    length = np.sqrt((direction**2).sum(axis=others, keepdims=True))
    return direction * wanted / (length + 1e-10)


def loss_surface(loss, parameters, d1, d2, alphas, betas):
    """Return the loss on a grid around the parameters, in the plane of two directions.

    parameters, d1, d2: lists of arrays, of the same shapes; alphas, betas: arrays of numbers.
    loss: a function that takes such a list of parameters and returns a number. Element (i, j) is

        loss(parameters + alphas[i] * d1 + betas[j] * d2)

    with the sum taken array by array. Returns float64 numbers (len(alphas), len(betas)); the
    parameters are not changed, and loss is called once per element. Source: Li et al. 2018.
    """
    surface = np.empty((len(alphas), len(betas)))
    for i, a in enumerate(alphas):
        for j, b in enumerate(betas):
            moved = [p + a * u + b * v for p, u, v in zip(parameters, d1, d2, strict=True)]
            surface[i, j] = loss(moved)
    return surface


def plane_coordinates(point, centre, d1, d2):
    """Return where in the picture of a loss surface another set of parameters lies: (a, b).

    point, centre, d1, d2: lists of arrays, of the same shapes. Of all places centre + a * d1 +
    b * d2, the one nearest to point is looked for: the sum of the squared differences over all
    numbers of all arrays is the least. The directions have any length, and in general no right
    angle between them; they are not parallel. Returns two numbers.
    """
    column = [np.concatenate([a.ravel() for a in arrays]) for arrays in (point, centre, d1, d2)]
    directions = np.stack(column[2:], axis=1)
    a, b = np.linalg.lstsq(directions, column[0] - column[1], rcond=None)[0]
    return a, b
