"""The gradient checker finds every wrong rule, and products with derivatives are torch's."""

import numpy as np
import pytest
import torch
from against_torch import both_raise, close, ours, theirs
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import functional as torch_derivatives

from minilearn import derivatives, xp
from minilearn.check import GradientError, check
from minilearn.op import OPS, Op
from minilearn.tensor import Tensor

X = np.array([[0.5, -1.5, 2.0], [1.25, 0.75, -0.5]])


def made(forward, *rules):
    """An op for one test only: it is not listed among the primitives."""
    op = Op(forward)
    OPS.pop(forward.__name__)
    op.grad(*rules)
    return op


def cube(x):
    return x * x * x


def product(x, w):
    return x * w


def total(x):
    return xp.sum(x, axis=0, keepdims=True)


RIGHT = {
    "cube": ((cube, lambda g, y, x: g * x * x * 3.0), (X,)),
    "product": ((product, lambda g, y, x, w: g * w, lambda g, y, x, w: g * x), (X, X[:1])),
    "sum": ((total, lambda g, y, x: g.broadcast_to(size=x.shape)), (X,)),
}
# What is wrong, of which order it shows, in which input, and the op.
WRONG = {
    "a factor that is slightly off": (1, 0, (cube, lambda g, y, x: g * x * x * 3.001), (X,)),
    "a factor of two": (1, 0, (cube, lambda g, y, x: g * x * x * 6.0), (X,)),
    "the sign": (1, 0, (cube, lambda g, y, x: -g * x * x * 3.0), (X,)),
    "nothing": (1, 0, (cube, lambda g, y, x: None), (X,)),
    "one element": (1, 0, (cube, lambda g, y, x: g * x * x * ours(np.array([3, 3, 3.01]))), (X,)),
    "g is left out": (1, 0, (cube, lambda g, y, x: x * x * 3.0), (X,)),
    "the other input": (1, 1, (product, lambda g, y, x, w: g * w, lambda g, y, x, w: g * w),
                        (X, X[:1])),
    "inputs exchanged": (1, 0, (product, lambda g, y, x, w: g * x, lambda g, y, x, w: g * w),
                         (X, X + 1)),
    "transposed": (1, 0, (product, lambda g, y, x, w: (g * w).permute((1, 0)),
                          lambda g, y, x, w: g * x), (X[:, :2], X[:, 1:])),
    "raw data": (2, 0, (cube, lambda g, y, x: g * Tensor(x.data * x.data * 3.0)), (X,)),
    "raw data of the gradient": (2, 1, (cube, lambda g, y, x: Tensor(g.data) * x * x * 3.0), (X,)),
    "raw result": (2, 0, (cube, lambda g, y, x: g * Tensor(y.data) / x * 3.0), (X,)),
    "a detached input": (2, 0, (cube, lambda g, y, x: g * x * x.detach() * 3.0), (X,)),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_rule_passes(name):
    op, inputs = RIGHT[name]
    check(made(*op), *inputs, order=3)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_rule_is_caught(name):
    order, place, op, inputs = WRONG[name]
    if order == 2:
        check(made(*op), *inputs, order=1)
    where = f"order {order} .*(input {place}|output {place - 1})"
    with pytest.raises(GradientError, match=where):
        check(made(*op), *inputs)


def test_a_rule_that_forgets_to_broadcast_is_caught():
    with pytest.raises((GradientError, ValueError)):
        check(made(total, lambda g, y, x: g), X)


def test_a_wrong_fused_rule_is_caught():
    """The fast rule serves first derivatives, the ordinary one all higher ones."""
    op = made(*RIGHT["cube"][0])
    op.fused(lambda g, y, x, needs: (g * x * x * 3,))
    check(op, X)
    op.fused(lambda g, y, x, needs: (g * x * x * 3.1,))
    with pytest.raises(GradientError, match="order 1"):
        check(op, X)
    op.fused(lambda g, y, x, needs: (g * x * x * 3,), composite=lambda x: x * x * x * x)
    with pytest.raises(GradientError):
        check(op, X)


def test_the_message_names_the_worst_element_and_both_numbers():
    op = made(cube, lambda g, y, x: g * (x * x * 3.0 + Tensor(np.array([[0, 0, 0], [0, 9.0, 0]]))))
    with pytest.raises(GradientError, match=r"input 0 at \(1, 1\): the rules say \S+, finite diff"):
        check(op, X)


def test_a_gradient_of_nan_is_caught():
    with pytest.raises(GradientError, match="nan"):
        check(made(cube, lambda g, y, x: g * Tensor(np.array(np.nan))), X)


def test_any_function_can_be_checked():
    check(lambda x, n, flag: (x**n).sum() if flag else x, X, 3, True)
    check(lambda x, mask: x * mask, X.astype("float32"), np.array([1, 0, 2]))
    check(lambda x, w: (x * w, x.sum(), w / 2), X, X[:1])
    check(lambda x: x.detach() * 0 + 1, X)
    with pytest.raises(TypeError, match="nothing to differentiate"):
        check(lambda n: n, np.array([1, 2]), 3)
    with pytest.raises(GradientError):
        check(lambda x: x.detach() * x, X)


def test_inputs_are_not_changed():
    x = ours(X, True)
    check(lambda x: x * x, x)
    assert x.grad is None and np.array_equal(x.data, X)


# ---------------------------------------------------------------- products with derivatives

FUNCTIONS = {
    "one to one": (lambda x: x**3 * x.exp(), [(2, 3)]),
    "two to one": (lambda x, w: (x * w).tanh() @ w.sum(1), [(2, 3), (3, 3)][1:] * 2),
    "one to two": (lambda x: (x.exp(), (x * x).sum()), [(2,)]),
    "two to two": (lambda x, w: (x * w, (x * x).sum() + w.sum()), [(2,), (1,)]),
    "nothing depends": (lambda x, w: x * x, [(2,), (3,)]),
    "scalars": (lambda x: x * x * x, [()]),
    "linear": (lambda x: x * 2 + 1, [(3,)]),
}
NUMBERS = {
    "cubes": (lambda x: (x**3).sum(), [(2, 3)]),
    "mixed": (lambda x, w: (x.exp() * w * w).sum(), [(2, 3), (3,)]),
    "linear": (lambda x: (x * 2).sum(), [(3,)]),
    "separate": (lambda x, w: (x**2).sum() + (w**3).sum(), [(2,), (2,)]),
    "one unused": (lambda x, w: (x**2).sum(), [(2,), (3,)]),
}


def both(shapes, seed=0):
    arrays = [np.random.default_rng((seed, i)).standard_normal(s) for i, s in enumerate(shapes)]
    mine, its = tuple(map(ours, arrays)), tuple(map(theirs, arrays))
    return (mine[0], its[0]) if len(arrays) == 1 else (mine, its)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_jacobians_and_products(name):
    f, shapes = FUNCTIONS[name]
    x, tx = both(shapes)
    close(derivatives.jacobian(f, x), torch_derivatives.jacobian(f, tx))
    ty = torch_derivatives.vjp(lambda *xs: f(*xs), tx, _ones(f, tx))[0]
    v, tv = both([tuple(y.shape) for y in (ty if isinstance(ty, tuple) else (ty,))], 1)
    close(derivatives.vjp(f, x, v), torch_derivatives.vjp(f, tx, tv))
    v, tv = both(shapes, 2)
    close(derivatives.jvp(f, x, v), torch_derivatives.jvp(f, tx, tv))


def _ones(f, tx):
    y = f(*tx) if isinstance(tx, tuple) else f(tx)
    return tuple(map(torch.ones_like, y)) if isinstance(y, tuple) else torch.ones_like(y)


@pytest.mark.parametrize("name", NUMBERS)
@given(st.integers(0, 5))
def test_hessians_and_products(name, seed):
    f, shapes = NUMBERS[name]
    (x, tx), (v, tv) = both(shapes, seed), both(shapes, seed + 10)
    close(derivatives.hvp(f, x, v), torch_derivatives.hvp(f, tx, tv))
    close(derivatives.hessian(f, x), torch_derivatives.hessian(f, tx))
    close(derivatives.vjp(f, x), torch_derivatives.vjp(f, tx))


def test_an_empty_jacobian():
    assert derivatives.jacobian(lambda x: x * x, ours(np.ones((0, 2)))).shape == (0, 2, 0, 2)


def test_derivatives_can_be_differentiated_again():
    def size(library, x):
        return (library.hvp(lambda x: (x**4).sum(), x, x * 2, create_graph=True)[1] ** 2).sum() \
            + library.vjp(lambda x: x**3, x, x, create_graph=True)[1].sum() \
            + library.jvp(lambda x: x**3, x, x, create_graph=True)[1].sum() \
            + library.jacobian(lambda x: x**3, x, create_graph=True).sum() \
            + library.hessian(lambda x: (x**4).sum(), x, create_graph=True).sum()

    x, tx = ours(X[0], True), theirs(X[0], True)
    size(derivatives, x).backward()
    size(torch_derivatives, tx).backward()
    close(x.grad, tx.grad)


def test_the_callers_tensors_keep_their_gradients():
    x = ours(X, True)
    value, product = derivatives.hvp(lambda x: (x**3).sum(), x, ours(X))
    assert not value.requires_grad and not product.requires_grad and x.grad is None


def test_wrong_directions():
    for name, f, v in [("vjp", lambda x: x * 2, None), ("vjp", lambda x: x, np.ones(4)),
                       ("jvp", lambda x: x, np.ones((3, 2))), ("hvp", lambda x: x, np.ones((2, 3))),
                       ("hvp", lambda x: x.sum(), np.ones(2)), ("hessian", lambda x: x, None)]:
        args = () if v is None else (v,)
        both_raise(lambda x, *v, n=name, f=f: getattr(derivatives, n)(f, x, *v),
                   lambda x, *v, n=name, f=f: getattr(torch_derivatives, n)(f, x, *v), X, *args)
