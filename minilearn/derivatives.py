"""Products with the derivatives of any function, and whole Jacobians of small ones.

Names and arguments are those of torch.autograd.functional.

    value, product = hvp(loss, weights, v)      # the Hessian times v, without the Hessian
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from . import xp
from .autograd import grad
from .errors import explain
from .op import enable_grad
from .ops.elementwise import alias
from .ops.pieces import stack
from .tensor import Tensor

Tensors = tuple[Tensor, ...]


def vjp(func: Callable, inputs, v=None, create_graph: bool = False) -> tuple:
    """Return `func(*inputs)` and v times its Jacobian: a gradient.

    inputs: a tensor or a tuple of them; v: like the outputs (left out for a single number). The
    products are like the inputs; with `create_graph` they can be differentiated again. Raises
    ValueError if v has another shape. As torch.autograd.functional.vjp.

    >>> vjp(lambda x: x * x, Tensor([1.0, 2.0]), Tensor([1.0, 10.0]))[1]
    tensor([ 2., 40.])
    """
    xs, ys = _evaluated(func, inputs, create_graph)
    vs = _directions("vjp", v, as_tuple(ys), create_graph)
    gs = gradients(as_tuple(ys), xs, vs, create_graph)
    return _finished(ys, create_graph), _like(gs, inputs)


def jvp(func: Callable, inputs, v=None, create_graph: bool = False) -> tuple:
    """Return `func(*inputs)` and its Jacobian times v: how the outputs change along v.

    The gradient `u J` is linear in u; differentiating it with respect to u gives `J v`.
    Arguments as for `vjp`, with v like the inputs.
    """
    xs, ys = _evaluated(func, inputs, create_graph)
    vs = _directions("jvp", v, xs, create_graph)
    outputs = as_tuple(ys)
    us = [Tensor(xp.zeros_like(y.data), requires_grad=True) for y in outputs]
    products = gradients(gradients(outputs, xs, us, True), us, vs, create_graph)
    return _finished(ys, create_graph), _like(products, ys)


def hvp(func: Callable, inputs, v=None, create_graph: bool = False) -> tuple:
    """Return `func(*inputs)`, a single number, and its Hessian times v.

    Arguments as for `vjp`, with v like the inputs.

    >>> hvp(lambda x: (x**3).sum(), Tensor([1.0, 2.0]), Tensor([1.0, 10.0]))[1]
    tensor([  6., 120.])
    """
    xs, y = _evaluated(func, inputs, create_graph)
    _need_number("hvp", y)
    vs = _directions("hvp", v, xs, create_graph)
    slopes = gradients((y,), xs, (Tensor(xp.ones_like(y.data)),), True)
    return _finished(y, create_graph), _like(gradients(slopes, xs, vs, create_graph), inputs)


def jacobian(func: Callable, inputs, create_graph: bool = False):
    """Return all derivatives of all outputs: shape (*output.shape, *input.shape).

    Several inputs give a tuple over inputs, several outputs a tuple of these. One gradient is
    worked out for each element of the outputs, so this is for small ones.
    """
    xs, ys = _evaluated(func, inputs, create_graph)
    rows = tuple(_like(_rows(y, xs, create_graph), inputs) for y in as_tuple(ys))
    return rows if isinstance(ys, tuple | list) else rows[0]


def hessian(func: Callable, inputs, create_graph: bool = False):
    """Return all second derivatives of a single number: shape (*input.shape, *input.shape).

    Several inputs give a tuple of tuples. For small inputs, as for `jacobian`.
    """

    def slopes(*xs: Tensor):
        y = func(*xs)
        _need_number("hessian", y)
        return _like(gradients((y,), xs, (Tensor(xp.ones_like(y.data)),), True), inputs)

    return jacobian(slopes, inputs, create_graph)


def _rows(y: Tensor, xs: Tensors, create_graph: bool) -> Tensors:
    """Differentiate each element of y, and put the gradients side by side."""
    unit = xp.reshape(xp.eye(y.numel(), dtype=y.data.dtype), (y.numel(), *y.shape))
    rows = [gradients((y,), xs, (Tensor(unit[i, ...]),), create_graph, True)
            for i in range(y.numel())]
    if not rows:
        return tuple(Tensor(xp.zeros((*y.shape, *x.shape), x.data.dtype)) for x in xs)
    return tuple(stack(each).reshape((*y.shape, *x.shape))
                 for x, each in zip(xs, zip(*rows, strict=True), strict=True))


def gradients(ys, xs, gs, create_graph: bool, keep: bool | None = None) -> Tensors:
    """Return the gradients, with zeros where nothing depends on an input."""
    pairs = [(y, g) for y, g in zip(ys, gs, strict=True) if y.node is not None]
    found: tuple[Tensor | None, ...] = (None,) * len(xs)
    if pairs:
        outputs, cotangents = zip(*pairs, strict=True)
        found = grad(outputs, xs, cotangents, keep, create_graph, allow_unused=True)
    return tuple(Tensor(xp.zeros_like(x.data)) if g is None else g
                 for x, g in zip(xs, found, strict=True))


@enable_grad()
def _evaluated(func: Callable, inputs, create_graph: bool) -> tuple[Tensors, Any]:
    """Call the function with inputs of its own, so that gradients stop there."""
    xs = tuple(alias(x) if create_graph and x.requires_grad else x.detach().requires_grad_()
               for x in as_tuple(inputs))
    return xs, func(*xs)


def _directions(function: str, v, like: Sequence[Tensor], create_graph: bool) -> Tensors:
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise ValueError(f"{function}: v may be left out only for a single number")
        return (Tensor(xp.ones_like(like[0].data)),)
    vs = as_tuple(v)
    if [x.shape for x in vs] != [x.shape for x in like]:
        given = {f"v[{i}]": x for i, x in enumerate(vs)}
        wanted = {f"wanted[{i}]": x for i, x in enumerate(like)}
        raise ValueError(explain(function, "v has other shapes than wanted", given | wanted))
    return vs if create_graph else tuple(x.detach() for x in vs)


def _need_number(function: str, y) -> None:
    if not isinstance(y, Tensor) or y.numel() != 1:
        raise ValueError(explain(function, "the function must return one number", {"output": y}))


def as_tuple(tensors) -> Tensors:
    """Return a tuple of tensors, also where there is only one."""
    return (tensors,) if isinstance(tensors, Tensor) else tuple(tensors)


def _like(tensors: Tensors, example):
    """Return one tensor where there was one, else a tuple."""
    return tensors[0] if isinstance(example, Tensor) else tuple(tensors)


def _finished(ys, create_graph: bool):
    found = as_tuple(ys) if create_graph else tuple(y.detach() for y in as_tuple(ys))
    return _like(found, ys)
