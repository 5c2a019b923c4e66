"""Lesson 1: what a measured gradient and a Newton step must do."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import strategies as st

from .autograd import LESSON
from .contract import Raises, exercise
from .strategies import noise, seeds, shapes, signed, sizes

# ---------------------------------------------------------------- finite_difference

finite_difference = exercise(
    LESSON, "finite_difference", "Measuring a gradient", minutes=15, difficulty=2,
    hints=("One element at a time: everything else stays where it is.",
           "np.ndindex(x.shape) yields the index of every element, whatever the shape.",
           "step = np.zeros_like(x); step[i] = eps; then f(x + step) and f(x - step)."))
POWER = """
def drive(module, function, weights, power, x, eps):
    return function(lambda x: float((weights * x).sum() ** power), x, eps)
"""
KEPT = """
def drive(module, function, weights, power, x, eps):
    given = np.asfortranarray(x)
    gradient = function(lambda x: float((weights * x).sum() ** power), given, eps)
    return {"returned": gradient, "x afterwards": given}
"""
TANH = """
def drive(module, function, weights, x):
    return function(lambda x: float(np.tanh(weights * x).sum()), x)
"""


@st.composite
def measured(draw, *powers):
    shape = draw(shapes(1, 3, 3))
    return dict(weights=signed(shape, 2), power=draw(st.sampled_from(powers)), x=signed(shape, 3),
                eps=draw(st.sampled_from((0.5, 0.25, 2.0))))


def slopes(weights, power, x, eps):
    """The true gradient, plus the error of a central difference: none below a cube."""
    x, weights = torch.from_numpy(x).requires_grad_(), torch.from_numpy(weights)
    (found,) = torch.autograd.grad((weights * x).sum() ** power, x)
    return found + (power == 3) * eps**2 * weights**3


finite_difference.property(
    "is right for f = (weights * x).sum() ** power, a line or a parabola", 2, measured(1, 2),
    driver=POWER, rtol=1e-6)(slopes)
finite_difference.property(
    "is off by eps**2 * weights**3 where the power is 3, as it should be", 1, measured(3),
    driver=POWER)(slopes)


@finite_difference.property("leaves x as it was, in whatever order its elements lie in memory", 1,
                            measured(2), driver=KEPT, rtol=1e-6)
def _(weights, power, x, eps):
    return {"returned": slopes(weights, power, x, eps), "x afterwards": x}


@finite_difference.property(
    "comes near the gradient of f = tanh(weights * x).sum()", 1, driver=TANH, rtol=1e-6,
    cases=st.builds(lambda shape, seed: dict(weights=noise(seed, shape), x=noise(seed + 1, shape)),
                    shapes(1, 3, 3), seeds))
def _(weights, x):
    x = torch.from_numpy(x).requires_grad_()
    return torch.autograd.grad(torch.tanh(torch.from_numpy(weights) * x).sum(), x)[0]


CENTRAL = "(f(x + step) - f(x - step)) / (2 * eps)"
MADE = "        step = np.zeros_like(x)\n"
finite_difference.mistake("that is the **one-sided** difference (f(x + step) - f(x)) / eps; its "
                          "error is in proportion to eps", (CENTRAL, "(f(x + step) - f(x)) / eps"))
finite_difference.mistake("that is the **backward** difference (f(x) - f(x - step)) / eps; its "
                          "error is in proportion to eps", (CENTRAL, "(f(x) - f(x - step)) / eps"))
finite_difference.mistake("the **2 is missing** below: the two places are 2 * eps apart",
                          (CENTRAL, "(f(x + step) - f(x - step)) / eps"))
finite_difference.mistake("a **one-sided** difference, over eps, is divided by 2 * eps",
                          (CENTRAL, "(f(x + step) - f(x)) / (2 * eps)"))
finite_difference.mistake("the **division is by 2** alone, 2 * eps is due",
                          (CENTRAL, "(f(x + step) - f(x - step)) / 2"))
finite_difference.mistake("the **sign is reversed**: it is f ahead minus f behind",
                          (CENTRAL, "(f(x - step) - f(x + step)) / (2 * eps)"))
finite_difference.mistake("the elements that had their turn **stay moved**; one moves at a time",
                          (MADE, ""),
                          ("    for i in np", "    step = np.zeros_like(x)\n    for i in np"))
finite_difference.mistake("**all elements move at once**; each is to move alone",
                          ("step[i] = eps", "step[...] = eps"))
finite_difference.mistake("the **eps that is given is not used**, but a fixed one",
                          (MADE, "        eps = 1e-5\n" + MADE))
finite_difference.mistake("x itself is moved, and **not put back**; work on a copy",
                          ("step = np.zeros_like(x)\n", "before = x\n"),
                          ("        step[i] = eps\n", ""),
                          (f"gradient[i] = {CENTRAL}",
                           "x[i] += eps\n        ahead = f(x)\n        x[i] -= 2 * eps\n"
                           "        gradient[i] = (ahead - f(x)) / (2 * eps)"))
finite_difference.mistake("x.reshape(-1) is moved, a **copy** where x lies otherwise in memory: "
                          "index x itself",
                          ("gradient = np.zeros_like(x)\n",
                           "gradient, flat = np.zeros_like(x), x.reshape(-1)\n"),
                          ("np.ndindex(x.shape)", "range(x.size)"),
                          ("        step = np.zeros_like(x)\n        step[i] = eps\n",
                           "        before = flat[i]\n        flat[i] = before + eps\n"
                           "        ahead = f(x)\n        flat[i] = before - eps\n"),
                          (f"gradient[i] = {CENTRAL}",
                           "gradient.flat[i] = (ahead - f(x)) / (2 * eps)\n"
                           "        flat[i] = before"))
finite_difference.mistake("only the **first axis** is walked along, in whole rows; "
                          "np.ndindex(x.shape) yields each element",
                          ("np.ndindex(x.shape)", "range(len(x))"))

# ---------------------------------------------------------------- gradients_agree

gradients_agree = exercise(
    LESSON, "gradients_agree", "Are two gradients the same?", minutes=10, difficulty=1,
    keywords=("rtol", "atol"),
    hints=("First the shapes, then every element, and all must pass.",
           "A comparison with nan is False, so ask whether each distance is small, never whether "
           "one is large. Infinities need np.isfinite.",
           "near = abs(gradient - estimate) <= atol + rtol * abs(estimate); np.all(near & ...)."))


@st.composite
def nearly(draw):
    """One element is off by about what is allowed; no distance is just at the limit."""
    estimate = signed(draw(shapes(1, 2, 3)), draw(sizes(0, 9)))
    gradient = estimate + 1 / 16
    at = draw(st.sampled_from(range(estimate.size)))
    gradient.flat[at] = estimate.flat[at] + (2 * draw(sizes(-24, 24)) + 1) / 16
    rtol, atol = draw(st.sampled_from(((0.125, 0.5), (0.125, 0.0), (0.0, 0.5), (0.25, 0.25))))
    return dict(gradient=gradient, estimate=estimate, rtol=rtol, atol=atol)


@st.composite
def by_default(draw):
    """Numbers of one size, off by a hundredth or by a hundred times of what is allowed, or by 0."""
    estimate = signed(draw(shapes(1, 2, 3))) * draw(st.sampled_from((0.0, 1.0, 1e6)))
    allowed = 1e-7 + 1e-5 * np.abs(estimate)
    return dict(gradient=estimate + allowed * draw(st.sampled_from((0.5, 2.0, -0.5, -2.0))),
                estimate=estimate)


def close(gradient, estimate, rtol=1e-5, atol=1e-7):
    pair = torch.from_numpy(gradient), torch.from_numpy(estimate)
    return bool(torch.isclose(*pair, rtol, atol).all())


gradients_agree.property("allows atol + rtol * |estimate| in each element", 2, nearly())(close)
gradients_agree.property("allows 1e-7 + 1e-5 * |estimate| if not told otherwise", 1,
                         by_default())(close)


@st.composite
def broken(draw):
    """Two equal arrays; in one place of one or of both there is no number."""
    gradient = signed(draw(shapes(1, 2, 3)))
    estimate = gradient.copy()
    at = draw(st.sampled_from(range(gradient.size)))
    bad = draw(st.sampled_from((float("nan"), float("inf"), float("-inf"))))
    for array in draw(st.sampled_from(((gradient,), (estimate,), (gradient, estimate)))):
        array.flat[at] = bad
    return dict(gradient=gradient, estimate=estimate)


@st.composite
def misshapen(draw):
    """Equal numbers in two shapes; to most of them (2, 3) could be broadcast."""
    other = draw(st.sampled_from(((3,), (2, 1), (1, 3), (1,), (6,), (1, 2, 3), (3, 2))))
    one, two = (2, 3), other
    if draw(st.booleans()):
        one, two = two, one
    return dict(gradient=np.ones(one), estimate=np.ones(two))


@gradients_agree.property("says no where there is nan or an infinity", 1, broken())
@gradients_agree.property("says no where the shapes differ, even of equal numbers", 1, misshapen())
def _(gradient, estimate):
    return False


NEAR = "abs(gradient - estimate) <= atol + rtol * abs(estimate)"
FINITE = "near & np.isfinite(gradient) & np.isfinite(estimate)"
gradients_agree.mistake("**one element** that is near is taken for enough; all must be",
                        ("np.all(", "np.any("))
gradients_agree.mistake("the distance has **no abs**: what is far too small passes",
                        (NEAR, "gradient - estimate <= atol + rtol * abs(estimate)"))
gradients_agree.mistake("the limit is **in proportion only**, atol is missing: where 0 is due, "
                        "only 0 passes", (NEAR, "abs(gradient - estimate) <= rtol * abs(estimate)"))
gradients_agree.mistake("the limit is the **same for all**, without rtol * |estimate|",
                        (NEAR, "abs(gradient - estimate) <= atol"))
gradients_agree.mistake("rtol multiplies **the estimate with its sign**: take its abs",
                        (NEAR, "abs(gradient - estimate) <= atol + rtol * estimate"))
gradients_agree.mistake("**shapes are not compared**, and NumPy broadcasts one array to the other",
                        ("gradient.shape != estimate.shape", "False"))
gradients_agree.mistake("**infinities pass**: an infinite estimate makes the limit infinite",
                        (FINITE, "near"))
gradients_agree.mistake("**nan passes**: `distance > limit` is False for it; ask for `<=` instead",
                        (NEAR, "~(abs(gradient - estimate) > atol + rtol * abs(estimate))"),
                        (FINITE, "near"))
gradients_agree.mistake("the distances are **averaged**, and one that is too large gets lost",
                        (NEAR, "np.mean(abs(gradient - estimate)) <= "
                               "np.mean(atol + rtol * abs(estimate))"))
gradients_agree.mistake("the two limits are **not added**: the larger of them is taken",
                        (NEAR, "abs(gradient - estimate) <= "
                               "np.maximum(atol, rtol * abs(estimate))"))

# ---------------------------------------------------------------- newton_step

newton_step = exercise(
    LESSON, "newton_step", "A Newton step", minutes=12, difficulty=2,
    hints=("The parabola's slope at x + d is f'(x) + f''(x) * d. For which d is it 0?",
           "grad(f) is the function f'; give it to grad again, and you have f''.",
           "slope = grad(f); then x - slope(x) / grad(slope)(x), after a look at the divisor."))
DUAL = """
class Dual:  # a value, and how fast it changes; either may be a Dual again
    def __init__(self, value, speed=0.0):
        self.value, self.speed = value, speed

    def __add__(self, other):
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(self.value + other.value, self.speed + other.speed)

    def __mul__(self, other):
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(self.value * other.value, self.speed * other.value + self.value * other.speed)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + other * -1.0

    def __rsub__(self, other):
        return self * -1.0 + other

def exp(x):
    if not isinstance(x, Dual):
        return float(np.exp(x))
    value = exp(x.value)
    return Dual(value, value * x.speed)

def grad(f):
    def derivative(x):
        y = f(Dual(x, 1.0))
        return y.speed if isinstance(y, Dual) else 0.0
    return derivative

def drive(module, function, coefficients, x, height=0.0):
    def f(x):
        y, power = height * exp(x), 1.0
        for coefficient in coefficients:
            y, power = y + coefficient * power, power * x
        return y
    return function(f, x, grad)
"""


def derivatives(coefficients, x, height=0.0):
    """The first and the second derivative of the polynomial plus height * exp."""
    x = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    y = sum((c * x**k for k, c in enumerate(coefficients)), height * torch.exp(x))
    (slope,) = torch.autograd.grad(y, x, create_graph=True)
    return slope, torch.autograd.grad(slope, x)[0]


def curves(least, most, **more):
    """A polynomial of so many coefficients, and a place where its curvature is not 0."""
    made = st.builds(dict, coefficients=st.lists(sizes(-4, 4), min_size=least, max_size=most),
                     x=sizes(-6, 6).map(lambda i: i / 2), **more)
    return made.filter(lambda case: abs(bend(**case)) > 0.1)


def bend(coefficients, x, height=0.0):
    """The second derivative, worked out by hand: for choosing cases it need not be torch's."""
    return np.polyval(np.polyder(coefficients[::-1], 2), x) + height * np.exp(x)


def newton(coefficients, x, height=0.0):
    slope, curvature = derivatives(coefficients, x, height)
    return x - slope / curvature


newton_step.property("goes to where a parabola, the sum of coefficients[k] * x**k, is flat", 2,
                     curves(3, 3), driver=DUAL)(newton)
newton_step.property("steps right for any polynomial", 1, curves(4, 5), driver=DUAL)(newton)
newton_step.property("steps right for a polynomial plus height * exp(x)", 1,
                     curves(0, 4, height=st.sampled_from((1.0, -1.0, 2.0))), driver=DUAL)(newton)


@newton_step.property("refuses a line, and a cube at its turning point", 1, driver=DUAL, cases=(
    st.builds(dict, coefficients=st.lists(sizes(-4, 4), min_size=1, max_size=2),
              x=sizes(-6, 6).map(float))
    | st.builds(lambda c: dict(coefficients=[1, 2, 0, c], x=0.0), sizes(-4, 4))))
def _(coefficients, x):
    return Raises("ValueError")


STEP, CURVATURE = "return x - slope(x) / curvature", "curvature = grad(slope)(x)"
newton_step.mistake("the step is **added**: it goes the wrong way", (STEP, STEP.replace("-", "+")))
newton_step.mistake("that is the step towards **a root**, f / f'; here f' is to become 0",
                    (STEP, "return x - f(x) / slope(x)"))
newton_step.mistake("the fraction is **upside down**: it is f' / f''",
                    (STEP, "return x - curvature / slope(x)"))
newton_step.mistake("that is a step of **gradient descent**: divide the slope by the curvature",
                    (STEP, "return x - slope(x)"))
newton_step.mistake("the second derivative is not the **square of the first**, but its derivative: "
                    "grad(grad(f))", (CURVATURE, "curvature = slope(x) ** 2"))
newton_step.mistake("the **step alone** is returned; it starts from x",
                    (STEP, "return -slope(x) / curvature"))
newton_step.mistake("a curvature of **0 is not refused**: raise ValueError, do not divide by it",
                    ("if curvature == 0:", "if False:"))
newton_step.mistake("the **sign of the curvature** is dropped; a highest point is flat as well",
                    (CURVATURE, "curvature = abs(grad(slope)(x))"))
newton_step.mistake("**negative curvature** is refused; only 0 has no flat place to go to",
                    ("if curvature == 0:", "if curvature <= 0:"))
newton_step.mistake("grad is applied **three times**: f'' is grad(grad(f))",
                    (CURVATURE, "curvature = grad(grad(slope))(x)"))
newton_step.mistake("the curvature is that of **f at x = 0**: evaluate f'' at x, like f'",
                    (CURVATURE, "curvature = grad(slope)(0.0)"))
