"""Lesson 4, continued: batch norm as a layer that remembers."""

from __future__ import annotations

import torch
from hypothesis import strategies as st

from .contract import Raises, exercise
from .normalisation import EPS, LESSON, MOMENTUM
from .strategies import signed, sizes

BatchNorm = exercise(
    LESSON, "BatchNorm", "Batch norm as a layer", minutes=15, difficulty=2,
    given="batch_norm, batch_norm_eval and running_statistics, which you have written; `eval`.",
    hints=("All the computing is in the three functions above; the layer keeps the arrays, and "
           "decides which function is called.",
           "running_statistics returns new arrays: assign both to the attributes, in training.",
           "if not self.training: return batch_norm_eval(x, self.running_mean, ...); else move the "
           "statistics and return batch_norm(x, self.weight, self.bias, self.eps)."))
IN_TRAINING = """
def drive(module, function, channels, batches, eps, momentum):
    layer = function(channels, eps=eps, momentum=momentum)
    return [{"y": layer(x), "running_mean": np.array(layer.running_mean),
             "running_var": np.array(layer.running_var)} for x in batches]
"""
SWITCHED = """
def drive(module, function, channels, batches, modes, weight, bias, eps, momentum):
    layer, seen = function(channels, eps=eps, momentum=momentum), []
    layer.weight, layer.bias = weight, bias
    for x, training in zip(batches, modes):
        y = layer.train(training)(x)
        seen.append({"y": y, "running_mean": np.array(layer.running_mean),
                     "running_var": np.array(layer.running_var)})
    return seen
"""
SECOND_LAYER = """
def drive(module, function, channels, x):
    first, second = function(channels), function(channels)
    first(x)
    first.weight += 1
    first.bias += 1
    names = "weight", "bias", "running_mean", "running_var", "eps", "momentum", "training"
    seen = {name: getattr(second, name) for name in names}
    return seen | {"training after eval()": second.eval().training}
"""
ONE_CALL = """
def drive(module, function, channels, x):
    layer = function(channels)
    layer.eval()(x)
    return layer.train()(x)
"""


@st.composite
def courses(draw, switched=False):
    """Draw a few batches of one number of channels, and what a layer is to do with them."""
    channels, count = draw(sizes(1, 3)), draw(sizes(1 + switched, 3))
    shapes = [(2, channels, draw(sizes(1, 2)), draw(sizes(1, 3))) for _ in range(count)]
    case = dict(channels=channels, batches=[signed(s, i + 1) for i, s in enumerate(shapes)])
    if switched:
        case["modes"] = [*(draw(st.booleans()) for _ in range(count - 1)), False]
        case |= dict(weight=signed(channels, 2), bias=10 * signed(channels))
    return case | dict(eps=draw(EPS), momentum=draw(MOMENTUM))


def by_layer(channels, batches, eps, momentum, modes=None, weight=None, bias=None):
    layer = torch.nn.BatchNorm2d(channels, eps, momentum).double()
    if weight is not None:
        layer.weight.data, layer.bias.data = map(torch.from_numpy, (weight, bias))
    seen = []
    for x, training in zip(batches, modes or [True] * len(batches), strict=True):
        y = layer.train(training)(torch.from_numpy(x))
        seen.append({"y": y, "running_mean": layer.running_mean.clone(),
                     "running_var": layer.running_var.clone()})
    return seen


@BatchNorm.property("starts in training, with weight 1, bias 0, mean 0, variance 1 of its own", 1,
                    st.builds(lambda c: dict(channels=c, x=signed((2, c, 1, 1))), sizes()),
                    driver=SECOND_LAYER)
def _(channels, x):
    one, zero = torch.ones(channels).double(), torch.zeros(channels).double()
    return {"weight": one, "bias": zero, "running_mean": zero, "running_var": one,
            "eps": 1e-5, "momentum": 0.1, "training": True, "training after eval()": False}


BatchNorm.property("normalises by the batch in training, and remembers", 2, courses(),
                   driver=IN_TRAINING)(by_layer)
BatchNorm.property("uses what it remembers in evaluation, and leaves it", 2, courses(switched=True),
                   driver=SWITCHED)(by_layer)


@BatchNorm.property("refuses one number per channel, in training only", 1, st.builds(
    lambda c: dict(channels=c, x=signed((1, c, 1, 1))), sizes()), driver=ONE_CALL)
def _(channels, x):
    return Raises("ValueError")


MOVED = """self.running_mean, self.running_var = running_statistics(
            self.running_mean, self.running_var, x, self.momentum)"""
BatchNorm.mistake(
    "`training` is **not looked at**: the batch's statistics are used in evaluation too",
    ("if not self.training:", "if False:"))
BatchNorm.mistake(
    "the statistics **move in evaluation as well**; there they must stay",
    ("        if not self.training:\n", f"        {MOVED}\n        if not self.training:\n"),
    (f"self.eps)\n        {MOVED}", "self.eps)"))
BatchNorm.mistake("the **running statistics are used in training** too; there the batch's own are",
                  ("batch_norm(x, self.weight", "batch_norm_eval(x, self.running_mean, "
                   "self.running_var, self.weight"))
BatchNorm.mistake(
    "what `running_statistics` returns is **thrown away**; assign it to running_mean and "
    "running_var",
    ("self.running_mean, self.running_var = running_statistics(", "running_statistics("))
BatchNorm.mistake(
    "the **running variance starts at 0**; it starts at 1",
    ("np.zeros(channels), np.ones(channels)", "np.zeros(channels), np.zeros(channels)"))
BatchNorm.mistake("the layer's **momentum is not passed on**", ("x, self.momentum)", "x)"))
BatchNorm.mistake(
    "the layer's **eps is not passed on**",
    ("self.weight, self.bias, self.eps)\n        self", "self.weight, self.bias)\n        self"),
    ("batch_norm(x, self.weight, self.bias, self.eps)", "batch_norm(x, self.weight, self.bias)"))
BatchNorm.mistake("`train` **ignores its mode**: train(False) must go over to evaluation",
                  ("self.training = mode", "self.training = True"))
BatchNorm.mistake("`train` **returns None**; it returns the layer itself",
                  ("self.training = mode\n        return self", "self.training = mode"))
BatchNorm.mistake("a new layer **starts in evaluation**; it starts in training",
                  ("self.training = True", "self.training = False"))
BatchNorm.mistake("in evaluation **mean and variance are swapped** in the call",
                  ("batch_norm_eval(x, self.running_mean, self.running_var,",
                   "batch_norm_eval(x, self.running_var, self.running_mean,"))
