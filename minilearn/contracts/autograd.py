"""Lesson 1: what the gradient rule of an operation must do."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import torch
from hypothesis import strategies as st

from .contract import Case, Exercise, exercise
from .strategies import counted, noise, scattered, seeds, shapes, signed, sizes

LESSON = "01_autograd"
KEEPS = "keeps float32, and leaves its arguments as they were"


def by_torch(function: Callable) -> Callable:
    """Return the reference for a rule: torch's gradients, in the shape of the result."""

    def reference(g, y, **inputs):
        xs = [torch.from_numpy(np.broadcast_to(x, g.shape).copy()).requires_grad_()
              for x in inputs.values()]
        grads = torch.autograd.grad(function(*xs), xs, torch.from_numpy(g))
        return grads if len(grads) > 1 else grads[0]

    return reference


def keeps(rule: Exercise, cases: st.SearchStrategy[Case], reference: Callable) -> None:
    """Add the property that every rule has: about float32 and about side effects."""
    cases = cases.map(lambda case: {k: v.astype(np.float32) for k, v in case.items()})
    rule.property(KEEPS, 1, cases, unchanged=True)(reference)


# ---------------------------------------------------------------- of two inputs


def sources(shape):
    """List the shapes that broadcast to this one, itself first."""
    kept = itertools.product(*((n, 1) for n in shape))
    return [source[i:] for source in kept for i in range(len(shape) or 1)]


@st.composite
def pairs(draw, forward, first=scattered, second=scattered, names=("a", "b"), one_shape=False):
    """Two inputs that may be broadcast against each other, their result and a gradient for it.

    first, second: make an array of a seed and a shape.
    """
    full, seed = draw(shapes(1, 2, 3)), draw(seeds)
    inputs = [fill(seed + i, full if one_shape else draw(st.sampled_from(sources(full))))
              for i, fill in enumerate((first, second))]
    y = forward(*inputs)
    return dict(g=signed(y.shape, 2), y=y, **dict(zip(names, inputs, strict=True)))


add_grad = exercise(
    LESSON, "add_grad", "The rule of a sum", minutes=5, difficulty=1,
    hints=("Move a by a little: by how much does a + b move?",
           "The derivative of a + b is 1 with respect to either input.",
           "g times 1, for both: return the pair."))
sums = pairs(np.add)
add_grad.property("gives both gradients", 1, pairs(np.add, one_shape=True), exact=True)(
    by_torch(torch.add))
add_grad.property("gives both in the shape of g where shapes differ", 1, sums, exact=True)(
    by_torch(torch.add))
keeps(add_grad, sums, by_torch(torch.add))
add_grad.mistake("**g is left out**: 1 is the derivative of y, the chain rule multiplies it by g",
                 ("return g, g", "return np.ones_like(g), np.ones_like(g)"))
add_grad.mistake("that is the rule of a **product**; the derivative of a + b holds neither a nor b",
                 ("return g, g", "return g * b, g * a"))
add_grad.mistake("g is **multiplied by the inputs**; the slope of a sum does not depend on them",
                 ("return g, g", "return g * a, g * b"))
add_grad.mistake("g is **shared out** in halves; each input moves y by its full amount",
                 ("return g, g", "return g / 2, g / 2"))
add_grad.mistake("that is the rule of a **difference** a - b: here b counts with a plus",
                 ("return g, g", "return g, -g"))
add_grad.mistake("**b is taken for a constant**; it has a gradient of its own",
                 ("return g, g", "return g, np.zeros_like(g)"))
add_grad.mistake("g is **multiplied by the result** y, where its derivative belongs",
                 ("return g, g", "return g * y, g * y"))
add_grad.mistake("the **broadcast is undone already**: here both gradients keep the shape of g",
                 ("return g, g", "return unbroadcast(g, a.shape), unbroadcast(g, b.shape)"))

mul_grad = exercise(
    LESSON, "mul_grad", "The rule of a product", minutes=5, difficulty=1,
    hints=("Hold b still: then a * b is a straight line in a. What is its slope?",
           "dy/da = b and dy/db = a: each input meets the other one.",
           "g * (the other input), for a first and for b second."))
products = pairs(np.multiply)
mul_grad.property("gives both gradients", 2, pairs(np.multiply, one_shape=True), exact=True)(
    by_torch(torch.mul))
mul_grad.property("gives both in the shape of g where shapes differ", 1, products, exact=True)(
    by_torch(torch.mul))
keeps(mul_grad, products, by_torch(torch.mul))
mul_grad.mistake("the two gradients are **swapped**: da holds b, and db holds a",
                 ("return g * b, g * a", "return g * a, g * b"))
mul_grad.mistake("**g is left out**: b and a are the derivatives of y, the chain rule multiplies "
                 "them by g", ("return g * b, g * a", "return b + 0 * g, a + 0 * g"))
mul_grad.mistake("that is the rule of a **sum**; the slope of a * b in a is b",
                 ("return g * b, g * a", "return g + 0 * b, g + 0 * a"))
mul_grad.mistake("g is **multiplied by the result** y, where its derivative belongs",
                 ("return g * b, g * a", "return g * y, g * y"))
mul_grad.mistake("**b is taken for a constant**; it has a gradient of its own",
                 ("return g * b, g * a", "return g * b, np.zeros_like(g)"))
mul_grad.mistake("the other factor is found as **y divided by this one**, which fails at 0; it is "
                 "among the arguments", ("return g * b, g * a", "return g * y / a, g * y / b"))
mul_grad.mistake("**g is changed in place** by `*=`, and the second gradient is made of what is "
                 "left; write g * b", ("return g * b", "g *= b\n    return g"))
mul_grad.mistake("g is **added** to the derivative; the chain rule multiplies",
                 ("return g * b, g * a", "return g + b, g + a"))
mul_grad.mistake("the **broadcast is undone already**: here both gradients keep the shape of g",
                 ("return g * b, g * a",
                  "return unbroadcast(g * b, a.shape), unbroadcast(g * a, b.shape)"))

pow_grad = exercise(
    LESSON, "pow_grad", "The rule of a power", minutes=15, difficulty=2,
    given="what to do where x is 0",
    hints=("With n fixed it is the power rule; with x fixed it is an exponential function of n.",
           "dx: n * x ** (n - 1). dn: x ** n * log(x), and x ** n is y. Then look at x = 0.",
           "Keep infinities from arising: np.where(n == 0, 0, n - 1) as the exponent, and the log "
           "of np.where(x == 0, 1, x)."))
BASE_ONLY = """
def drive(module, function, *arguments):
    return function(*arguments)[0]
"""


def powers(first, second):
    return pairs(lambda x, n: x**n, first, second, ("x", "n"))


def positive(seed, shape):
    return np.abs(noise(seed, shape)) + 0.5


def whole(low):
    return lambda seed, shape: scattered(seed, shape, low, 4)


free_powers = powers(positive, noise)
by_pow = by_torch(torch.pow)
pow_grad.property("gives dx for bases of either sign, and 0", 2, powers(whole(-4), whole(1)),
                  driver=BASE_ONLY)(lambda **case: by_pow(**case)[0])
pow_grad.property("gives both gradients for positive bases and any exponents", 2, free_powers)(
    by_pow)
pow_grad.property("gives numbers where the base or the exponent is 0", 1,
                  powers(lambda seed, shape: scattered(seed, shape, 0, 2), whole(0)))(by_pow)
keeps(pow_grad, free_powers, by_pow)
DX = "dx = g * n * x ** np.where(n == 0, 0, n - 1)"
DN = "dn = g * y * np.log(np.where(x == 0, 1, x))"
pow_grad.mistake("the **exponent is not reduced**: the slope of x ** n is n * x ** (n - 1)",
                 (DX, "dx = g * n * y"))
pow_grad.mistake("the **factor n is missing** in dx",
                 (DX, "dx = g * x ** np.where(n == 0, 0, n - 1)"))
pow_grad.mistake("n = 0 at x = 0 is **not looked after**: x ** (n - 1) is infinite there, and 0 "
                 "times that is nan", (DX, "dx = g * n * x ** (n - 1)"))
pow_grad.mistake("x ** (n - 1) is found as **y / x**, which is 0 / 0 at x = 0",
                 (DX, "dx = g * n * y / x"))
pow_grad.mistake("x ** (n - 1) goes **through a logarithm**, which negative bases do not have",
                 (DX, "dx = g * n * np.exp(np.where(n == 1, 0, (n - 1) * np.log(x)))"))
pow_grad.mistake("x = 0 is **not looked after** in dn: log(0) is -inf, and y times that no number",
                 (DN, "dn = g * y * np.log(x)"))
pow_grad.mistake("the **logarithm is missing** in dn", (DN, "dn = g * y"))
pow_grad.mistake("dn holds the **logarithm of n**, where that of x belongs",
                 (DN, "dn = g * y * np.log(np.where(x == 0, 1, abs(n)))"))
pow_grad.mistake("the **power rule is used for n** too: seen from n, x ** n is an exponential",
                 (DN, "dn = g * x * n ** np.where(x == 0, 0, x - 1)"))
pow_grad.mistake("dn is log(x) times g, **without y**: the slope of an exponential holds the "
                 "exponential itself", (DN, "dn = g * np.log(np.where(x == 0, 1, x)) + 0 * y"))
pow_grad.mistake("**g is left out** of dn", (DN, "dn = y * np.log(np.where(x == 0, 1, x)) + 0 * g"))
pow_grad.mistake("**g is left out** of dx",
                 (DX, "dx = n * x ** np.where(n == 0, 0, n - 1) + 0 * g"))

# ---------------------------------------------------------------- shapes

unbroadcast = exercise(
    LESSON, "unbroadcast", "Undoing a broadcast", minutes=20, difficulty=2,
    hints=("Each element was copied to several places: add up what comes back from its copies.",
           "Sum over the g.ndim - len(shape) axes in front, and over the axes where shape has a 1.",
           "g.sum(axis=those axes).reshape(shape), where axis is a tuple counted in g's axes."))


@st.composite
def stretched(draw, lead=(0, 2), ones=True, dtype=np.float64):
    shape = draw(shapes(1, 3, 3))
    full = (*(draw(sizes()) for _ in range(draw(sizes(*lead)))), *shape)
    if ones:
        shape = tuple(draw(st.sampled_from((1, n))) for n in shape)
    return dict(g=counted(full, dtype=dtype), shape=shape)


def summed(g, shape):
    x = torch.zeros(shape, dtype=torch.from_numpy(g).dtype, requires_grad=True)
    x.expand(g.shape).backward(torch.from_numpy(g))
    return x.grad


unbroadcast.property("adds up over axes that were put in front", 1,
                     stretched((1, 2), ones=False), exact=True)(summed)
unbroadcast.property("adds up over axes that were stretched, and keeps them at size 1", 2,
                     stretched((0, 0)), exact=True)(summed)
unbroadcast.property(
    "undoes both at once, down to a single number", 1,
    stretched() | shapes(1, 3, 3).map(lambda full: dict(g=counted(full), shape=())), exact=True,
    examples=(dict(g=counted((2, 3)), shape=()), dict(g=counted((2, 3)), shape=(2, 3)),
              dict(g=counted((2, 3)), shape=(1, 1))))(summed)
unbroadcast.property(KEEPS, 1, stretched(dtype=np.float32), unchanged=True)(summed)
LEAD = "lead = g.ndim - len(shape)"
AXES = "stretched = [lead + i for i, n in enumerate(shape) if n == 1]"
SUM = "g.sum(axis=(*range(lead), *stretched)).reshape(shape)"
unbroadcast.mistake("the **axes in front** are not summed over: `shape` may have fewer axes than g",
                    (SUM, "g.sum(axis=tuple(stretched), keepdims=True)"))
unbroadcast.mistake("only the axes in front are summed over, not those **stretched from size 1**",
                    (SUM, "g.sum(axis=tuple(range(lead)))"))
unbroadcast.mistake("the summed axes are **lost**: an axis of size 1 in `shape` stays, at size 1",
                    (".reshape(shape)", ""))
unbroadcast.mistake("**no axis is lost**: those that broadcasting put in front must go, too",
                    (SUM, "g.sum(axis=(*range(lead), *stretched), keepdims=True)"))
unbroadcast.mistake("the copies are **averaged**; the gradient is their sum",
                    ("g.sum(", "g.mean("))
unbroadcast.mistake("only the **first copy** counts; the gradient is the sum over all of them",
                    (SUM, "g[(0,) * lead + tuple(slice(n) for n in shape)]"))
unbroadcast.mistake("the shapes are aligned at their **first** axis; broadcasting aligns the last",
                    (AXES, "stretched = [i for i, n in enumerate(shape) if n == 1]"),
                    ("(*range(lead), *stretched)", "(*range(len(shape), g.ndim), *stretched)"))
unbroadcast.mistake("the positions of stretched axes are counted **in `shape`**; in g they come "
                    "after the axes put in front",
                    (AXES, "stretched = [i for i, n in enumerate(shape) if n == 1]"),
                    (SUM, "g.sum(axis=tuple(stretched), keepdims=True).sum(axis=(*range(lead),))"))
unbroadcast.mistake("the sum goes over **all axes** as soon as shapes differ",
                    (SUM, "np.broadcast_to(g.sum(), shape).copy()"))
unbroadcast.mistake("the copies are **multiplied**; the gradient is their sum",
                    ("g.sum(", "g.prod("))

matmul_grad = exercise(
    LESSON, "matmul_grad", "The rules of a matrix product", minutes=25, difficulty=3,
    hints=("Write down y[n, m] for 2x2 matrices. Which elements of y does a[0, 1] take part in?",
           "da[n, k] = sum over m of g[n, m] * b[k, m]: that is g times b transposed.",
           "da = g @ b.swapaxes(-1, -2); db is like it, with a transposed on the left of g."))


@st.composite
def matrices(draw, axes=(1, 2), broadcast=False):
    n, k, m = (draw(sizes()) for _ in range(3))
    full = draw(shapes(*axes, 3))
    batches = [draw(st.sampled_from(sources(full))) if broadcast else full for _ in range(2)]
    a = signed((*batches[0], n, k))
    b = counted((*batches[1], k, m))
    g = scattered(draw(seeds), (a @ b).shape)
    return dict(g=g, y=a @ b, a=a, b=b)


def by_matmul(g, y, a, b):
    batch = g.shape[:-2]
    xs = [torch.from_numpy(np.broadcast_to(x, (*batch, *x.shape[-2:])).copy()).requires_grad_()
          for x in (a, b)]
    return torch.autograd.grad(torch.matmul(*xs), xs, torch.from_numpy(g))


matmul_grad.property("gives both gradients of a product of two matrices", 2,
                     matrices((0, 0)), exact=True)(by_matmul)
matmul_grad.property("gives them for each matrix of a batch", 2, matrices(), exact=True)(by_matmul)
matmul_grad.property("keeps the batch axes of g where those of a and b differ", 1,
                     matrices(broadcast=True), exact=True)(by_matmul)
keeps(matmul_grad, matrices(), by_matmul)
DA, DB = "g @ b.swapaxes(-1, -2)", "a.swapaxes(-1, -2) @ g"
matmul_grad.mistake("b is **not transposed** in da: g is (N, M) and b is (K, M)", (DA, "g @ b"))
matmul_grad.mistake("a is **not transposed** in db: a is (N, K) and g is (N, M)", (DB, "a @ g"))
matmul_grad.mistake("`.T` reverses **all axes**, the batch too; exchange the last two only",
                    (DA, "g @ b.T"), (DB, "a.T @ g"))
matmul_grad.mistake("both gradients are **transposed**: da must have the shape of a, db that of b",
                    (DA, "b @ g.swapaxes(-1, -2)"), (DB, "g.swapaxes(-1, -2) @ a"))
matmul_grad.mistake("the two results are **swapped**: da comes first",
                    (f"{DA}, {DB}", f"{DB}, {DA}"))
matmul_grad.mistake("the **order of the factors** is reversed in db: a transposed comes first",
                    (DB, "g @ a.swapaxes(-1, -2)"))
matmul_grad.mistake("the **order of the factors** is reversed in da: g comes first",
                    (DA, "b.swapaxes(-1, -2) @ g"))
matmul_grad.mistake("that is the rule of the product **element by element**, with * instead of @",
                    (DA, "g * b"), (DB, "g * a"))
matmul_grad.mistake("**g is left out**: the chain rule needs it in both products",
                    (DA, "np.ones_like(g) @ b.swapaxes(-1, -2)"),
                    (DB, "a.swapaxes(-1, -2) @ np.ones_like(g)"))
matmul_grad.mistake("db is **summed over the batch**; each matrix of the batch has its own",
                    (DB, "(a.swapaxes(-1, -2) @ g).sum(axis=tuple(range(g.ndim - 2)))"))
matmul_grad.mistake("the **broadcast is undone already**: here both keep the batch axes of g",
                    (DA, "unbroadcast(g @ b.swapaxes(-1, -2), a.shape)"),
                    (DB, "unbroadcast(a.swapaxes(-1, -2) @ g, b.shape)"))
