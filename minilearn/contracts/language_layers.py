"""Lesson 6, many steps: networks that read a row of inputs, and their gradients through time."""

from __future__ import annotations

import torch
from hypothesis import strategies as st

from .contract import Raises, exercise
from .language_cells import quarters
from .language_text import LESSON
from .strategies import noise, seeds, signed, sizes

NAMES = "weight_ih", "weight_hh", "bias_ih", "bias_hh"


def weights(seed, fill, I, H, gates=1):
    """Return the weights of one layer."""
    rows = gates * H
    shapes = (rows, I), (rows, H), (rows,), (rows,)
    return tuple(fill(seed + i, shape) for i, shape in enumerate(shapes))


def by_torch(layer, x, h, *layers):
    """Let a layer of torch, such as torch.nn.RNN, run; return (y, h, its weights), all tensors."""
    module = layer(x.shape[2], h.shape[2], len(layers), batch_first=True, dtype=x.dtype)
    module.load_state_dict({f"{name}_l{i}": torch.from_numpy(w) for i, each in enumerate(layers)
                            for name, w in zip(NAMES, each, strict=True)})
    y, last = module(x, h)
    return y, last, tuple(module.parameters())


# ---------------------------------------------------------------- rnn

rnn = exercise(
    LESSON, "rnn", "One state after the other", minutes=10, difficulty=2,
    given="rnn_cell, which you have written.",
    hints=("A loop over time: at each step all rows at once go through rnn_cell.",
           "The inputs of step t are x[:, t], of shape (N, I). The state that comes out is the one "
           "that goes in next.",
           "for t in range(x.shape[1]): h = rnn_cell(x[:, t], h, ...); steps.append(h). Then "
           "np.stack(steps, axis=1) puts time behind the rows."))


@st.composite
def rows(draw, fill=quarters, most=3, least_steps=1):
    N, T, I, H = draw(sizes()), draw(sizes(least_steps)), draw(sizes(1, most)), draw(sizes(1, most))
    seed = draw(seeds)
    x, h = fill(seed + 8, (N, T, I)), fill(seed + 9, (N, H))
    return dict(x=x, h=h) | dict(zip(NAMES, weights(seed, fill, I, H), strict=True))


def single(value):
    """Return the numbers of a case in float32, made smaller: the slope of tanh must not vanish."""
    if isinstance(value, dict):
        return {name: single(v) for name, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(single(v) for v in value)
    return (value / 4).astype("float32")


def by_rnn(x, h, **named):
    y, last, _ = by_torch(torch.nn.RNN, torch.from_numpy(x), torch.from_numpy(h)[None],
                          named.values())
    return y, last[0]


rnn.property("reads one input from the state it is given", 1,
             rows().map(lambda case: case | dict(x=case["x"][:, :1])))(by_rnn)
rnn.property("carries the state from step to step", 3, rows(least_steps=2), unchanged=True)(by_rnn)
rnn.property("is right for any numbers", 1, rows(noise, 5))(by_rnn)
rnn.property("returns float32 for float32", 1, rows().map(single))(by_rnn)

LOOP, CELL = "for t in range(x.shape[1]):", "h = rnn_cell(x[:, t], h,"
STACK = "return np.stack(steps, axis=1), h"
rnn.mistake("the state is **not carried on**: each step begins with the state given",
            ("    steps = []", "    start, steps = h, []"),
            (CELL, "h = rnn_cell(x[:, t], start,"))
rnn.mistake("the **state given is ignored**: the rows begin with zeros",
            ("    steps = []", "    h, steps = np.zeros_like(h), []"))
rnn.mistake("**time is the first axis** of y; it is the second, behind the rows",
            ("axis=1), h", "axis=0), h"))
rnn.mistake("the input is read **backwards in time**", (LOOP, "for t in reversed(range(x.shape[1]"
                                                             ")):"))
rnn.mistake("y holds the states **before** each step; it holds those after",
            ("        steps.append(h)\n", ""),
            (CELL, f"steps.append(h)\n        {CELL}"))
rnn.mistake("only the **last state** is returned as y; y has the states after all steps",
            (STACK, "return h, h"))
rnn.mistake("the **first state** is returned as h; the next batch begins with the last one",
            (STACK, "return np.stack(steps, axis=1), steps[0]"))
rnn.mistake("the **state given** is returned as h; the next batch begins with the last one",
            ("    steps = []", "    start, steps = h, []"),
            (STACK, "return np.stack(steps, axis=1), start"))
rnn.mistake("the steps go over the **rows**: time is axis 1, so the inputs of a step are x[:, t]",
            (LOOP, "for t in range(x.shape[0]):"), (CELL, "h = rnn_cell(x[t], h,"))
rnn.mistake("the states are **joined end to end**; they are stacked along a new axis",
            ("np.stack", "np.concatenate"))

rnn.mistake("**float32 becomes float64**: np.zeros makes float64 unless it is told the dtype",
            (STACK, "y = np.zeros((*x.shape[:2], h.shape[1]))\n    y[:] = np.stack(steps, axis=1)\n"
                    "    return y, h"))

# ---------------------------------------------------------------- rnn_grad

rnn_grad = exercise(
    LESSON, "rnn_grad", "Back through time", minutes=30, difficulty=3,
    given="rnn, which you have written.",
    hints=("Run forward first and keep all states. Then go from the last step to the first; what "
           "goes from step to step is `back`, the gradient with respect to the state.",
           "d_t = (g_t + back) * (1 - y_t^2), and back = d_t @ weight_hh for the step before it. "
           "At the end back belongs to the h given.",
           "With d (N, T, H): dx = d @ weight_ih, dweight_ih = einsum('nth,nti->hi', d, x); and "
           "dweight_hh likewise with the states from which each step began, h and y[:, :-1]."))


@st.composite
def losses(draw, **options):
    case = draw(rows(**options))
    shape = (*case["x"].shape[:2], case["h"].shape[1])
    return dict(g=signed(shape)) | case


def by_autograd(g, x, h, **named):
    x, h = torch.from_numpy(x).requires_grad_(), torch.from_numpy(h)[None].requires_grad_()
    y, _, parameters = by_torch(torch.nn.RNN, x, h, named.values())
    y.backward(torch.from_numpy(g))
    w_ih, w_hh, b, _ = (p.grad for p in parameters)
    return x.grad, h.grad[0], w_ih, w_hh, b


rnn_grad.property("is right for one step", 1,
                  losses().map(lambda case: case | dict(x=case["x"][:, :1], g=case["g"][:, :1])))(
    by_autograd)
rnn_grad.property("goes back through all steps", 3, losses(least_steps=2), unchanged=True)(
    by_autograd)
rnn_grad.property("is right for any numbers", 1, losses(fill=noise, most=4))(by_autograd)
rnn_grad.property("returns float32 for float32", 1, losses().map(single))(by_autograd)

D, BACK = "d[:, t] = (g[:, t] + back) * (1 - y[:, t] ** 2)", "back = d[:, t] @ weight_hh"
rnn_grad.mistake("**nothing goes back** from step to step: d_t gets what comes from d_(t+1) beside "
                 "g_t", (D, D.replace(" + back", "")))
rnn_grad.mistake("only the gradient of **the last output** is used; every step has a g of its own",
                 (D, D.replace("g[:, t] + back", "(g[:, t] if t == x.shape[1] - 1 else 0) + "
                               "back")))
rnn_grad.mistake("the **slope of tanh** is missing: 1 - y^2", (D, D.replace(" * (1 - y[:, t] ** "
                                                                           "2)", "")))
rnn_grad.mistake("the slope is taken **of y** once more: y is tanh(a) already, so it is 1 - y^2",
                 ("1 - y[:, t] ** 2", "1 - np.tanh(y[:, t]) ** 2"))
rnn_grad.mistake("the steps are gone through **from the first to the last**; gradients come from "
                 "the end", ("reversed(range(x.shape[1]))", "range(x.shape[1])"))
rnn_grad.mistake("weight_hh is **transposed** on the way back: the way there is h @ weight_hh.T, "
                 "so the way back is d @ weight_hh", (BACK, f"{BACK}.T"))
rnn_grad.mistake("dweight_hh is made with the state **after** each step; U was applied to the one "
                 "before it", ('"nth,ntk->hk", d, before', '"nth,ntk->hk", d, y'))
rnn_grad.mistake("the weights' gradients are those of **the last step**; all steps use the same "
                 "weights, so sum them", ('np.einsum("nth,nti->hi", d, x)',
                                          'd[:, -1].T @ x[:, -1]'),
                 ('np.einsum("nth,ntk->hk", d, before)', 'd[:, -1].T @ before[:, -1]'),
                 ("d.sum(axis=(0, 1))", "d[:, -1].sum(axis=0)"))
rnn_grad.mistake("the weights' gradients are those of **the first step** alone; sum over all",
                 ('np.einsum("nth,nti->hi", d, x)', 'd[:, 0].T @ x[:, 0]'),
                 ('np.einsum("nth,ntk->hk", d, before)', 'd[:, 0].T @ before[:, 0]'),
                 ("d.sum(axis=(0, 1))", "d[:, 0].sum(axis=0)"))
rnn_grad.mistake("the bias's gradient is **averaged** over the steps; it is summed",
                 ("d.sum(axis=(0, 1))", "d.mean(axis=1).sum(axis=0)"))
rnn_grad.mistake("**dh is 0**: the state given acts on the loss through the first step",
                 ("d @ weight_ih, back,", "d @ weight_ih, np.zeros_like(h),"))
rnn_grad.mistake("**dh is the gradient of the first state**; it must go through weight_hh once "
                 "more, back to the state given", ("d @ weight_ih, back,",
                                                   "d @ weight_ih, d[:, 0],"))

rnn_grad.mistake("**float32 becomes float64**: np.zeros makes float64 unless it is told the dtype",
                 ("np.zeros_like(y), np.zeros_like(h)", "np.zeros(y.shape), np.zeros(h.shape)"))

# ---------------------------------------------------------------- gru

gru = exercise(
    LESSON, "gru", "Cells upon cells", minutes=15, difficulty=2,
    given="gru_cell, which you have written.",
    hints=("Two loops: over the layers, and within a layer over time.",
           "What a layer returns for all steps, (N, T, H), takes the place of x for the next one. "
           "Each layer has its own weights and its own first state.",
           "for state, weights in zip(h, layers, strict=True): run over t with state = "
           "gru_cell(x[:, t], state, *weights), then x = np.stack(steps, axis=1) and "
           "last.append(state)."))


@st.composite
def stacks(draw, fill=quarters, most=3, least=1, least_steps=1):
    N, T, I, H = draw(sizes(1, 3)), draw(sizes(least_steps, 3)), draw(sizes(1, 3)), draw(
        sizes(1, 2))
    seed, L = draw(seeds), draw(sizes(least, most))
    layers = [weights(seed + 10 * i, fill, H if i else I, H, 3) for i in range(L)]
    return dict(x=fill(seed + 8, (N, T, I)), h=fill(seed + 9, (L, N, H)), layers=layers)


def by_gru(x, h, layers):
    return by_torch(torch.nn.GRU, torch.from_numpy(x), torch.from_numpy(h), *layers)[:2]


gru.property("runs one layer", 1, stacks(most=1))(by_gru)
gru.property("runs a stack of layers", 3, stacks(least=2), unchanged=True)(by_gru)
gru.property("is right for any numbers", 1, stacks(noise))(by_gru)
gru.property("returns float32 for float32", 1, stacks(most=2).map(single))(by_gru)


@gru.property("refuses a state for another number of layers", 1, st.builds(
    lambda case, more: case | dict(h=case["h"].repeat(2, 0) if more else case["h"][1:]),
    stacks(least=2, most=2), st.booleans()))
def _(x, h, layers):
    return Raises("ValueError")


STEP, ZIP = "state = gru_cell(x[:, t], state, *weights)", "zip(h, layers, strict=True):"
NEXT, ALL = "x = np.stack(steps, axis=1)  #", "return x, np.stack(last)"
gru.mistake("**every layer reads x**; each reads what the layer below it made",
            ("    last = []", "    last, start = [], x"),
            (STEP, STEP.replace("x[:, t]", "start[:, t]")))
gru.mistake("all layers have the **first layer's weights**; each has its own",
            (STEP, STEP.replace("*weights", "*layers[0]")))
gru.mistake("all layers begin with the **first layer's state**; each has its own, h[i]",
            (ZIP, "zip([h[0]] * len(h), layers, strict=True):"))
gru.mistake("a layer begins with the **last state of the layer below**; it begins with its own, "
            "h[i]", ("        steps = []\n",
                     "        steps, state = [], last[-1] if last else state\n"))
gru.mistake("**the states given are ignored**: the layers begin with zeros",
            (ZIP, "zip(h * 0, layers, strict=True):"))
gru.mistake("the state is **not carried** from step to step",
            (STEP, "steps.append(gru_cell(x[:, t], state, *weights))"),
            ("            steps.append(state)\n", ""),
            ("last.append(state)", "last.append(steps[-1])"))
gru.mistake("only the **last layer's** last state is returned; every layer will need its own",
            (ALL, "return x, last[-1][None]"))
gru.mistake("h is returned **with the rows first**; the layers come first, as in the h given",
            (ALL, "return x, np.stack(last, axis=1)"))
gru.mistake("y holds **all layers side by side**; it holds the states of the last layer",
            ("    last = []", "    last, made = [], []"),
            ("last.append(state)", "last.append(state)\n        made.append(x)"),
            (ALL, "return np.concatenate(made, axis=2), np.stack(last)"))
gru.mistake("only the **last state** of a layer is handed on; the next one reads all of them",
            (NEXT, "x = state[:, None]  #"))
gru.mistake("a state for **fewer or more layers** is taken in silence: zip stops at the shorter; "
            "say strict=True", (", strict=True", ""))
gru.mistake("**float32 becomes float64**: np.zeros makes float64 unless it is told the dtype",
            (NEXT, "x = np.zeros((*x.shape[:2], len(state[0])))\n"
                   "        x[:] = np.stack(steps, axis=1)  #"),
            (ALL, "return x, np.stack(last).astype(float)"))
