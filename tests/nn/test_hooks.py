"""Hooks: the same calls, in the same order, with the same arguments as torch's."""

import numpy as np
import pytest
import torch
from against_torch import host

import minilearn as ml
from minilearn import nn

X = np.random.default_rng(0).standard_normal((4, 3))


def layers(side):
    """A small net with the same weights on both sides."""
    model = side.Sequential(side.Linear(3, 5), side.Tanh(), side.Linear(5, 2)).double()
    rng = np.random.default_rng(1)
    for p in model.parameters():
        values = rng.standard_normal(tuple(p.shape))
        p.data = ml.tensor(values).data if side is nn else torch.tensor(values)
    return model


def tensor(side, array, requires_grad=False):
    make = ml.tensor if side is nn else torch.tensor
    return make(array, requires_grad=requires_grad)


def plain(value):
    """Write what a hook saw so that both sides can be compared."""
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return np.round(host(value), 9).tolist() if hasattr(value, "shape") else value


def same(scenario):
    """Run a scenario on both sides; it writes into a log and returns something."""
    logs = [[], []]
    results = [scenario(side, log) for side, log in zip((nn, torch.nn), logs, strict=True)]
    assert plain(logs[0]) == plain(logs[1]) and logs[0]
    assert plain(results[0]) == plain(results[1])


def test_forward_hooks_see_and_change():
    def scenario(side, log):
        model = layers(side)
        model[0].register_forward_pre_hook(lambda m, args: log.append([type(m).__name__, args]))
        model[0].register_forward_pre_hook(lambda m, args: args[0] * 2)
        model[0].register_forward_pre_hook(lambda m, args: (args[0] + 1,))
        model[1].register_forward_hook(lambda m, args, out: log.append(["post", args, out]))
        model[1].register_forward_hook(lambda m, args, out: out * 3)
        model.register_forward_hook(lambda m, args, out: log.append(out))
        return model(tensor(side, X))

    same(scenario)


def test_hooks_with_keywords_and_prepended():
    def scenario(side, log):
        class Scale(side.Module):
            def forward(self, x, by=1.0):
                return x * by

        module = Scale()
        module.register_forward_pre_hook(lambda m, a, k: (a, {"by": k["by"] + 1}), with_kwargs=True)
        module.register_forward_pre_hook(
            lambda m, a, k: log.append(["first", k]), with_kwargs=True, prepend=True)
        module.register_forward_hook(
            lambda m, a, k, y: log.append(["last", k, y]), with_kwargs=True)
        module.register_forward_hook(lambda m, a, y: log.append("before last"), prepend=True)
        return module(tensor(side, X), by=2.0)

    same(scenario)


def test_a_pre_hook_with_keywords_must_return_both():
    for side in (nn, torch.nn):
        module = side.Identity()
        module.register_forward_pre_hook(lambda m, a, k: a, with_kwargs=True)
        with pytest.raises(RuntimeError):
            module(tensor(side, X))


def test_handles_remove_once_and_in_a_block():
    def scenario(side, log):
        module = side.Identity()
        handle = module.register_forward_hook(lambda m, a, y: log.append("a"))
        module(tensor(side, X))
        handle.remove()
        handle.remove()
        module(tensor(side, X))
        with module.register_forward_pre_hook(lambda m, a: log.append("b")):
            module(tensor(side, X))
        return module(tensor(side, X))

    same(scenario)


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")  # torch says so, rightly
@pytest.mark.parametrize("input_grad", [True, False])
@pytest.mark.parametrize("change", [None, 2.0])
def test_full_backward_hooks(input_grad, change):
    def scenario(side, log):
        model = layers(side)

        def hook(m, grad_input, grad_output):
            log.append([type(m).__name__, grad_input, grad_output])
            if change and grad_input[0] is not None:
                return (grad_input[0] * change,)

        for module in (model, *model):
            module.register_full_backward_hook(hook)
        x = tensor(side, X, requires_grad=input_grad)
        (model(x) ** 2).sum().backward()
        return [p.grad for p in model.parameters()] + [x.grad]

    same(scenario)


def test_backward_pre_hooks_come_first_and_change():
    def scenario(side, log):
        model = layers(side)
        model[2].register_full_backward_hook(lambda m, gi, go: log.append(["hook", gi, go]))
        model[2].register_full_backward_pre_hook(lambda m, go: log.append(["pre", go]))
        model[2].register_full_backward_pre_hook(lambda m, go: (go[0] * 3,))
        model[2].register_full_backward_pre_hook(lambda m, go: log.append("first"), prepend=True)
        x = tensor(side, X, requires_grad=True)
        model(x).sum().backward()
        return [p.grad for p in model.parameters()] + [x.grad]

    same(scenario)


def test_several_inputs_and_outputs_arrive_together():
    def scenario(side, log):
        class Mix(side.Module):
            def forward(self, a, b, n):
                return a * b, a.sum() * n

        module = Mix()
        module.register_full_backward_hook(
            lambda m, gi, go: log.append([gi, go]) or (gi[0] * 2, gi[1], None))
        a, b = tensor(side, X, True), tensor(side, X[:1] + 1, True)
        y, z = module(a, b, 3)
        (y.sum() * 2 + z).backward()
        return [a.grad, b.grad]

    same(scenario)


def test_backward_hooks_are_differentiated_through():
    def scenario(side, log):
        model = layers(side)
        model[1].register_full_backward_hook(lambda m, gi, go: (gi[0] * gi[0],))
        model[1].register_full_backward_hook(lambda m, gi, go: log.append("called"))
        x = tensor(side, X, requires_grad=True)
        grad = ml.grad if side is nn else torch.autograd.grad
        (g,) = grad(model(x).sum(), x, create_graph=True)
        return grad((g**2).sum(), x)

    same(scenario)


def test_a_backward_hook_must_return_as_many():
    for side in (nn, torch.nn):
        model = layers(side)
        model[1].register_full_backward_hook(lambda m, gi, go: (gi[0], gi[0]))
        with pytest.raises(RuntimeError):
            model(tensor(side, X, True)).sum().backward()


def test_nothing_is_watched_without_recording():
    def scenario(side, log):
        model = layers(side)
        model.register_full_backward_hook(lambda m, gi, go: log.append("never"))
        with (ml if side is nn else torch).no_grad():
            y = model(tensor(side, X, True))
        log.append(y.requires_grad)
        return y

    same(scenario)
