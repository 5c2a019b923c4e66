"""Lesson 5: what any residual block, dense block and identity init must do."""

from __future__ import annotations

import torch
from hypothesis import strategies as st
from torch.nn import functional as F

from .contract import Raises, exercise
from .strategies import counted, noise, scattered, seeds, signed, sizes

LESSON = "05_resnet"


def mixed(x, matrix):
    """Return new channels, each a mix of those of x, and ReLU: what f is in the cases."""
    return F.relu(F.conv2d(x, matrix[:, :, None, None]))


@st.composite
def inputs(draw, fill=None):
    shape = tuple(draw(sizes(1, 3)) for _ in range(4))
    return noise(draw(seeds), shape) if fill == noise else signed(shape)


# ---------------------------------------------------------------- residual

BLOCK = """
def drive(module, function, x, matrix):
    calls, kept = [], []
    def f(x):
        calls.append(1)
        if matrix is None:
            return x
        kept.append(np.maximum(np.einsum("nchw,dc->ndhw", x, matrix), 0))
        return kept[-1]
    y = function(x, f)
    return {"y": np.array(y), "calls of f": len(calls), "x afterwards": x, "what f made": kept}
"""
residual = exercise(
    LESSON, "residual", "A residual block", minutes=5, difficulty=1, driver=BLOCK,
    hints=("Call f, and look at the shape of what it returns before you add.",
           "NumPy adds (N, 1, H, W) to (N, C, H, W) without a word: compare the shapes yourself.",
           "return x + y, not y += x: y may be x itself."))


@st.composite
def blocks(draw, fill=None, fits=True):
    x, seed, d = draw(inputs(fill)), draw(seeds), draw(sizes(1, 3))
    c = x.shape[1]
    d = c if fits else d + (d >= c)  # any but c
    return dict(x=x, matrix=scattered(seed, (d, c), -3, 3))


def by_block(x, matrix):
    y = mixed(torch.from_numpy(x), torch.from_numpy(matrix))
    return {"y": y + torch.from_numpy(x), "calls of f": 1, "x afterwards": x, "what f made": [y]}


residual.property("adds x to f(x), here relu(matrix @ channels)", 2, blocks(), exact=True)(by_block)
residual.property("is right for any numbers", 1, blocks(noise))(by_block)


@residual.property("leaves x alone, also when f returns x itself", 1,
                   inputs().map(lambda x: dict(x=x, matrix=None)), exact=True)
def _(x, matrix):
    return {"y": 2 * x, "calls of f": 1, "x afterwards": x, "what f made": []}


@residual.property("refuses a result of another shape", 1, blocks(fits=False))
def _(x, matrix):
    return Raises("ValueError")


residual.mistake("the **shortcut is missing**: x is to be added to f(x)", ("x + y", "y + 0"))
residual.mistake("there is a **ReLU after the sum**; here there is none",
                 ("return x + y", "return np.maximum(x + y, 0)"))
residual.mistake("f is **applied twice**", ("x + y", "x + f(y)"))
residual.mistake(
    "the channels are **put side by side**: that is a dense block; a residual one adds",
    ("x + y", "np.concatenate([y, x], axis=1)"))
residual.mistake("x and f(x) are **averaged**; they are added", ("x + y", "(x + y) / 2"))
residual.mistake(
    "the sum is made **in place** (`y += x`): y belongs to f, and may even be x itself",
    ("return x + y", "y += x\n    return y"))
residual.mistake("**another shape is not refused**: NumPy broadcasts (N, 1, H, W) in silence",
                 ("if y.shape != x.shape:", "if False:"))
residual.mistake("the two are **multiplied**: that is a gate; a residual block adds",
                 ("x + y", "x * y"))

# ---------------------------------------------------------------- residual_backward

BACKWARDS = """
def drive(module, function, g, matrices):
    vjps = [lambda g, m=m: g @ m for m in matrices]
    return {"gradient": function(g, vjps), "g afterwards": g}
"""
residual_backward = exercise(
    LESSON, "residual_backward", "The gradient's shortcut", minutes=10, difficulty=2,
    driver=BACKWARDS,
    hints=("One block first: y = x + f(x). Its gradient is g along the shortcut, plus what vjp "
           "makes of g.",
           "The last block ran last, so its gradient comes first.",
           "for vjp in reversed(vjps): g = g + vjp(g)"))


@st.composite
def rows(draw, fill=None):
    n, d, count = draw(sizes(1, 2)), draw(sizes(1, 3)), draw(sizes(0, 3))
    seed = draw(seeds)
    g = noise(seed, (n, d)) if fill == noise else signed((n, d))
    return dict(g=g, matrices=[scattered(seed + i, (d, d), -3, 3) for i in range(count)])


def by_autograd(g, matrices):
    start = x = torch.zeros(g.shape, dtype=torch.float64, requires_grad=True)
    for matrix in matrices:
        x = x + x @ torch.from_numpy(matrix).T
    gradient, = torch.autograd.grad(x, start, torch.from_numpy(g))
    return {"gradient": gradient, "g afterwards": g}


residual_backward.property("returns the gradient of x0, where a vjp is g @ matrix", 3, rows(),
                           exact=True)(by_autograd)
residual_backward.property("is right for any numbers", 1, rows(noise))(by_autograd)

STEP = "g = g + vjp(g)"
residual_backward.mistake("the **shortcut is missing**: each block passes g on beside vjp(g)",
                          (STEP, "g = vjp(g)"))
residual_backward.mistake("the blocks are gone through **from the first to the last**; gradients "
                          "start at the last", ("reversed(vjps)", "vjps"))
residual_backward.mistake(
    "every block gets the **gradient of the end**; each gets what came out of the block after it",
    ("    for vjp", "    end = g\n    for vjp"), (STEP, "g = g + vjp(end)"))
residual_backward.mistake("only the **shortcuts** are followed: what goes through f is missing",
                          (STEP, "vjp(g)"))
residual_backward.mistake("**g is changed in place** (`g +=`): the caller's array is spoiled",
                          (STEP, "g += vjp(g)"))
residual_backward.mistake("the two ways are **multiplied**; gradients of two ways add up",
                          (STEP, "g = g * vjp(g)"))
residual_backward.mistake(
    "the **first block is left out**",
    ("reversed(vjps)", "reversed(vjps[1:])"))

# ---------------------------------------------------------------- dense_block

DENSE = """
def drive(module, function, x, matrices):
    def layer(matrix):
        return lambda x: np.maximum(
            np.einsum("nchw,dc->ndhw", x, matrix[:, : x.shape[1]]), 0)
    return {"y": function(x, [layer(m) for m in matrices]), "x afterwards": x}
"""
dense_block = exercise(
    LESSON, "dense_block", "A dense block", minutes=8, difficulty=2, driver=DENSE,
    hints=("x grows: after each layer it holds the new channels and all the old ones.",
           "Channels are axis 1, and the new ones come first.",
           "for f in layers: x = np.concatenate([f(x), x], axis=1)"))


@st.composite
def growths(draw, fill=None):
    x, seed = draw(inputs(fill)), draw(seeds)
    c, matrices = x.shape[1], []
    for i, k in enumerate(draw(st.lists(sizes(1, 3), max_size=3))):
        matrices.append(scattered(seed + i, (k, c), -3, 3))
        c += k
    return dict(x=x, matrices=matrices)


def by_concatenation(x, matrices):
    seen = [torch.from_numpy(x)]
    for matrix in matrices:
        seen.insert(0, mixed(torch.cat(seen, 1), torch.from_numpy(matrix)))
    return {"y": torch.cat(seen, 1), "x afterwards": x}


dense_block.property("shows each layer, relu(matrix @ channels), all so far", 3, growths(),
                     exact=True)(by_concatenation)
dense_block.property("is right for any numbers", 1, growths(noise))(by_concatenation)

JOINED = "np.concatenate([f(x), x], axis=1)"
dense_block.mistake("the new channels come **after the old ones**; here they come first",
                    ("[f(x), x]", "[x, f(x)]"))
dense_block.mistake(
    "each layer sees only **what the layer before it made**; it must see all channels",
    ("    for f", "    seen = x\n    for f"),
    (JOINED, "f(x)\n        seen = np.concatenate([x, seen], axis=1)"),
    ("return x", "return seen"))
dense_block.mistake("every layer sees only the **input of the block**; it must see what the layers "
                    "before it made too", ("    for f", "    start = x\n    for f"),
                    ("[f(x), x]", "[f(start), x]"))
dense_block.mistake("only the **new channels** are kept, the old ones are gone", (JOINED, "f(x)"))
dense_block.mistake("the parts are joined along the **batch** (axis 0); channels are axis 1",
                    ("axis=1", "axis=0"))
dense_block.mistake(
    "the parts are **added**: that is a residual block; here they stay side by side",
    (JOINED, "f(x) + x"))
dense_block.mistake("the **input is left out** of the result: all that was seen is returned",
                    ("    for f", "    C = x.shape[1]\n    for f"),
                    ("return x", "return x[:, : x.shape[1] - C] if layers else x"))

# ---------------------------------------------------------------- identity_init

RUN = """
def drive(module, function, parameters, x):
    found, y = function(parameters), x
    for name, array in found.items():
        layer, kind = name.split(".")
        if layer.startswith("conv"):
            y = np.maximum(np.einsum("nchw,dc->ndhw", y, array[:, :, 0, 0]), 0)
        elif kind == "weight":
            y = y - y.mean(axis=(0, 2, 3), keepdims=True)
            y = y / np.sqrt((y * y).mean(axis=(0, 2, 3), keepdims=True) + 1e-5)
            y = y * array[:, None, None] + found[layer + ".bias"][:, None, None]
    return x + y
"""
ONLY = """
def drive(module, function, parameters):
    found = function(parameters)
    names = list(found)
    for array in found.values():
        array += 1
    return {"parameters": {name: array - 1 for name, array in found.items()}, "order": names,
            "argument afterwards": parameters}
"""
identity_init = exercise(
    LESSON, "identity_init", "Blocks that start as the identity", minutes=12, difficulty=2,
    hints=("A batch norm ends with `* weight + bias`: with both at 0 nothing comes out of it.",
           "The dict is in the order of the layers, so the last name with 'norm' in it belongs "
           "to the last batch norm; what is before the dot is the name of the layer.",
           "{name: np.zeros_like(array) if name.split('.')[0] == last else array.copy() for ...}"))


@st.composite
def parameters(draw):
    """Draw the arrays of one to three layers; with numbers up to 12, as 10 sorts before 9."""
    c, count, first = draw(sizes(1, 3)), draw(sizes(1, 3)), draw(st.sampled_from((1, 9)))
    found = {}
    for i in range(first, first + count):
        found[f"conv{i}.weight"] = scattered(draw(seeds), (c, c, 1, 1), 1, 5)
        found[f"norm{i}.weight"] = counted(c, 2)
        found[f"norm{i}.bias"] = 10 * signed(c, i)
    return found


def last_to_zero(parameters):
    names = list(parameters)
    zeros = {name: 0 * parameters[name] for name in names[-2:]}
    return {"parameters": parameters | zeros, "order": names, "argument afterwards": parameters}


@identity_init.property("the block begins as the identity", 2, st.builds(
    lambda parameters, n: dict(parameters=parameters, x=signed(
        (n, len(parameters["norm1.bias" if "norm1.bias" in parameters else "norm9.bias"]), 2, 1))),
    parameters(), sizes()), driver=RUN, exact=True)
def _(parameters, x):
    return x


identity_init.property("changes nothing else, and not the arrays it was given", 2,
                       parameters().map(lambda p: dict(parameters=p)), driver=ONLY,
                       exact=True)(last_to_zero)

IS_LAST, ZEROS = 'name.split(".")[0] == last', "np.zeros_like(array)"
identity_init.mistake(
    "the **first batch norm** is zeroed instead of the last",
    ("norms[-1]", "norms[0]"))
identity_init.mistake(
    "**all batch norms** are zeroed: then no gradient gets past them, and nothing is ever "
    "learned",
    (IS_LAST, '"norm" in name'))
identity_init.mistake("the **bias is not zeroed**: the block adds it to x",
                      (IS_LAST, f'{IS_LAST} and name.endswith("weight")'))
identity_init.mistake("the **weight is not zeroed**, only the bias",
                      (IS_LAST, f'{IS_LAST} and name.endswith("bias")'))
identity_init.mistake("the weight is set to **1** instead of 0: that is where a batch norm usually "
                      "starts", (ZEROS, 'np.zeros_like(array) + name.endswith("weight")'))
identity_init.mistake("the **last convolution** is zeroed instead of the batch norm after it",
                      ('"norm" in name', '"conv" in name'))
identity_init.mistake("the last batch norm is looked for by the **alphabet**, where 10 is before 9",
                      ("norms[-1]", "max(norms)"))
identity_init.mistake("the **arrays given are changed in place**; make new ones",
                      (f"{ZEROS} if {IS_LAST} else array.copy()",
                       f"(array.fill(0) if {IS_LAST} else None) or array"))
identity_init.mistake(
    "the other arrays are **not copied**: the new dict shares them with the old one",
    ("array.copy()", "array"))
identity_init.mistake(
    "**only the changed arrays** are returned; the others belong to the block too",
    (f"{ZEROS} if {IS_LAST} else array.copy()", ZEROS),
    ("in parameters.items()}", f"in parameters.items() if {IS_LAST}}}"))
