"""Every optimizer walks torch's path, whatever its options, and refuses what torch refuses."""

import copy

import numpy as np
import pytest
import torch
from against_torch import both_raise, close, host
from hypothesis import given, settings
from hypothesis import strategies as st

import minilearn as ml
from minilearn import optim, xp

SHAPES = [(3, 2), (4,), (), (1, 3)]


def numbers(low, high):
    return st.floats(low, high).map(lambda x: float(f"{x:.3g}"))


rate, small, switch = numbers(0, 0.1), numbers(0, 0.5), st.booleans()
common = {"lr": rate, "weight_decay": small, "maximize": switch}
adam = common | {"betas": st.tuples(numbers(0, 0.99), numbers(0, 0.999)), "amsgrad": switch,
                 "eps": numbers(1e-8, 1e-2)}
OPTIONS = {
    "SGD": common | {"momentum": numbers(0, 1), "dampening": small},
    "Adam": adam | {"decoupled_weight_decay": switch},
    "AdamW": adam,
    "RMSprop": common | {"alpha": numbers(0, 1), "eps": numbers(1e-4, 1e-2), "momentum": small,
                         "centered": st.just(False)},
    "Adagrad": common | {"lr_decay": small, "initial_accumulator_value": small,
                         "eps": numbers(1e-10, 1e-2)},
}


class Pair:
    """The same parameters on both sides, with an optimizer each."""

    def __init__(self, name, options, groups=({},), dtype=np.float64, seed=0):
        self.rng, self.dtype, self.name = np.random.default_rng(seed), dtype, name
        arrays = [self.rng.standard_normal(s).astype(dtype) for s in SHAPES]
        self.ours = [ml.tensor(a, requires_grad=True) for a in arrays]
        self.theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
        self.groups, self.options = groups, options
        self.opts = self.optimizers()

    def optimizers(self):
        made = []
        for library, params in ((optim, self.ours), (torch.optim, self.theirs)):
            n = len(self.groups)
            groups = [{"params": params[i::n], **g} for i, g in enumerate(self.groups)]
            made.append(getattr(library, self.name)(groups, **self.options))
        return made

    def walk(self, steps, schedulers=(), every=1):
        for i in range(steps):
            for k, (mine, its) in enumerate(zip(self.ours, self.theirs, strict=True)):
                g = self.rng.standard_normal(mine.shape).astype(self.dtype)
                skip = k == 1 and i % 3 == 0  # a parameter without a gradient is left alone
                mine.grad, its.grad = (None, None) if skip else (ml.tensor(g), torch.tensor(g))
            for o in self.opts:
                o.step()
            if i % every == every - 1:
                for s in schedulers:
                    s.step()

    def same(self, rtol=1e-10):
        for mine, its in zip(self.ours, self.theirs, strict=True):
            assert isinstance(mine.data, xp.ARRAY)
            close(mine, its, rtol)


@pytest.mark.parametrize("name", OPTIONS)
@settings(max_examples=25)
@given(data=st.data())
def test_fifty_steps_are_torchs(name, data):
    options = data.draw(st.fixed_dictionaries(OPTIONS[name]))
    groups = data.draw(st.lists(st.fixed_dictionaries({}, optional=OPTIONS[name]), min_size=1,
                                max_size=3))
    for g in groups:
        g.pop("initial_accumulator_value", None)
    pair = Pair(name, options, groups)
    pair.walk(25)
    states = [copy.deepcopy(o.state_dict()) for o in pair.opts]
    assert states[0]["state"].keys() == states[1]["state"].keys()
    for i, entry in states[1]["state"].items():
        assert entry.keys() == states[0]["state"][i].keys()
        close([states[0]["state"][i][k] for k in entry], list(entry.values()), 1e-9)
    pair.opts = pair.optimizers()  # new ones go on where the old ones were
    for o, state in zip(pair.opts, states, strict=True):
        o.load_state_dict(state)
    pair.walk(25)
    pair.same(1e-9)


@settings(max_examples=15)
@given(st.fixed_dictionaries({"lr": rate, "momentum": numbers(0.1, 0.99), "weight_decay": small}))
def test_nesterov_is_torchs(options):
    pair = Pair("SGD", options | {"nesterov": True})
    pair.walk(20)
    pair.same()


@settings(max_examples=15)
@given(numbers(0, 0.9), numbers(0.5, 0.99))
def test_centered_rmsprop_is_torchs(momentum, alpha):
    # The variance estimate is a difference of near numbers; eps keeps its noise down.
    pair = Pair("RMSprop", {"centered": True, "momentum": momentum, "alpha": alpha, "eps": 1e-2})
    pair.walk(30)
    pair.same(1e-7)


@pytest.mark.parametrize("name", OPTIONS)
def test_float32_stays_float32(name):
    pair = Pair(name, {"lr": np.float64(0.01)}, dtype=np.float32)
    pair.walk(20)
    pair.same(1e-5)
    state = pair.opts[0].state_dict()["state"]
    assert all(host(t).dtype == np.float32 for entry in state.values() for t in entry.values())


def test_the_lessons_adam_decays_before_the_step():
    w, m, v, lr, wd = 2.0, 0.0, 0.0, 0.05, 1e-2
    p = ml.tensor(np.array(w), requires_grad=True)
    adam = optim.AdamW([p], lr=lr, betas=(0.9, 0.99), eps=1e-8, weight_decay=wd)
    for t, g in enumerate([1.0, -0.5, 0.25], start=1):
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
        w = w * (1 - lr * wd) - lr * m / (1 - 0.9**t) / ((v / (1 - 0.99**t)) ** 0.5 + 1e-8)
        p.grad = ml.tensor(np.array(g))
        adam.step()
        assert p.item() == pytest.approx(w, rel=1e-12)


@pytest.mark.parametrize("name", OPTIONS)
def test_resuming_is_exact(name):
    paths = []
    for stop in (None, 7):
        pair = Pair(name, {"lr": 0.05, "weight_decay": 0.1}, dtype=np.float32)
        pair.walk(7)
        if stop:
            saved = pair.opts[0].state_dict()
            pair.walk(0)
            pair.opts[0] = pair.optimizers()[0]
            pair.opts[0].load_state_dict(saved)
        pair.walk(7)
        paths.append([host(p) for p in pair.ours])
    assert all(np.array_equal(a, b) for a, b in zip(*paths, strict=True))


def test_a_state_dict_is_a_snapshot():
    pair = Pair("Adam", {})
    pair.walk(3)
    before = pair.opts[0].state_dict()
    copied = {i: {k: host(t).copy() for k, t in e.items()} for i, e in before["state"].items()}
    pair.walk(3)
    for i, entry in before["state"].items():
        assert all(np.array_equal(host(t), copied[i][k]) for k, t in entry.items())


def test_torchs_state_loads():
    pair = Pair("AdamW", {"lr": 0.03, "amsgrad": True})
    pair.walk(5)
    mine = pair.optimizers()[0]
    mine.load_state_dict(pair.opts[1].state_dict())
    pair.opts[0] = mine
    pair.walk(5)
    pair.same()


def test_loading_refuses_other_groups_and_shapes():
    pair = Pair("SGD", {"momentum": 0.9})
    pair.walk(1)
    saved = pair.opts[0].state_dict()
    fewer = optim.SGD(pair.ours[:2])
    with pytest.raises(ValueError, match=r"groups of \[2\] parameters, the saved one had \[4\]"):
        fewer.load_state_dict(saved)
    with pytest.raises(KeyError, match="the saved state has no"):
        fewer.load_state_dict({})
    turned = optim.SGD(pair.ours[::-1])
    with pytest.raises(ValueError, match="momentum_buffer has shape"):
        turned.load_state_dict(saved)


def test_the_parameters_array_is_replaced(on_numpy):
    x = ml.tensor([1.0, 2.0], requires_grad=True)
    before, array = x * x, x.data
    kept = array.copy()
    x.grad = ml.tensor([1.0, 1.0])
    optim.SGD([x], lr=0.5, momentum=0.9).step()
    assert x.data is not array and np.array_equal(array, kept)
    before.sum().backward()
    assert np.array_equal(host(x.grad), [1 + 2 * 0.5, 1 + 2 * 1.5])  # the rule reads x as it is now


def test_the_gradients_memory_is_not_kept():
    x = ml.tensor([1.0, 2.0], requires_grad=True)
    x.grad = ml.tensor([1.0, 1.0])
    sgd = optim.SGD([x], lr=0.1, momentum=0.9)
    sgd.step()
    x.grad.data[:] = 7
    assert np.array_equal(host(sgd.state_dict()["state"][0]["momentum_buffer"]), [1, 1])


def test_a_closure_computes_the_loss_even_without_recording():
    x = ml.tensor([3.0], requires_grad=True)
    sgd = optim.SGD([x], lr=0.1)

    def closure():
        sgd.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    with ml.no_grad():
        assert sgd.step(closure).item() == 9.0
    assert x.item() == pytest.approx(3 - 0.6)


def test_zero_grad():
    x = ml.tensor([1.0, 2.0], requires_grad=True)
    x.grad = ml.tensor([1.0, 1.0])
    sgd = optim.SGD([x])
    sgd.zero_grad(set_to_none=False)
    assert np.array_equal(host(x.grad), [0, 0])
    sgd.zero_grad()
    assert x.grad is None


def test_an_edited_rate_holds():
    x = ml.tensor([1.0], requires_grad=True)
    x.grad = ml.tensor([1.0])
    sgd = optim.SGD([x], lr=0.1)
    sgd.param_groups[0]["lr"] = 0.5
    sgd.step()
    assert x.item() == 0.5


def test_names_are_kept():
    x, y = (ml.tensor([1.0], requires_grad=True) for _ in range(2))
    sgd = optim.SGD([("x", x), ("y", y)])
    assert sgd.state_dict()["param_groups"][0]["param_names"] == ["x", "y"]
    with pytest.raises(ValueError, match="names"):
        optim.SGD([("x", x), y])
    with pytest.raises(ValueError, match="named"):
        sgd.add_param_group({"params": [ml.tensor([1.0])]})


def test_it_shows_its_groups():
    x = ml.tensor([1.0], requires_grad=True)
    assert str(optim.SGD([x], lr=0.5)).splitlines()[:3] == [
        "SGD (", "Parameter Group 0", "    dampening: 0"]


def test_infinities_arise_in_silence():
    for name in OPTIONS:
        x = ml.tensor(np.array([1e30, 1.0], np.float32), requires_grad=True)
        x.grad = ml.tensor(np.array([1e30, np.inf], np.float32))
        getattr(optim, name)([x], lr=1e20).step()


def leaf(library):
    return library.tensor([1.0, 2.0], requires_grad=True)


def build(library, name, args=(), kwargs=None, params=lambda lib: [leaf(lib)]):
    return lambda: getattr(library.optim, name)(params(library), *args, **(kwargs or {}))


BAD = [
    ("SGD", {"lr": -1.0}), ("SGD", {"momentum": -0.1}), ("SGD", {"weight_decay": -1e-9}),
    ("SGD", {"nesterov": True}), ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}),
    ("SGD", {"lr": "fast"}), ("SGD", {"lr": None}), ("SGD", {"rate": 0.1}),
    ("Adam", {"lr": -1.0}), ("Adam", {"lr": float("nan")}), ("Adam", {"eps": -1e-8}),
    ("Adam", {"weight_decay": -1.0}), ("Adam", {"betas": (1.0, 0.9)}),
    ("Adam", {"betas": (0.9, 1.0)}), ("Adam", {"betas": (-0.1, 0.9)}),
    ("Adam", {"betas": (0, 0.9)}), ("Adam", {"betas": 0.9}), ("Adam", {"betas": None}),
    ("AdamW", {"lr": -1.0}), ("AdamW", {"betas": (0.9, 1.1)}),
    ("AdamW", {"decoupled_weight_decay": False}),
    ("RMSprop", {"lr": -1.0}), ("RMSprop", {"alpha": -0.1}), ("RMSprop", {"eps": -1.0}),
    ("RMSprop", {"momentum": -1.0}), ("RMSprop", {"weight_decay": -1.0}),
    ("Adagrad", {"lr": -1.0}), ("Adagrad", {"lr_decay": -1.0}), ("Adagrad", {"eps": -1.0}),
    ("Adagrad", {"weight_decay": -1.0}), ("Adagrad", {"initial_accumulator_value": -1.0}),
]


@pytest.mark.parametrize(("name", "kwargs"), BAD, ids=str)
def test_bad_options_raise(name, kwargs):
    both_raise(build(ml, name, kwargs=kwargs), build(torch, name, kwargs=kwargs))


def twice(library):
    x = leaf(library)
    return [{"params": [x]}, {"params": [x]}]


PARAMS = {
    "a tensor": leaf, "nothing": lambda lib: [], "numbers": lambda lib: [1.0, 2.0],
    "a set": lambda lib: [{"params": {leaf(lib)}}], "twice": twice,
    "computed": lambda lib: [leaf(lib) * 2], "no params": lambda lib: [{"lr": 0.1}],
    "mixed": lambda lib: [leaf(lib), {"params": [leaf(lib)]}],
    "mixed the other way": lambda lib: [{"params": [leaf(lib)]}, leaf(lib)],
    "number": lambda lib: 3,
}


@pytest.mark.parametrize("case", PARAMS)
def test_bad_parameters_raise(case):
    if case != "no params":
        both_raise(build(ml, "SGD", params=PARAMS[case]), build(torch, "SGD", params=PARAMS[case]))
    else:
        with pytest.raises(KeyError, match="needs an entry 'params'"):
            build(ml, "SGD", params=PARAMS[case])()


POSITIONAL = {
    "SGD": (0.1, 0.9, 0.1, 0.01, False), "Adam": (0.1, (0.5, 0.6), 1e-3, 0.1, True),
    "AdamW": (0.1, (0.5, 0.6), 1e-3, 0.1, True), "Adagrad": (0.1, 0.2, 0.3, 0.4, 0.5),
    "RMSprop": (0.1, 0.2, 0.3, 0.4, 0.5, True),
}


def test_positional_arguments_are_torchs():
    for name, args in POSITIONAL.items():
        mine, its = (build(library, name, args)().param_groups[0] for library in (ml, torch))
        for key in mine.keys() - {"params"}:
            assert mine[key] == its[key], (name, key)
        defaults = [build(library, name)().defaults for library in (ml, torch)]
        assert all(defaults[0][key] == defaults[1][key] for key in defaults[0])


@pytest.mark.parametrize("library", ["array_api_strict", "torch:cpu"])
def test_other_array_libraries_give_the_same(library):
    def path(name):
        x = ml.tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True)
        o = getattr(optim, name)([x], lr=0.1, weight_decay=0.1)
        for i in range(5):
            x.grad = ml.tensor(np.array([1.0, -0.5, 0.1 * i]))
            optim.clip_grad_norm_([x], 1.0)
            o.step()
        fresh = getattr(optim, name)([x], lr=0.1, weight_decay=0.1)
        fresh.load_state_dict(o.state_dict())
        fresh.step()
        return host(x)

    before, expected = xp.library(), {name: path(name) for name in OPTIONS}
    try:
        xp.use(library)
        for name in OPTIONS:
            np.testing.assert_allclose(path(name), expected[name], rtol=1e-12)
    finally:
        xp.use(before)
