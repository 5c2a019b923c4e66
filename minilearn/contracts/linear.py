"""Lesson 2, the linear layer: its outputs, its gradients and its first weights."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import strategies as st
from torch.nn import functional as F
from torch.nn import init

from .contract import Raises, exercise
from .strategies import counted, noise, seeds, shapes, signed, sizes

LESSON = "02_training"

# ---------------------------------------------------------------- linear

linear = exercise(
    LESSON, "linear", "A linear layer", minutes=8, difficulty=1,
    hints=("Each output is the dot product of the inputs with one row of w.",
           "All of them at once are a product of matrices: (..., in) times (in, out). w is "
           "(out, in), so it must be turned over.",
           "x @ w.T; then add b, unless it is None: it stretches over the leading dimensions."))


@st.composite
def layers(draw, leading=None, bias=True):
    inputs, outputs = draw(sizes()), draw(sizes())
    leading = draw(leading if leading is not None else st.tuples(sizes()))
    case = dict(x=counted((*leading, inputs)), w=signed((outputs, inputs)))
    return case | (dict(b=counted(outputs) * 100) if bias else {})


def example(*leading, inputs=3, outputs=2):
    return dict(x=counted((*leading, inputs)), w=signed((outputs, inputs)),
                b=counted(outputs) * 100)


def by_torch(x, w, b=None):
    return F.linear(*(None if v is None else torch.from_numpy(v) for v in (x, w, b)))


linear.property("is right for a batch of samples", 2, layers(), exact=True,
                examples=(example(4),))(by_torch)
linear.property("is right for any number of leading dimensions", 1, layers(shapes(0, 3, 3)),
                exact=True, examples=(example(), example(4, 5)))(by_torch)
linear.property("is right without a bias", 1, layers(bias=False), exact=True)(by_torch)

linear.mistake("w is **not transposed**: it has the shape (out, in), and the inputs are summed "
               "along its second dimension; write x @ w.T", ("x @ w.T", "x @ w"))
linear.mistake("the factors are **in the wrong order**: w @ x.T has a column for each sample, but "
               "the samples must stay rows; write x @ w.T", ("x @ w.T", "w @ x.T"))
linear.mistake("the **bias is missing**", ("y if b is None else y + b", "y"))
linear.mistake("the **bias is added to the inputs**, before the product; add it to the outputs",
               ("x @ w.T", "(x if b is None else x + b) @ w.T"),
               ("y if b is None else y + b", "y"))
linear.mistake("the bias goes **along the samples**: b[:, None] is a column; b alone has one "
               "number for each output", ("y + b", "y + b[:, None]"))
linear.mistake("**b may be None**: then nothing is to be added",
               ("y if b is None else y + b", "y + b"))
linear.mistake("only a **matrix** of inputs is handled; x @ w.T works for any number of leading "
               "dimensions", ("x @ w.T", 'np.einsum("ni,oi->no", x, w)'))
linear.mistake("the leading dimensions come out **merged into one**: the result must have the "
               "shape of x but for its last dimension",
               ("x @ w.T", "x.reshape(-1, x.shape[-1]) @ w.T"))

# ---------------------------------------------------------------- linear_grad

linear_grad = exercise(
    LESSON, "linear_grad", "The gradients of a linear layer", minutes=20, difficulty=2,
    hints=("Write y[n, o] as a sum and ask of each input, weight and bias: which outputs does it "
           "change, and how fast? The shapes leave little choice.",
           "For a matrix of samples: dx (n, in) is g (n, out) times w (out, in); dw (out, in) is "
           "g turned over (out, n) times x (n, in); db adds up the rows of g.",
           "rows = g.reshape(-1, g.shape[-1]), the same for x; dx = g @ w, dw = rows.T @ x_rows, "
           "db = rows.sum(axis=0)."))


@st.composite
def upstream(draw, leading):
    inputs, outputs, leading = draw(sizes()), draw(sizes()), draw(leading)
    return backward(*leading, inputs=inputs, outputs=outputs)


def backward(*leading, inputs=3, outputs=2):
    return {"g": counted((*leading, outputs)), "x": signed((*leading, inputs)),
                "w": signed((outputs, inputs), 2)}


def by_autograd(g, x, w):
    g, x, w = map(torch.from_numpy, (g, x, w))
    b = torch.zeros(len(w), dtype=w.dtype)
    leaves = [v.requires_grad_() for v in (x, w, b)]
    return torch.autograd.grad(F.linear(*leaves), leaves, g)


linear_grad.property("is right for a batch of samples", 3, upstream(st.tuples(sizes())), exact=True,
                     examples=(backward(4),))(by_autograd)
linear_grad.property("sums over any number of leading dimensions", 1, upstream(shapes(0, 3, 3)),
                     exact=True, examples=(backward(), backward(4, 5)))(by_autograd)

linear_grad.mistake("dx uses **w transposed**: in y = x @ w.T it already was, so on the way back "
                    "it is not; write g @ w", ("g @ w,", "g @ w.T,"))
linear_grad.mistake("dw is **transposed**: it must have the shape of w, (out, in)",
                    ("by_sample.T @ inputs", "inputs.T @ by_sample"))
linear_grad.mistake("dw and db are **averaged** over the samples instead of summed: if the loss is "
                    "a mean, the division is in g already",
                    ("by_sample.T @ inputs", "by_sample.T @ inputs / len(inputs)"),
                    ("by_sample.sum(axis=0)", "by_sample.mean(axis=0)"))
linear_grad.mistake("db is **not summed** over the samples: it must have the shape of b, (out,)",
                    ("by_sample.sum(axis=0)", "g"))
linear_grad.mistake("db sums over **the outputs** instead of the samples; use axis=0",
                    ("by_sample.sum(axis=0)", "by_sample.sum(axis=1)"))
linear_grad.mistake("db is **one number**: sum over the samples only, not over the outputs",
                    ("by_sample.sum(axis=0)", "by_sample.sum()"))
linear_grad.mistake("db is **1 for each output**: g is not taken into account (chain rule)",
                    ("by_sample.sum(axis=0)", "np.ones_like(by_sample[0])"))
linear_grad.mistake("only the **first** leading dimension is summed in db, the others are left",
                    ("by_sample.sum(axis=0)", "g.sum(axis=0)"))
linear_grad.mistake("the results are **in the wrong order**: they must be (dx, dw, db)",
                    ("g @ w, by_sample.T @ inputs,", "by_sample.T @ inputs, g @ w,"))

# ---------------------------------------------------------------- kaiming_normal

kaiming_normal = exercise(
    LESSON, "kaiming_normal", "First weights that keep the signal alive", minutes=12, difficulty=2,
    keywords=("a", "mode"),
    hints=("The numbers are drawn already. All that is left is to find one factor for all of them.",
           "How many numbers does one output of a convolution sum up? The input channels times "
           "the pixels of the kernel: shape[1] times shape[2] times shape[3]. fan_out has shape[0] "
           "in place of shape[1].",
           "normal * math.sqrt(2 / (1 + a**2) / fan), with fan = shape[1] * math.prod(shape[2:]). "
           "(math.sqrt gives a plain number, which leaves the dtype of an array alone.)"))


@st.composite
def weights(draw, least=2, most=5, dtype=np.float64, **fixed):
    shape = draw(shapes(least, most, 3))
    return {"normal": noise(draw(seeds), shape, dtype)} | {k: draw(v) for k, v in fixed.items()}


slopes, modes = st.sampled_from([0.0, 0.5, 1.0, 0.01, 2.0]), st.sampled_from(["fan_in", "fan_out"])


def by_init(normal, a=0.0, mode="fan_in"):
    normal = torch.from_numpy(normal)
    fan = init._calculate_correct_fan(normal, mode)
    return normal * (init.calculate_gain("leaky_relu", a) / fan**0.5)


kaiming_normal.property("scales the weights of a linear layer before a ReLU", 1, weights(2, 2),
                        examples=({"normal": noise(0, (2, 3))},))(by_init)
kaiming_normal.property("counts every pixel of a kernel, for any slope and mode", 2,
                        weights(a=slopes, mode=modes),
                        examples=({"normal": noise(0, (2, 3, 4, 5)), "a": 0.5, "mode": "fan_in"},)
                        )(by_init)
kaiming_normal.property("keeps float32", 1, weights(dtype=np.float32))(by_init)


@kaiming_normal.property("refuses a vector, and modes that do not exist", 1,
                         st.one_of(weights(1, 1), weights(2, 3, mode=st.just("fan_avg"))))
def _(normal, mode="fan_in"):
    return Raises("ValueError")


kaiming_normal.mistake("the **gain is missing**: a ReLU halves the mean square, which the 2 in "
                       "gain = sqrt(2 / (1 + a^2)) makes good", ("2 / (1 + a**2)", "1"))
kaiming_normal.mistake("the **slope a is ignored**", ("1 + a**2", "1"))
kaiming_normal.mistake("the slope is **not squared**: the gain is sqrt(2 / (1 + a^2))",
                       ("1 + a**2", "1 + a"))
kaiming_normal.mistake("the **pixels of the kernel are not counted**: one output sums up all of "
                       "them, in each input channel", (" * math.prod(kernel)", ""))
kaiming_normal.mistake("**fan_in and fan_out are exchanged**: the shape begins (out, in)",
                       ("outputs, inputs, *kernel =", "inputs, outputs, *kernel ="))
kaiming_normal.mistake("the **mode is ignored**: fan_in is always used",
                       ('(inputs if mode == "fan_in" else outputs)', "inputs"))
kaiming_normal.mistake("the numbers are multiplied by the **variance** gain^2 / fan; the standard "
                       "deviation is its root",
                       ("math.sqrt(2 / (1 + a**2) / fan)", "(2 / (1 + a**2) / fan)"))
kaiming_normal.mistake("this is **Xavier's** rule: the inputs and outputs are added; Kaiming's "
                       "takes only one of them, as mode says",
                       ('(inputs if mode == "fan_in" else outputs)', "(inputs + outputs) / 2"))
kaiming_normal.mistake("the numbers are **standardised first**: they need not have a standard "
                       "deviation of exactly 1, only their distribution has",
                       ("return normal *", "return normal / (normal.std() or 1) *"))
kaiming_normal.mistake("the **root of fan alone** is taken: gain is sqrt(2 / (1 + a^2)), not "
                       "2 / (1 + a^2)",
                       ("math.sqrt(2 / (1 + a**2) / fan)", "(2 / (1 + a**2) / math.sqrt(fan))"))
