"""Lesson 1: what the gradient rule of a function of one input must do, element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

from .autograd import LESSON, by_torch, keeps, positive, whole
from .contract import Exercise, exercise
from .strategies import noise, scattered, seeds, shapes, signed


@st.composite
def singles(draw, forward, fill=noise):
    """One input, its result and a gradient for it."""
    shape = draw(shapes(1, 3))
    x = fill(draw(seeds), shape)
    return dict(g=signed(shape, 2), y=forward(x), x=x)


def rule_of(
    function: Callable, forward: Callable, fill: Callable = noise, **options: Any
) -> Exercise:
    """Make the exercise of a torch function of one input, with the properties that all have."""
    rule = exercise(LESSON, f"{function.__name__}_grad", difficulty=1, **options)
    cases, reference = singles(forward, fill), by_torch(function)
    rule.property("gives g times the slope", 2, cases)(reference)
    keeps(rule, cases, reference)
    return rule


def sigmoid(x):
    """Return 1 / (1 + exp(-x)), without an exponential that might overflow."""
    return (1 + np.tanh(x / 2)) / 2


def far(seed, shape):
    """Numbers whose exponentials are too large or too small for floating point."""
    return scattered(seed, shape, -2, 2) * 1000


exp_grad = rule_of(
    torch.exp, np.exp, title="The rule of the exponential", minutes=4,
    hints=("Which function is its own derivative?",
           "dy/dx = exp(x), and that has been worked out already: it is among the arguments.",
           "g * y."))
R = "return g * y\n"
exp_grad.mistake("that is the **power rule**, x * exp(x - 1), for a varying base; here the "
                 "exponent varies", (R, "return g * x * np.exp(x - 1)\n"))
exp_grad.mistake("**g is left out**: the chain rule multiplies the derivative by it",
                 (R, "return y + 0 * g\n"))
exp_grad.mistake("exp is applied to **y, which is exp(x) already**", (R, "return g * np.exp(y)\n"))
exp_grad.mistake("g is multiplied by the **input x** instead of the slope there",
                 (R, "return g * x\n"))
exp_grad.mistake("g is **divided** by the slope; that is the way back, the rule of the logarithm",
                 (R, "return g / y\n"))
exp_grad.mistake("g is **handed on as it is**, without the slope", (R, "return g + 0 * y\n"))
exp_grad.mistake("g is **changed in place** by `*=`; write g * y, which is a new array",
                 (R, "g *= y\n    return g\n"))
exp_grad.mistake("the result is **float64** whatever comes in: keep the dtype of the arguments",
                 (R, "return np.asarray(g, np.float64) * y\n"))

log_grad = rule_of(
    torch.log, np.log, positive, title="The rule of the logarithm", minutes=4,
    hints=("If y = log(x), then x = exp(y): by how much does x move with y?",
           "dx/dy = exp(y) = x, so dy/dx is one over that.", "g / x."))
R = "return g / x"
log_grad.mistake("g is **multiplied by x**, the slope is 1 / x", (R, "return g * x"))
log_grad.mistake("**g is left out**: the chain rule multiplies the derivative 1 / x by it",
                 (R, "return 1 / x + 0 * g"))
log_grad.mistake("g is divided by the **result y**; the slope is one over the input",
                 (R, "return g / y"))
log_grad.mistake("that is the rule of the **logarithm to base 10**; here it is the natural one",
                 (R, "return g / (x * np.log(10))"))
log_grad.mistake("that is the rule of the **reciprocal**; the slope of log(x) is 1 / x itself",
                 (R, "return -g / x**2"))
log_grad.mistake("the fraction is **upside down**: x / g", (R, "return x / g"))
log_grad.mistake("g is multiplied by the **result y** instead of the slope", (R, "return g * y"))
log_grad.mistake("g is **changed in place** by `/=`; write g / x, which is a new array",
                 (R, "g /= x\n    return g"))

tanh_grad = rule_of(
    torch.tanh, np.tanh, title="The rule of tanh", minutes=8,
    hints=("Differentiate sinh / cosh as a quotient: sinh' = cosh and cosh' = sinh.",
           "You get 1 - sinh**2 / cosh**2; and sinh / cosh is y.", "g * (1 - y * y)."))
tanh_grad.property("gives 0 far from 0, without nan", 1, singles(np.tanh, far))(
    by_torch(torch.tanh))
R = "return g * (1 - y * y)"
tanh_grad.mistake("the **square is missing**: 1 - y", (R, "return g * (1 - y)"))
tanh_grad.mistake("**x stands where y belongs**: 1 - tanh(x)**2 is 1 - y * y",
                  (R, "return g * (1 - x * x)"))
tanh_grad.mistake("that is the rule of the **sigmoid**", (R, "return g * y * (1 - y)"))
tanh_grad.mistake("**g is left out**: the chain rule multiplies the derivative by it",
                  (R, "return 1 - y * y + 0 * g"))
tanh_grad.mistake("that is the rule of **tan**, with a plus", (R, "return g * (1 + y * y)"))
tanh_grad.mistake("the **sign is reversed**: tanh rises everywhere", (R, "return g * (y * y - 1)"))
tanh_grad.mistake("the **brackets are missing**: g * 1 - y * y", (R, "return g * 1 - y * y"))
tanh_grad.mistake("the hyperbolic functions **overflow for large x**, and infinity over infinity "
                  "is nan; use y", (R, "return g * (1 - (np.sinh(x) / np.cosh(x)) ** 2)"))
tanh_grad.mistake("tanh is applied to **y, which is tanh(x) already**",
                  (R, "return g * (1 - np.tanh(y) ** 2)"))

sigmoid_grad = rule_of(
    torch.sigmoid, sigmoid, title="The rule of the sigmoid", minutes=8,
    hints=("Differentiate (1 + exp(-x)) ** -1 by the chain rule.",
           "You get exp(-x) / (1 + exp(-x))**2: one factor of it is y. Which is the other?",
           "1 - y = exp(-x) / (1 + exp(-x)), so g * y * (1 - y)."))
sigmoid_grad.property("gives 0 far from 0, without nan", 1, singles(sigmoid, far))(
    by_torch(torch.sigmoid))
R = "return g * y * (1 - y)"
sigmoid_grad.mistake("the **factor y is missing**", (R, "return g * (1 - y)"))
sigmoid_grad.mistake("the **factor 1 - y is missing**", (R, "return g * y"))
sigmoid_grad.mistake("**x stands where y belongs**", (R, "return g * x * (1 - x)"))
sigmoid_grad.mistake("that is the rule of **tanh**", (R, "return g * (1 - y * y)"))
sigmoid_grad.mistake("**g is left out**: the chain rule multiplies the derivative by it",
                     (R, "return y * (1 - y) + 0 * g"))
sigmoid_grad.mistake("the **sign is reversed**: a sigmoid rises everywhere",
                     (R, "return g * y * (y - 1)"))
sigmoid_grad.mistake("the sigmoid is applied to **y, which is the sigmoid of x already**",
                     (R, "s = 1 / (1 + np.exp(-y))\n    return g * s * (1 - s)"))
sigmoid_grad.mistake("the exponential **overflows for large x**, and infinity over infinity is "
                     "nan; use y", (R, "return g * np.exp(-x) / (1 + np.exp(-x)) ** 2"))

relu_grad = rule_of(
    torch.relu, lambda x: np.maximum(x, 0), whole(-4), title="The rule of relu", minutes=5,
    hints=("There are two straight pieces. What is the slope of each?",
           "1 where x is positive, 0 elsewhere: a comparison gives just this.", "g * (x > 0)."))
R = "return g * (x > 0)"
relu_grad.mistake("at the **corner x = 0** the gradient passes; it is 0 there",
                  (R, "return g * (x >= 0)"))
relu_grad.mistake("**g is cut off** at 0, not where x is: g may have any sign",
                  (R, "return g * (g > 0)"))
relu_grad.mistake("relu is applied to **g as well**; only x decides where the gradient passes",
                  (R, "return g * (x > 0) * (g > 0)"))
relu_grad.mistake("g is **multiplied by the result** y; where x is positive the slope is 1",
                  (R, "return g * y"))
relu_grad.mistake("**g is left out**: the chain rule multiplies the slope by it",
                  (R, "return (x > 0) + 0 * g"))
relu_grad.mistake("the gradient passes on the **wrong side**, where x is negative",
                  (R, "return g * (x < 0)"))
relu_grad.mistake("that is the rule of the **absolute value**: left of 0 relu is flat",
                  (R, "return g * np.sign(x)"))
relu_grad.mistake("**g is changed in place**; make a new array, by a product or np.where",
                  (R, "g[x <= 0] = 0\n    return g"))
relu_grad.mistake("g is **handed on as it is**, also where x is negative", (R, "return g + 0 * x"))
