"""Rare arguments of what makes and records tensors: both sides take them, or both refuse."""

import numpy as np
import pytest
import torch
from against_torch import both_raise, close

import minilearn as ml

x = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize(("name", "args", "options", "match"), [
    ("zeros", (), {}, "needs sizes"),
    ("zeros", (2, -1), {}, "sizes must not be negative, got (2, -1)"),
    ("ones", (2.5,), {}, "sizes must be integers"),
    ("full", (2, 1.0), {}, "size must be a tuple of integers, got 2"),
    ("arange", (3, 0), {}, "the step must lead from start to end"),
    ("arange", (0, 3, 0), {}, "the step must lead"),
    ("arange", (float("nan"),), {}, "expected finite numbers"),
    ("linspace", (0, 1, -1), {}, "sizes must not be negative"),
    ("randint", (3, 3, (2,)), {}, "low must be below high"),
    ("randint", (3, 2), {}, "size must be a tuple"),
    ("randn", (2,), {"dtype": "int64"}, "random numbers are floating point, not int64"),
    ("normal", (0.0, -1.0, (2,)), {}, "std must not be negative"),
    ("normal", (0.0, 1.0), {}, "give a size for numbers"),
    ("bernoulli", (x,), {}, "chances lie between 0 and 1"),
    ("zeros_like", (3,), {}, "expected a Tensor, got int"),
    ("from_numpy", ([1.0],), {}, "expected a NumPy array, got list"),
])
def test_creation_refuses_what_torchs_refuses(name, args, options, match):
    theirs = {k: getattr(torch, v) for k, v in options.items()}  # torch takes no names of dtypes
    both_raise(lambda *a: getattr(ml, name)(*a, **options),
               lambda *a: getattr(torch, name)(*a, **theirs), *args, match=match)


@pytest.mark.parametrize(("name", "args"), [
    ("arange", (5,)), ("arange", (1, 2.2, 0.3)), ("arange", (5, 0, -2)), ("linspace", (3, -1, 5)),
    ("linspace", (0, 1, 1)), ("linspace", (0, 1, 0)), ("eye", (2, 3)), ("eye", (0,)),
    ("full", ((2,), True)), ("full", ((), 2.5)), ("randint", (1, (2, 2))), ("randperm", (1,)),
])
@pytest.mark.parametrize("dtype", [None, "int32", "float64"])
def test_creation_gives_torchs_numbers(name, args, dtype):
    theirs = dtype and getattr(torch, dtype)
    close(getattr(ml, name)(*args, **{"dtype": dtype} if dtype else {}),
          getattr(torch, name)(*args, **{"dtype": theirs} if dtype else {}))


def test_gradients_refuse_what_is_not_theirs():
    for library in (ml, torch):
        leaf = library.ones(2, requires_grad=True)
        grad = library.grad if library is ml else torch.autograd.grad
        for wrong in (lambda leaf=leaf: (leaf * 2).backward(),
                      lambda leaf=leaf, one=library.ones: (leaf * 2).backward(one(3)),
                      lambda leaf=leaf: leaf.detach().sum().backward(),
                      lambda leaf=leaf: leaf.numpy(),
                      lambda leaf=leaf: leaf.item(),
                      lambda leaf=leaf: setattr(leaf * 2, "requires_grad", False),
                      lambda leaf=leaf: leaf.long().requires_grad_(),
                      lambda leaf=leaf, g=grad, one=library.ones: g(leaf.sum(), one(2)),
                      lambda leaf=leaf, g=grad: g([leaf.sum()], [leaf], [])):
            with pytest.raises((RuntimeError, ValueError)):
                wrong()
        assert leaf.grad is None


@pytest.mark.parametrize("value", [lambda lib: lib.ones(3), lambda lib: lib.ones(2).double()])
def test_a_gradient_has_its_tensors_shape_and_dtype(value):
    for library in (ml, torch):
        leaf = library.ones(2, requires_grad=True)
        with pytest.raises((RuntimeError, ValueError)):
            leaf.grad = value(library)
        leaf.grad = library.ones(2) * 3
        assert leaf.grad.tolist() == [3, 3]
