"""Schedulers set torch's rates (and momenta) at every step; bad arguments raise as in torch."""

import copy

import numpy as np
import pytest
import torch
from against_torch import both_raise
from hypothesis import given, settings
from hypothesis import strategies as st

import minilearn as ml
from minilearn.optim import lr_scheduler, one_cycle, schedules

pytestmark = pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")

counts = st.integers(1, 12)
unit = st.floats(0.1, 1.0)
STRATEGIES = {
    "StepLR": {"step_size": counts, "gamma": unit},
    "MultiStepLR": {"milestones": st.lists(st.integers(1, 30), max_size=4), "gamma": unit},
    "ConstantLR": {"factor": unit, "total_iters": counts},
    "LinearLR": {"start_factor": unit, "end_factor": st.floats(0, 1), "total_iters": counts},
    "ExponentialLR": {"gamma": unit},
    "PolynomialLR": {"total_iters": counts, "power": st.floats(0.5, 3)},
    "CosineAnnealingLR": {"T_max": counts, "eta_min": st.floats(0, 0.01)},
    "CosineAnnealingWarmRestarts": {"T_0": counts, "T_mult": st.integers(1, 3),
                                    "eta_min": st.floats(0, 0.01)},
    "LambdaLR": {"lr_lambda": st.sampled_from([lambda e: 0.9**e, lambda e: 1 / (1 + e)])},
    "MultiplicativeLR": {"lr_lambda": st.sampled_from([lambda e: 0.9, lambda e: 1 / (1 + e)])},
    "CyclicLR": {"base_lr": st.floats(0.001, 0.01), "max_lr": st.floats(0.02, 0.1),
                 "step_size_up": counts, "step_size_down": st.none() | counts,
                 "mode": st.sampled_from(["triangular", "triangular2", "exp_range"]),
                 "gamma": st.floats(0.9, 1), "cycle_momentum": st.booleans(),
                 "scale_fn": st.none() | st.just(lambda x: 1 / (1 + x)),
                 "scale_mode": st.sampled_from(["cycle", "iterations"])},
}
one_cycles = st.fixed_dictionaries({
    "max_lr": st.floats(0.01, 1), "total_steps": st.integers(20, 40),
    "pct_start": st.floats(0.1, 0.45),
    "anneal_strategy": st.sampled_from(["cos", "linear"]), "cycle_momentum": st.booleans(),
    "div_factor": st.floats(1, 30), "final_div_factor": st.floats(1, 1e5),
    "three_phase": st.booleans(), "base_momentum": st.floats(0.5, 0.85),
})
simple = [name for name in STRATEGIES if name not in ("CyclicLR",)]


def optimizers(name="SGD", lrs=(0.1, 0.02)):
    made = []
    for library in (ml, torch):
        groups = [{"params": [library.tensor([1.0], requires_grad=True)], "lr": lr} for lr in lrs]
        made.append(getattr(library.optim, name)(groups))
    return made


def read(optimizer):
    groups = optimizer.param_groups
    momenta = [g.get("momentum", g.get("betas", (0,))[:1]) for g in groups]
    return [g["lr"] for g in groups], momenta


def follow(schedulers, pair, steps):
    """Step both sides; at each step rates and momenta agree."""
    for step in range(steps):
        for mine, its in zip(read(pair[0]), read(pair[1]), strict=True):
            mine, its = (np.array(side, float).ravel() for side in (mine, its))
            np.testing.assert_allclose(mine, its, 1e-10, 1e-15, err_msg=f"at step {step}")
        assert schedulers[0].get_last_lr() == [g["lr"] for g in pair[0].param_groups]
        for s in schedulers:
            s.step()


def build(library, optimizer, name, kwargs):
    return getattr(library.optim.lr_scheduler, name)(optimizer, **kwargs)


def sides(name, pair, kwargs):
    return [build(lib, o, name, kwargs) for lib, o in zip((ml, torch), pair, strict=True)]


@pytest.mark.parametrize("name", STRATEGIES)
@settings(max_examples=25)
@given(data=st.data(), kind=st.sampled_from(["SGD", "AdamW"]))
def test_rates_are_torchs(name, data, kind):
    kwargs = data.draw(st.fixed_dictionaries({}, optional=STRATEGIES[name]) if name == "ConstantLR"
                       else st.fixed_dictionaries(STRATEGIES[name]))
    pair = optimizers(kind)
    both = sides(name, pair, kwargs)
    follow(both, pair, 15)
    new = optimizers(kind)
    resumed = sides(name, new, kwargs)
    for old, fresh, o, n in zip(both, resumed, pair, new, strict=True):
        fresh.load_state_dict(copy.deepcopy(old.state_dict()))
        n.load_state_dict(o.state_dict())
    follow(resumed, new, 15)


@settings(max_examples=40)
@given(one_cycles, st.sampled_from(["SGD", "Adam"]))
def test_one_cycle_is_torchs(kwargs, kind):
    pair = optimizers(kind)
    both = sides("OneCycleLR", pair, kwargs)
    follow(both, pair, kwargs["total_steps"])
    for s in both:
        with pytest.raises(ValueError):
            s.step()


def test_one_cycle_per_group_and_by_epochs():
    kwargs = {"max_lr": [0.1, 0.5], "epochs": 3, "steps_per_epoch": 5, "base_momentum": [0.8, 0.7]}
    pair = optimizers()
    both = sides("OneCycleLR", pair, kwargs)
    follow(both, pair, 15)


RESUMED = [name for name in simple if name != "CosineAnnealingWarmRestarts"]


@pytest.mark.parametrize("name", RESUMED)
@settings(max_examples=10)
@given(data=st.data(), last_epoch=st.integers(0, 6))
def test_going_on_from_a_last_epoch(name, data, last_epoch):
    kwargs = data.draw(st.fixed_dictionaries(STRATEGIES[name])) | {"last_epoch": last_epoch}
    pair = optimizers()
    for o in pair:
        for g in o.param_groups:
            g["initial_lr"] = 0.3
    both = sides(name, pair, kwargs)
    follow(both, pair, 8)


@settings(max_examples=40)
@given(data=st.data(), names=st.lists(st.sampled_from(simple), min_size=2, max_size=4))
def test_sequential_is_torchs(data, names):
    kwargs = [data.draw(st.fixed_dictionaries(STRATEGIES[n])) for n in names]
    gaps = data.draw(st.lists(st.integers(1, 8), min_size=len(names) - 1, max_size=len(names) - 1))
    milestones = [int(m) for m in np.cumsum(gaps)]
    pair = optimizers()
    both = []
    for library, o in zip((ml, torch), pair, strict=True):
        inner = [build(library, o, n, k) for n, k in zip(names, kwargs, strict=True)]
        both.append(library.optim.lr_scheduler.SequentialLR(o, inner, milestones))
    follow(both, pair, sum(gaps) + 12)


@settings(max_examples=20)
@given(data=st.data(), names=st.lists(st.sampled_from(simple[:6]), min_size=1, max_size=3))
def test_chained_is_torchs(data, names):
    kwargs = [data.draw(st.fixed_dictionaries(STRATEGIES[n])) for n in names]
    pair = optimizers()
    both = []
    for library, o in zip((ml, torch), pair, strict=True):
        inner = [build(library, o, n, k) for n, k in zip(names, kwargs, strict=True)]
        both.append(library.optim.lr_scheduler.ChainedScheduler(inner))
    follow(both, pair, 15)


def test_combined_states_resume():
    def make():
        optimizer = optimizers()[0]
        inner = [lr_scheduler.LinearLR(optimizer, total_iters=4),
                 lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 3, 2)]
        return optimizer, lr_scheduler.SequentialLR(optimizer, inner, [5])

    optimizer, whole = make()
    for _ in range(8):
        whole.step()
    other, resumed = make()
    resumed.load_state_dict(copy.deepcopy(whole.state_dict()))
    other.load_state_dict(optimizer.state_dict())
    for _ in range(8):
        whole.step()
        resumed.step()
        assert read(optimizer) == read(other)


@settings(max_examples=40)
@given(st.lists(st.floats(0.1, 2), min_size=20, max_size=40), st.fixed_dictionaries({
    "mode": st.sampled_from(["min", "max"]), "factor": st.floats(0.1, 0.9),
    "patience": st.integers(0, 3), "threshold": st.floats(0, 0.2),
    "threshold_mode": st.sampled_from(["rel", "abs"]),
    "cooldown": st.integers(0, 3), "min_lr": st.sampled_from([0, 0.01, [0.05, 0.001]]),
    "eps": st.sampled_from([1e-8, 0.03])}))
def test_plateau_is_torchs(metrics, kwargs):
    pair = optimizers()
    both = sides("ReduceLROnPlateau", pair, kwargs)
    for metric in metrics:
        both[0].step(ml.tensor(np.array(metric)))
        both[1].step(metric)
        assert read(pair[0]) == read(pair[1])
        assert both[0].num_bad_epochs == both[1].num_bad_epochs


BAD = [
    ("LambdaLR", {"lr_lambda": [lambda e: 1.0]}), ("MultiplicativeLR", {"lr_lambda": 3}),
    ("ConstantLR", {"factor": 1.5}), ("ConstantLR", {"factor": -0.1}),
    ("LinearLR", {"start_factor": 0.0}), ("LinearLR", {"start_factor": 2.0}),
    ("LinearLR", {"end_factor": -0.1}), ("LinearLR", {"end_factor": 1.1}),
    ("StepLR", {}), ("StepLR", {"step_size": 2, "last_epoch": 3}),
    ("CosineAnnealingWarmRestarts", {"T_0": 0}), ("CosineAnnealingWarmRestarts", {"T_0": 1.5}),
    ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 0}),
    ("CosineAnnealingWarmRestarts", {"T_0": 2, "eta_min": "low"}),
    ("OneCycleLR", {"max_lr": 1.0}), ("OneCycleLR", {"max_lr": 1.0, "total_steps": 0}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 2.5}),
    ("OneCycleLR", {"max_lr": 1.0, "epochs": 2}),
    ("OneCycleLR", {"max_lr": 1.0, "epochs": 2, "steps_per_epoch": -1}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "pct_start": 1.2}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "pct_start": 1}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "anneal_strategy": "cosine"}),
    ("OneCycleLR", {"max_lr": [1.0], "total_steps": 9}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "mode": "square"}),
    ("CyclicLR", {"base_lr": [0.1], "max_lr": 1.0}),
    ("ReduceLROnPlateau", {"factor": 1.0}), ("ReduceLROnPlateau", {"mode": "low"}),
    ("ReduceLROnPlateau", {"threshold_mode": "most"}), ("ReduceLROnPlateau", {"min_lr": [0.1]}),
    ("SequentialLR", {"schedulers": [], "milestones": []}),
    ("SequentialLR", {"schedulers": [1, 2], "milestones": [3]}),
]


@pytest.mark.parametrize(("name", "kwargs"), BAD,
                         ids=[f"{name}-{i}" for i, (name, _) in enumerate(BAD)])
def test_bad_arguments_raise(name, kwargs):
    pair = optimizers()
    both_raise(lambda: build(ml, pair[0], name, kwargs),
               lambda: build(torch, pair[1], name, kwargs))


NEEDED = {
    "StepLR": [1], "MultiStepLR": [[1]], "ExponentialLR": [0.9], "LambdaLR": [abs],
    "MultiplicativeLR": [abs], "CosineAnnealingLR": [3], "CyclicLR": [0.1, 1.0],
    "CosineAnnealingWarmRestarts": [3], "OneCycleLR": [0.1, 10], "SequentialLR": [[1], []],
}


@pytest.mark.parametrize("name", sorted({*lr_scheduler.__all__} - {"ChainedScheduler"}))
def test_only_optimizers_are_scheduled(name):
    with pytest.raises(TypeError):
        getattr(lr_scheduler, name)("no optimizer", *NEEDED.get(name, []))


def test_one_cycle_needs_a_momentum():
    pair = optimizers("Adagrad")
    kwargs = {"max_lr": 1.0, "total_steps": 5}
    both_raise(lambda: build(ml, pair[0], "OneCycleLR", kwargs),
               lambda: build(torch, pair[1], "OneCycleLR", kwargs))


def combined_errors(library, optimizer, other):
    s = library.optim.lr_scheduler
    step = s.StepLR(optimizer, 2)
    return [lambda: s.SequentialLR(optimizer, [step, step], []),
            lambda: s.SequentialLR(other, [step], []),
            lambda: s.ChainedScheduler([]),
            lambda: s.ChainedScheduler([step, s.StepLR(other, 2)]),
            lambda: s.SequentialLR(optimizer, [s.ReduceLROnPlateau(optimizer), step], [1])]


def test_combined_schedulers_are_checked():
    cases = (combined_errors(*a) for a in zip((ml, torch), optimizers(), optimizers(), strict=True))
    for mine, its in zip(*cases, strict=True):
        both_raise(mine, its)


# ---------------------------------------------------------------- functions of position


def fastai_one_cycle(total, top, div, pct, moms):
    """fast.ai's two Schedulers, stepped at the end of each batch as its callback does."""
    turn = int(total * pct)
    phases = [(top / div, top, *moms, max(turn, 1)),
              (top, top / (div * 1e4), *moms[::-1], max(total - turn, 1))]
    at, n = 0, 0
    values = [(top / div, moms[0])]
    for _ in range(total):
        start, end, m0, m1, length = phases[at]
        n += 1
        wave = np.cos(np.pi * n / length) + 1
        values.append((end + (start - end) / 2 * wave, m1 + (m0 - m1) / 2 * wave))
        if n >= length:
            at, n = min(at + 1, 1), 0 if at == 0 else n
    return values


@settings(max_examples=40)
@given(st.integers(2, 60), st.floats(0.001, 1), st.floats(2, 50), st.floats(0.0, 0.9))
def test_one_cycle_is_the_lessons(total, top, div, pct):
    want = fastai_one_cycle(total, top, div, pct, (0.95, 0.85))
    length = max(int(total * pct), 1) + max(total - int(total * pct), 1)
    for step in range(min(total, length) + 1):
        got = one_cycle(step, total, top, div=div, pct_start=pct)
        np.testing.assert_allclose(got, want[step], rtol=1e-12, err_msg=f"step {step} of {total}")


def test_one_cycle_refuses_steps_outside():
    for step in (-1, 11):
        with pytest.raises(ValueError, match="step must be from 0 to total=10"):
            one_cycle(step, 10, 1.0)


@settings(max_examples=30)
@given(st.floats(0.1, 2), st.floats(0.1, 2), st.floats(0, 1))
def test_annealings_join_start_and_end(start, end, t):
    smooth = (schedules.linear, schedules.cosine, schedules.exponential, schedules.polynomial(2))
    for f in smooth:
        assert f(start, end, 0) == pytest.approx(start)
        assert f(start, end, 1) == pytest.approx(end)
        assert min(start, end) - 1e-9 <= f(start, end, t) <= max(start, end) + 1e-9
    assert schedules.constant(start, end, t) == start
    assert schedules.exponential(start, end, 0.5) == pytest.approx((start * end) ** 0.5)
    assert schedules.polynomial(1)(start, end, t) == pytest.approx(schedules.linear(start, end, t))
    assert schedules.polynomial(3)(1.0, 0.0, 0.5) == 0.125


def test_flat_cosine():
    values = [schedules.flat_cosine(step, 100, 2.0) for step in (0, 72, 86, 100)]
    np.testing.assert_allclose(values, [2.0, 2.0, 1.0, 0.0], atol=1e-12)


@pytest.mark.parametrize("name, kwargs, match", [
    ("ConstantLR", {"factor": 0.0, "total_iters": 3}, "factor must not be 0"),
    ("PolynomialLR", {"total_iters": 3, "power": -1.0}, "power must not be negative")])
def test_a_way_back_from_nothing_is_a_sentence(name, kwargs, match):
    """torch divides by zero, too, on arriving at the epoch; before that, both have the rates."""
    pair = optimizers()
    ours, theirs = sides(name, pair, kwargs)
    for _ in range(2):
        ours.step()
        theirs.step()
        np.testing.assert_allclose(read(pair[0])[0], read(pair[1])[0], rtol=1e-12)
    with pytest.raises(ValueError, match=match):
        ours.step()
    with pytest.raises(ZeroDivisionError):
        theirs.step()


@pytest.mark.parametrize("milestones", [2, [2, None]])
def test_milestones_are_epochs(milestones):
    with pytest.raises(TypeError, match="list of epochs"):
        lr_scheduler.MultiStepLR(optimizers()[0], milestones)
