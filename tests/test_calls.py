"""Lines of code as people write them for torch, run as they are under both libraries.

Each line of `calls/*.txt` must have the same outcome: the value of its last expression, or an
error. They pin what properties pass over: the order of arguments and their names, what kind of
thing comes back, what is printed, what is refused.
"""

import copy
import math
import pickle
import warnings
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from against_torch import close

import minilearn as ml
from minilearn import nn, optim

REFUSALS = (ValueError, TypeError, IndexError, RuntimeError, KeyError, AttributeError,
            NotImplementedError, AssertionError)
NAMES = {
    ml: {
        "nn": nn, "F": nn.functional, "optim": optim, "sched": optim.lr_scheduler, "grad": ml.grad,
        "P": nn.parametrize, "wn": nn.weight_norm, "sn": nn.spectral_norm,
        "clipn": optim.clip_grad_norm_, "clipv": optim.clip_grad_value_},
    torch: {
        "nn": torch.nn, "F": torch.nn.functional, "optim": torch.optim,
        "sched": torch.optim.lr_scheduler, "grad": torch.autograd.grad,
        "P": torch.nn.utils.parametrize, "wn": torch.nn.utils.parametrizations.weight_norm,
        "sn": torch.nn.utils.parametrizations.spectral_norm,
        "clipn": torch.nn.utils.clip_grad_norm_, "clipv": torch.nn.utils.clip_grad_value_},
}


def names_for(library):
    """What a line may use: the library as `torch`, its parts, and a few helpers.

    T makes a tensor, seed fills a module; x and y are parameters, mk makes an optimizer of them,
    and go takes 25 steps and returns the parameters and all rates and momenta on the way.
    """
    rng = np.random.default_rng(0)

    def T(*shape, dt="float64", g=False):
        draws = {"f": rng.standard_normal, "i": lambda s: rng.integers(-4, 9, s),
                 "b": lambda s: rng.random(s) > 0.5}
        return library.tensor(np.asarray(draws[dt[0]](shape)).astype(dt), requires_grad=g)

    def seed(module):
        with library.no_grad():
            for p in module.parameters():
                p.copy_(T(*p.shape, dt=str(p.dtype).rpartition(".")[2]))
        return module

    x = library.tensor([1.0, 2.0, -1.0], dtype=library.float64, requires_grad=True)
    y = library.tensor([[0.5, 1.0]], dtype=library.float64, requires_grad=True)

    def loss():
        return (x**4).sum() + (x.sin() * x).sum() + y.exp().sum()

    def go(optimizer, scheduler=None, steps=25, metric=None):
        path = []
        for i in range(steps):
            optimizer.zero_grad()
            loss().backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step(*([metric(i)] if metric else []))
            path += [[g["lr"], g.get("momentum", 0), *g.get("betas", ())]
                     for g in optimizer.param_groups]
        return x.detach(), y.detach(), path

    return NAMES[library] | {
        "torch": library, "T": T, "seed": seed, "x": x, "y": y, "loss": loss, "go": go,
        "mk": lambda kind, *args, **options: kind([x, y], *args, **options), "np": np,
        "math": math, "copy": copy, "pickle": pickle, "OrderedDict": OrderedDict}


def outcome(line, library):
    """Run a line; return the value of its last statement, or the error."""
    *statements, last = line.split("; ")
    names = names_for(library)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if library is torch else "error")
        try:
            exec("\n".join(statements), names)
            return eval(last, names)
        except REFUSALS as error:
            return error


def alike(got, want):
    """Assert that two outcomes are the same."""
    assert isinstance(got, Exception) == isinstance(want, Exception), f"{got!r}; torch: {want!r}"
    if isinstance(want, Exception):
        assert len(str(got)) > 10 or isinstance(got, KeyError), f"the message is short: {got!r}"
    elif isinstance(want, dict):
        assert list(got) == list(want)
        alike(list(got.values()), list(want.values()))
    elif isinstance(want, tuple | list):
        # torch's own kinds of tuples (sizes, results by name) are tuples here as well.
        assert isinstance(got, list if isinstance(want, list) else tuple) and len(got) == len(want)
        for g, w in zip(got, want, strict=True):
            alike(g, w)
    elif isinstance(want, torch.Tensor):
        close(got, want, reduction=32)
        flags = [(t.requires_grad, t.is_leaf) for t in (got, want)]
        assert flags[0] == flags[1], f"requires_grad, is_leaf: {flags[0]}; torch: {flags[1]}"
        kinds = isinstance(got, nn.Parameter), isinstance(want, torch.nn.Parameter)
        assert kinds[0] == kinds[1]
    elif isinstance(want, torch.dtype):
        assert f"torch.{got}" == str(want)
    elif isinstance(want, torch.nn.Module):
        assert type(got).__name__ == type(want).__name__
    elif isinstance(want, float):
        assert got == want or math.isclose(got, want, rel_tol=1e-7) or got != got and want != want
    elif isinstance(want, np.ndarray):
        assert got.dtype == want.dtype and np.array_equal(got, want)
    elif isinstance(want, bool | int | str | type(None)):
        assert got == want


LINES = [pytest.param(line, id=f"{path.stem}: {line}")
         for path in sorted((Path(__file__).parent / "calls").glob("*.txt"))
         for line in path.read_text(encoding="utf-8").splitlines() if line]


@pytest.mark.parametrize("line", LINES)
def test_call(line):
    alike(outcome(line, ml), outcome(line, torch))


def test_a_difference_would_be_seen():
    for got, want in [(ml.ones(2), torch.zeros(2)), (ml.ones(2), torch.ones(3)), (3, 4), ("a", "b"),
                      (ValueError("a sentence"), 1), ([1], (1,)), (ml.float32, torch.float64),
                      (ml.ones(2, requires_grad=True), torch.ones(2))]:
        with pytest.raises(AssertionError):
            alike(got, want)
