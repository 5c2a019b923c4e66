"""Rare arguments of optimizers and schedulers: groups, names, saved states, explicit epochs."""

import numpy as np
import pytest
import torch
from against_torch import both_raise, close

import minilearn as ml
from minilearn import optim
from minilearn.optim import lr_scheduler

pytestmark = pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step",
                                        "ignore:The epoch parameter in")


def leaves(*sizes):
    return [[make(np.ones(n), requires_grad=True) for n in sizes]
            for make in (ml.tensor, torch.tensor)]


def sgd(lr=0.1, sizes=(2,)):
    return [library.SGD(params, lr=lr)
            for library, params in zip((optim, torch.optim), leaves(*sizes), strict=True)]


# ---------------------------------------------------------------- groups


@pytest.mark.parametrize(("params", "match"), [
    (lambda p: p[0], "must be a list of tensors or of dicts; got one tensor"),
    (lambda p: [], "the list of parameters is empty"),
    (lambda p: [p[0], p[0], p[1]], None),
    (lambda p: [{"params": p}, {"params": p[:1]}], "appear more than once"),
    (lambda p: [{"params": p}, p], "must be a dict"),
    (lambda p: [{"lr": 0.1}], "needs an entry 'params'"),
    (lambda p: [{"params": set(p)}], "a set is not; pass a list"),
    (lambda p: [3.0], "params[0] must be a Tensor; got float"),
    (lambda p: [p[0], p[1] * 2], "params[1] of shape (3,) was computed"),
    (lambda p: [("a", p[0]), p[1]], "either all parameters have names, or none"),
    (lambda p: [{"params": [("a", p[0])]}, {"params": p[1:]}], "all groups have named parameters"),
])
def test_parameters_are_checked(params, match):
    ours, theirs = leaves(2, 3)
    if match is None:  # torch only warns of a tensor that comes twice in one group
        with pytest.raises(ValueError, match="a parameter belongs to one group, once"):
            optim.SGD(params(ours), lr=0.1)
        return
    both_raise(lambda: optim.SGD(params(ours), lr=0.1),
               lambda: torch.optim.SGD(params(theirs), lr=0.1), match=match)


def test_the_names_of_parameters_are_saved_and_loaded():
    for library, params in zip((optim, torch.optim), leaves(2, 3), strict=True):
        made = library.Adam([("w", params[0]), ("b", params[1])])
        assert made.param_groups[0]["param_names"] == ["w", "b"]
        assert made.state_dict()["param_groups"][0]["param_names"] == ["w", "b"]
        renamed = library.Adam([("x", params[0]), ("y", params[1])])
        renamed.load_state_dict(made.state_dict())
        assert renamed.param_groups[0]["param_names"] == ["w", "b"]


@pytest.mark.parametrize(("change", "match"), [
    (lambda s: s.pop("state"), "the saved state has no ['state']"),
    (lambda s: s["param_groups"].append({"params": [7]}), "groups of [2] parameters"),
    (lambda s: s["param_groups"][0].update(params=[0]), "the saved one had [1]"),
    (lambda s: s["state"].update({9: {}}), "unknown parameters [9]"),
    (lambda s: s["state"][1].update(exp_avg=ml.zeros(2)), "exp_avg has shape (2,), its parameter"),
])
def test_a_saved_state_is_checked(change, match):
    params = leaves(2, 3)[0]
    optimizer = optim.Adam(params)
    sum(p.sum() for p in params).backward()
    optimizer.step()
    state = optimizer.state_dict()
    change(state)
    before = {p: dict(entry) for p, entry in optimizer.state.items()}
    with pytest.raises((KeyError, ValueError)) as error:
        optimizer.load_state_dict(state)
    assert match in str(error.value).replace("\\'", "'")
    assert {p: dict(entry) for p, entry in optimizer.state.items()} == before


def test_gradients_are_zeroed_or_forgotten():
    for optimizer in sgd():
        (p,) = optimizer.param_groups[0]["params"]
        p.sum().backward()
        optimizer.zero_grad(set_to_none=False)
        assert p.grad.tolist() == [0, 0]
        optimizer.zero_grad()
        assert p.grad is None


def test_a_closure_computes_the_gradients_also_without_recording():
    results = []
    for library, optimizer in zip((ml, torch), sgd(), strict=True):
        (p,) = optimizer.param_groups[0]["params"]

        def closure(p=p, optimizer=optimizer):
            optimizer.zero_grad()
            loss = (p * p).sum()
            loss.backward()
            return loss

        with library.no_grad():
            loss = optimizer.step(closure)
        results.append((p.detach(), loss.detach()))
    close(*results)


def test_clipping_without_gradients_and_with_bad_ones():
    for library, params in zip((ml, torch), leaves(2, 3), strict=True):
        clip = (optim if library is ml else torch.nn.utils).clip_grad_norm_
        assert clip(params, 1.0).item() == 0
        params[0].grad = params[0].detach() * float("inf")
        with pytest.raises(RuntimeError, match="order 2.0"):
            clip(params, 1.0, error_if_nonfinite=True)
        used_up = (p for p in ())
        with pytest.warns(UserWarning):
            clip(used_up, 1.0)


# ---------------------------------------------------------------- schedulers


@pytest.mark.parametrize("T_mult", [1, 2, 3])
def test_warm_restarts_go_to_any_epoch(T_mult):
    ours, theirs = sgd()
    mine = lr_scheduler.CosineAnnealingWarmRestarts(ours, 4, T_mult)
    its = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(theirs, 4, T_mult)
    for epoch in (0.25, 1.5, 3.75, 4, 4.5, 11.25, None, None, 2.5, 40, None):
        mine.step(epoch)
        its.step(epoch)
        assert ours.param_groups[0]["lr"] == pytest.approx(theirs.param_groups[0]["lr"], abs=1e-12)
        assert mine.last_epoch == its.last_epoch
    both_raise(lambda: mine.step(-1), lambda: its.step(-1), match="epoch must be 0 or more")


BAD = {
    "restarts": ("CosineAnnealingWarmRestarts", {"T_0": 0}, "T_0 must be a whole number above 0"),
    "factor": ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 1.5}, "T_mult must be a whole"),
    "eta_min": ("CosineAnnealingWarmRestarts", {"T_0": 2, "eta_min": "0"}, "must be a number"),
    "length": ("OneCycleLR", {"max_lr": 1.0}, "give total_steps, or epochs and steps_per_epoch"),
    "epochs": ("OneCycleLR", {"max_lr": 1.0, "epochs": 0, "steps_per_epoch": 2}, "epochs must be"),
    "start": ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "pct_start": 2.0}, "in [0, 1]"),
    "anneal": ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "anneal_strategy": "exp"},
               "'cos' or 'linear'"),
    "mode": ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "mode": "square"}, "pass a scale_fn"),
    "rates": ("CyclicLR", {"base_lr": [0.1, 0.2], "max_lr": 1.0}, "base_lr"),
}


@pytest.mark.parametrize("case", BAD)
def test_schedulers_refuse_what_torchs_refuse(case):
    name, options, match = BAD[case]
    ours, theirs = sgd()
    both_raise(lambda: getattr(lr_scheduler, name)(ours, **options),
               lambda: getattr(torch.optim.lr_scheduler, name)(theirs, **options), match=match)


def test_a_momentum_is_cycled_only_where_there_is_one():
    for library, params in zip((optim, torch.optim), leaves(2), strict=True):
        with pytest.raises(ValueError, match="momentum"):
            library.lr_scheduler.CyclicLR(library.Adagrad(params), 0.1, 1.0)


def test_combined_schedulers_are_checked():
    pairs = []
    for library, own, other in zip((optim, torch.optim), sgd(), sgd(), strict=True):
        pairs.append((library.lr_scheduler, own, other))

    def chained(side, make):
        schedulers, own, other = pairs[side]
        return lambda: schedulers.ChainedScheduler(make(schedulers, own, other))

    for match, make in {
        "needs at least one scheduler": lambda s, own, other: [],
        "schedulers[0] is a ReduceLROnPlateau": lambda s, own, _: [s.ReduceLROnPlateau(own)],
        "schedulers[1] belongs to another optimizer": lambda s, own, other: [
            s.StepLR(own, 2), s.StepLR(other, 2)],
    }.items():
        both_raise(chained(0, make), chained(1, make), match=match)
    with pytest.raises(TypeError, match=r"schedulers\[1\] must be a scheduler; got str"):
        chained(0, lambda s, own, _: [s.StepLR(own, 2), "step"])()


@pytest.mark.parametrize(("name", "arguments"), [
    ("StepLR", {"step_size": 0}), ("CosineAnnealingLR", {"T_max": 0}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 0, "cycle_momentum": False}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 5, "div_factor": 0, "cycle_momentum": False}),
])
def test_a_schedule_that_would_divide_by_zero_is_refused_at_once(name, arguments):
    zero = next(what for what, value in arguments.items() if value == 0)
    with pytest.raises(ValueError, match=f"{name}: {zero} must not be 0"):
        getattr(lr_scheduler, name)(sgd()[0], **arguments)
    with pytest.raises(ZeroDivisionError):  # torch's comes from within, and for some only later
        optimizer = sgd()[1]
        schedule = getattr(torch.optim.lr_scheduler, name)(optimizer, **arguments)
        optimizer.step()
        schedule.step()


def test_a_scheduler_of_ones_own_says_what_to_multiply_by():
    class Halved(lr_scheduler.LRScheduler):
        def multiplier(self, epoch):
            return 0.5 if epoch else 1.0

    optimizer = sgd(0.8)[0]
    scheduler = Halved(optimizer)
    for wanted in (0.4, 0.2):
        scheduler.step()
        assert scheduler.get_last_lr() == [wanted] == [optimizer.param_groups[0]["lr"]]
    with pytest.raises(NotImplementedError):
        lr_scheduler.LRScheduler(optimizer)
