"""The engine against torch's: what is recorded, what flows back, what is refused, what is freed."""

import gc
import sys
import tracemalloc
import weakref

import numpy as np
import pytest
import torch
from against_torch import both_raise, close, ours, theirs
from hypothesis import given
from hypothesis import strategies as st

import minilearn as ml
from minilearn.op import OPS
from minilearn.ops.norm import batch_norm, moments

LIBRARIES = {"ours": (ml, ours), "theirs": (torch, theirs)}


def same(program):
    """Run a program on both libraries and compare all that it returns.

    It gets a function `leaf(*numbers)` that makes a tensor with a gradient, and `grad`.
    """
    def leaf(*numbers):
        return ours(np.array(numbers, np.float64), True)

    def their_leaf(*numbers):
        return theirs(np.array(numbers, np.float64), True)

    mine, its = program(leaf, ml.grad), program(their_leaf, torch.autograd.grad)
    close(mine, its)


def refused(program, match):
    """Assert that both libraries refuse a program of one leaf."""
    def run(x, grad):
        x.requires_grad_()
        return program(x, grad)

    return both_raise(lambda x: run(x, ml.grad), lambda x: run(x, torch.autograd.grad),
                      np.array([1.0, 2.0]), match=match)


# ---------------------------------------------------------------- random programs

STEPS = {
    "add": lambda a, b: a + b, "mul": lambda a, b: a * b, "sub": lambda a, b: a - b * 0.5,
    "tanh": lambda a, b: (a * 0.1).tanh() + b, "matmul": lambda a, b: a @ b * 0.1,
    "row": lambda a, b: a.sum(0) * b, "detach": lambda a, b: a * b.detach(),
    "transpose": lambda a, b: a.permute(1, 0) + b, "same": lambda a, b: a * a,
}


@given(st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 99), st.integers(0, 99)),
                min_size=1, max_size=8), st.integers(0, 2**16))
def test_random_graphs(steps, seed):
    """Whatever the shape of the graph: first derivatives, second ones, and `.grad`."""
    arrays = np.random.default_rng(seed).standard_normal((3, 2, 2))
    results = []
    for grad, make in ((ml.grad, ours), (torch.autograd.grad, theirs)):
        leaves = [make(a, True) for a in arrays]
        values = list(leaves)
        for name, i, j in steps:
            values.append(STEPS[name](values[i % len(values)], values[j % len(values)]))
        loss = values[-1].sum() + (values[len(values) // 2] ** 2).sum()
        first = grad(loss, leaves, create_graph=True, allow_unused=True)
        slope = loss + sum((g * g).sum() for g in first if g is not None)
        slope.backward()
        results.append((*first, *(x.grad for x in leaves)))
    close(*results)


# ---------------------------------------------------------------- backward and grad


def test_gradients_accumulate():
    def program(leaf, grad):
        x = leaf(1.0, 2.0)
        (x * x).sum().backward()
        first = x.grad.detach() * 1
        (x * 3).sum().backward()
        total, x.grad = x.grad, None
        (x * 5).sum().backward()
        return first, total, x.grad

    same(program)


def test_grad_leaves_grad_alone():
    def program(leaf, grad):
        x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
        y = (x * w).sum()
        return *grad(y, [w, x], retain_graph=True), *grad(y, (x,)), x.grad, w.grad

    same(program)


def test_inputs_and_outputs_of_grad():
    def program(leaf, grad):
        x, w, g = leaf(1.0, 2.0), leaf(3.0, 4.0), leaf(5.0, 6.0).detach()
        y = x * w
        z = y.sum()
        return (*grad(z, y, retain_graph=True), *grad(z, z, retain_graph=True),
                *grad(z, [x, x, y], retain_graph=True), *grad([z, z], x, retain_graph=True),
                *grad([y, z], x, [g, None], retain_graph=True), *grad((y,), (w,), (g,), True),
                *grad(y, x, g, retain_graph=True), *grad([y, z], [x, y], [g, g.sum()]))

    same(program)


def test_unused_inputs():
    def program(leaf, grad):
        x, w = leaf(1.0, 2.0), leaf(3.0)
        return grad((x * 2).sum(), [x, w], allow_unused=True)

    same(program)
    refused(lambda x, grad: grad((x * 2).sum(), [x, (x * 3)]), "inputs[1]")
    refused(lambda x, grad: grad((x.detach() * x).sum(), x.detach()), "inputs[0]")
    refused(lambda x, grad: grad(x.sum(), x.detach(), allow_unused=True), "inputs[0]")


def test_what_grad_refuses():
    refused(lambda x, grad: grad(x.sum(), []), "no inputs")
    refused(lambda x, grad: grad(x * 2, x), "(2,)")
    refused(lambda x, grad: grad(x.detach().sum(), x), "grad")
    refused(lambda x, grad: grad([x.sum(), x.sum()], x, [x]), "2 outputs but 1")
    refused(lambda x, grad: grad(x * 2, x, x.detach().sum()), "shape")
    refused(lambda x, grad: grad(x * 2, x, [1.0]), "Tensor")
    refused(lambda x, grad: grad(x.sum(), x, graph=True), "graph")


def test_what_backward_refuses():
    refused(lambda x, grad: (x * 2).backward(), "(2,)")
    refused(lambda x, grad: x.detach().sum().backward(), "requires a gradient")
    refused(lambda x, grad: (x * 2).backward(x.detach().sum()), "shape")
    refused(lambda x, grad: (x * 2).backward(1.0), "Tensor")


def test_backward_with_a_gradient():
    def program(leaf, grad):
        x = leaf(1.0, 2.0)
        (x * x).backward(leaf(3.0, 4.0).detach())
        x.backward(leaf(5.0, 6.0).detach())
        return x.grad

    same(program)
    x = ml.tensor([1.0], requires_grad=True)  # float32 stays float32
    x.backward(ours(np.ones(1)))
    assert x.grad.dtype == np.float32


def test_a_leaf_does_not_share_its_gradient():
    x, w = ml.tensor([1.0], requires_grad=True), ml.tensor([1.0], requires_grad=True)
    seed = ml.tensor([1.0])
    (x + w).backward(seed)
    assert x.grad.data is not w.grad.data and x.grad.data is not seed.data


@pytest.mark.filterwarnings("ignore:Using backward:UserWarning")  # torch's advice
def test_create_graph_reaches_any_order():
    def program(leaf, grad):
        x = leaf(0.5, 2.0)
        y, found = (x**4).sum(), []
        for _ in range(4):
            (y,) = grad(y.sum(), x, create_graph=True)
            found.append(y)
        x.grad = None
        (x**3).sum().backward(create_graph=True)
        return *found, x.grad, *grad(x.grad.sum(), x)

    same(program)


# ---------------------------------------------------------------- freeing


def test_a_used_graph_is_refused():
    def twice(x, grad):
        y = (x * x).sum()
        y.backward()
        y.backward()

    def shared(x, grad):
        y = x * x
        y.sum().backward()
        (y * 3).sum().backward()

    def once_more(x, grad):
        y = (x * x).sum()
        grad(y, x, retain_graph=False, create_graph=True)
        grad(y, x)

    for program in (twice, shared, once_more):
        refused(program, "retain_graph=True")


def test_a_retained_graph_can_be_used_again():
    def program(leaf, grad):
        x = leaf(1.0, 2.0)
        y = (x * x).sum()
        y.backward(retain_graph=True)
        grad(y, x, create_graph=True)
        y.backward()
        return x.grad

    same(program)


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def big_graph(backward=None):
    """Build a graph and return weak references to arrays inside it."""
    x = ours(np.ones((50, 50)), True)
    y = (x * 2).tanh()
    z = ((y @ y).exp() * y).sum()
    watched = [weakref.ref(t.data) for t in (x, y)] + [weakref.ref(y.node)]
    if backward == "hooks":
        y.register_hook(lambda g: g * 2)
        y.retain_grad()
    if backward is not None:
        z.backward()
    if backward == "second":
        raise AssertionError
    return watched


@pytest.mark.parametrize("backward", [None, "plain", "hooks"])
def test_memory_is_freed_without_the_collector(no_collector, backward):
    assert [w() for w in big_graph(backward)] == [None] * 3


def test_second_order_graphs_are_freed_too(no_collector):
    def build():
        x = ours(np.ones((5, 5)), True)
        (g,) = ml.grad((x * x).tanh().sum(), x, create_graph=True)
        (g * g).sum().backward()
        return weakref.ref(g.data), weakref.ref(x.node)

    assert [w() for w in build()] == [None, None]


def test_intermediate_results_go_during_backward():
    """Backward frees the tape as it walks: the loss alone does not keep the activations."""
    x = ours(np.ones(10), True)
    y = x.tanh()
    inside = weakref.ref(y.data)
    z = (y * 2).sum()
    del y
    assert inside() is not None
    z.backward()
    assert inside() is None


def test_no_memory_is_left_by_many_steps(no_collector):
    x = ours(np.ones((100, 100)), True)

    def step():
        x.grad = None
        ((x @ x).tanh() * x).sum().backward()

    step()
    tracemalloc.start()
    try:
        step()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(20):
            step()
        assert tracemalloc.get_traced_memory()[0] - before < x.data.nbytes
    finally:
        tracemalloc.stop()


def test_deep_chains():
    """100,000 nodes: neither backward nor freeing may recurse."""
    assert sys.getrecursionlimit() < 50_000
    x = ours(np.ones(()), True)
    y = x
    for _ in range(100_000):
        y = y + 1
    y.backward()
    assert x.grad.item() == 1
    y = x
    for _ in range(100_000):
        y = y * 1
    del y  # freed without a backward pass


# ---------------------------------------------------------------- hooks


def test_hooks_on_leaves_and_results():
    def program(leaf, grad):
        x, seen = leaf(1.0, 2.0), []
        y = x * x
        y.register_hook(lambda g: seen.append(g))
        y.register_hook(lambda g: g * 10)
        y.register_hook(lambda g: seen.append(g))
        x.register_hook(lambda g: g + 1)
        found = grad([y.sum(), (y * 3).sum()], x, retain_graph=True)
        found += grad(y.sum(), y, retain_graph=True)
        y.sum().backward()
        return *found, *seen, x.grad

    same(program)


def test_hooks_can_be_removed():
    def program(leaf, grad):
        x = leaf(1.0, 2.0)
        hook = lambda g: g * 10  # noqa: E731
        first, second = x.register_hook(hook), x.register_hook(hook)
        first.remove()
        first.remove()
        (x * 2).sum().backward()
        second.remove()
        (x * 2).sum().backward()
        with x.register_hook(hook):
            (x * 2).sum().backward()
        (x * 2).sum().backward()
        return x.grad

    same(program)


def test_a_hook_is_part_of_the_graph():
    def program(leaf, grad):
        x = leaf(1.0, 2.0)
        y = x * x
        y.register_hook(lambda g: g * g * y.detach())
        (g,) = grad((y * x).sum(), x, create_graph=True)
        return g, *grad(g.sum(), x)

    same(program)


def test_hooks_refuse():
    refused(lambda x, grad: x.detach().register_hook(print), "register_hook")
    for wrong in (3, "g", ()):
        refused(lambda x, grad, w=wrong: (x.register_hook(lambda g: w), x.sum().backward()), "hook")
    refused(lambda x, grad: (x.register_hook(lambda g: g.sum()), (x * 2).sum().backward()), "shape")
    with pytest.raises(TypeError, match="function"):
        ours(np.ones(2), True).register_hook(3)


def test_retain_grad():
    def program(leaf, grad):
        x = leaf(1.0, 2.0)
        y = x * 2
        y.register_hook(lambda g: g * 10)
        y.retain_grad()
        y.retain_grad()
        y.register_hook(lambda g: g * 3)
        (y * y).sum().backward(retain_graph=True)
        first = y.grad.detach() * 1
        (y * 1).sum().backward()
        x.retain_grad()
        w = x * 3
        w.retain_grad()
        grad(w.sum(), x)
        return first, y.grad, x.grad, w.grad

    same(program)
    refused(lambda x, grad: x.detach().retain_grad(), "retain_grad")


# ---------------------------------------------------------------- recording or not


def test_recording_modes():
    for library, make in LIBRARIES.values():
        x = make(np.ones(2), True)

        @library.no_grad()
        def silent(x=x):
            return (x * 2).requires_grad

        @library.enable_grad()
        def loud(x=x):
            return (x * 2).requires_grad

        with library.no_grad():
            assert not library.is_grad_enabled() and not silent() and loud()
            with library.enable_grad():
                assert (x * 2).requires_grad
            with library.set_grad_enabled(True):
                assert library.is_grad_enabled()
            assert not (x * 2).requires_grad and (x * 2).is_leaf
            assert make(np.ones(2), True).requires_grad  # a leaf may be made
        with pytest.raises(KeyError), library.no_grad():
            raise KeyError
        assert library.is_grad_enabled() and not silent() and loud()


def test_recording_can_be_switched_without_a_block():
    for library, make in LIBRARIES.values():
        x = make(np.ones(2), True)
        library.set_grad_enabled(False)
        try:
            assert not library.is_grad_enabled() and not (x * 2).requires_grad
            with library.enable_grad(), library.set_grad_enabled(False):
                assert not library.is_grad_enabled()
            assert not library.is_grad_enabled()
        finally:
            library.set_grad_enabled(True)

        @library.set_grad_enabled(False)
        def silent(x=x):
            return (x * 2).requires_grad

        @library.no_grad
        def silent_too(x=x):
            return (x * 2).requires_grad

        assert library.is_grad_enabled() and not silent() and not silent_too()
        assert library.is_grad_enabled() and (x * 2).requires_grad


def test_what_was_computed_keeps_its_gradient():
    for _, make in LIBRARIES.values():
        y = make(np.ones(2), True) * 2
        for wanted in (True, False):
            with pytest.raises(RuntimeError):
                y.requires_grad = wanted
        assert y.requires_grad_() is y
        with pytest.raises(RuntimeError):
            y.requires_grad_(False)


def test_unused_inputs_can_get_zeros():
    for grad, make in ((ml.grad, ours), (torch.autograd.grad, theirs)):
        x, unused = make(np.ones(2), True), make(np.ones(3), True)
        found = grad((x * 2).sum(), [x, unused], materialize_grads=True)
        assert [g.tolist() for g in found] == [[2.0, 2.0], [0.0, 0.0, 0.0]]


def test_what_requires_a_gradient():
    for _, make in LIBRARIES.values():
        x, constant = make(np.ones(2), True), make(np.ones(2))
        y = x * constant
        assert y.requires_grad and not y.is_leaf and x.is_leaf and constant.is_leaf
        assert not y.detach().requires_grad and y.detach().is_leaf
        assert not (constant * 2).requires_grad and (constant * 2).is_leaf
        assert constant.requires_grad_() is constant and constant.requires_grad
        constant.requires_grad = False
        assert not constant.requires_grad
    refused(lambda x, grad: (x * 2).requires_grad_(False), "detach")
    for kind in ("int64", "bool"):
        both_raise(lambda x: x.requires_grad_(), lambda x: x.requires_grad_(), np.ones(2, kind))


def test_assigning_a_gradient():
    def assign(x, value):
        x.requires_grad_()
        x.grad = value

    for wrong in (np.ones(3), np.ones(()), np.ones(2, np.float32)):
        both_raise(assign, assign, np.ones(2), wrong, match="grad")


def test_detach_shares_memory_and_stops_gradients():
    def program(leaf, grad):
        x = leaf(1.0, 2.0)
        (x * x.detach()).sum().backward()
        return x.grad, x.detach()

    same(program)
    x = ours(np.ones(2), True)
    assert x.detach().data is x.data


def test_data_changed_between_forward_and_backward():
    """As with torch's `.data`: the change is not seen, and backward meets the new numbers."""
    def program(leaf, grad):
        x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
        y = (x * w).sum()
        w.data = w.data * 10
        y.backward()
        return x.grad, w.grad

    mine = program(lambda *n: ours(np.array(n), True), ml.grad)
    assert mine[0].tolist() in ([3.0, 4.0], [30.0, 40.0]) and mine[1].tolist() == [1.0, 2.0]


# ---------------------------------------------------------------- fused ops


def test_a_fused_op_equals_its_composite():
    rng = np.random.default_rng(0)
    x, w, b = rng.standard_normal((4, 3, 2, 5)), rng.standard_normal(3), rng.standard_normal(3)
    g = rng.standard_normal(x.shape)
    tx, tw, tb = (theirs(a, True) for a in (x, w, b))
    y = torch.nn.functional.batch_norm(tx, None, None, tw, tb, training=True)
    want = torch.autograd.grad(y, [tx, tw, tb], theirs(g), create_graph=True)
    second = torch.autograd.grad(sum((v * v).sum() for v in want), [tx, tw])
    mx, mw, mb = (ours(a, True) for a in (x, w, b))
    mean, var = moments(mx.data)[:2]
    for create_graph in (False, True):
        my = batch_norm(mx, mw, mb, mean=mean, var=var, eps=1e-5)
        got = ml.grad(my, [mx, mw, mb], ours(g), create_graph=create_graph)
        close(my, y)
        close(got, want)
    close(ml.grad(sum((v * v).sum() for v in got), [mx, mw]), second)


def test_ops_bind_arguments_as_torch_does():
    x = ours(np.arange(6.0).reshape(2, 3))
    by_position, by_name = OPS["sum"](x, 1, True), OPS["sum"](input=x, dim=1, keepdim=True)
    assert by_position.tolist() == by_name.tolist() == [[3.0], [12.0]]
    for bad in ({"axes": 1}, {"dim": 1, "out": None}):
        with pytest.raises(TypeError, match="sum"):
            OPS["sum"](x, **bad)
    with pytest.raises(TypeError, match="sum"):
        OPS["sum"](x, 1, dim=1)
    with pytest.raises(TypeError, match="tensors"):
        OPS["matmul"](x)
    with pytest.raises(TypeError, match="matmul: expected Tensors"):
        OPS["matmul"](x, "text")
