"""Weight norm and spectral norm beside torch's parametrizations."""

import copy
import pickle

import numpy as np
import pytest
import torch
from against_torch import close
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils import parametrizations, parametrize
from twins import Twins

import minilearn as ml
from minilearn import nn, xp

LAYERS = {
    "Linear": ((3, 4), (2, 3)),
    "Conv1d": ((2, 3, 2), (2, 2, 4)),
    "Conv2d": ((2, 3, 2), (1, 2, 4, 3)),
    "ConvTranspose2d": ((2, 3, 2), (1, 2, 3, 3)),
}


def data(*shape):
    return np.random.default_rng(0).standard_normal(shape)


def normed(kind, layer, **options):
    """A layer under weight or spectral norm, here and in torch, with the same numbers."""
    pair = Twins(layer, *LAYERS[layer][0])
    getattr(nn, kind)(pair.ours, **options)
    getattr(parametrizations, kind)(pair.theirs, **options)
    return pair.take_weights()


@pytest.fixture
def slow_weight_norm(monkeypatch):
    """The formula in small steps: the second derivative of torch's own kernel is wrong (2.13)."""

    def formula(v, g, dim):
        others = [i for i in range(v.ndim) if i != dim or dim == -1]
        return v * (g / (v * v).sum(others, keepdim=dim != -1).sqrt())

    monkeypatch.setattr(torch, "_weight_norm", formula)


def weight_norm_agrees(name, dim, order):
    pair = normed("weight_norm", name, dim=dim)
    assert repr(pair.ours) == repr(pair.theirs)
    pair.agree(data(*LAYERS[name][1]), order=order)


@pytest.mark.parametrize("dim", [0, 1, None, -1])
@pytest.mark.parametrize("name", LAYERS)
def test_weight_norm(name, dim):
    weight_norm_agrees(name, dim, order=1)


@pytest.mark.parametrize("dim", [0, 1, None, -1])
@pytest.mark.parametrize("name", LAYERS)
def test_weight_norm_to_second_order(name, dim, slow_weight_norm):
    weight_norm_agrees(name, dim, order=2)


@settings(max_examples=20)
@given(st.sampled_from(list(LAYERS)), st.sampled_from([None, 0, 1, -1]), st.integers(1, 3))
def test_spectral_norm_iterates_in_training_only(name, dim, times):
    pair = normed("spectral_norm", name, dim=dim, n_power_iterations=times)
    assert repr(pair.ours) == repr(pair.theirs)
    x = data(*LAYERS[name][1])
    for _ in range(2):
        pair.agree(x)
    before = pair.ours.parametrizations.weight[0]._u.tolist()
    pair.train(False).agree(x)
    assert pair.ours.parametrizations.weight[0]._u.tolist() == before


def test_spectral_norm_of_a_bias_is_its_direction():
    pair = normed("spectral_norm", "Linear", name="bias")
    pair.agree(data(2, 3))
    assert np.isclose(np.linalg.norm(pair.ours.bias.detach().numpy()), 1)


def test_the_norm_is_one_after_some_iterations():
    layer = nn.spectral_norm(nn.Linear(20, 40), n_power_iterations=1000)
    assert np.isclose(np.linalg.norm(layer.weight.detach().numpy(), 2), 1, rtol=1e-3)
    plain = nn.Linear(3, 4)
    before = plain.weight.tolist()
    layer = nn.weight_norm(plain)
    assert layer is plain and np.allclose(layer.weight.tolist(), before, rtol=1e-6)


def test_two_passes_then_backward():
    """A GAN's critic is called on real and on fake images before its backward pass."""
    pair = normed("spectral_norm", "Linear")
    x = data(2, 3)
    ours = pair.ours(ml.tensor(x)).sum() - (pair.ours(ml.tensor(x + 1)) ** 2).sum()
    theirs = pair.theirs(torch.tensor(x)).sum() - (pair.theirs(torch.tensor(x + 1)) ** 2).sum()
    ours.backward()
    theirs.backward()
    got = xp.to_numpy(pair.ours.parametrizations.weight.original.grad.data)
    assert np.allclose(got, pair.theirs.parametrizations.weight.original.grad.numpy(), rtol=1e-10)


def test_assignment_and_removal_as_in_torch():
    value = data(4, 3)
    for kind in ("weight_norm", "spectral_norm"):
        for leave in (True, False):
            pair = normed(kind, "Linear").train(False)
            if not leave:
                pair.ours.weight = ml.tensor(value)
                pair.theirs.weight = torch.tensor(value)
            if kind == "weight_norm" and not leave:
                for module, remove in ((pair.ours, nn.parametrize.remove_parametrizations),
                                       (pair.theirs, parametrize.remove_parametrizations)):
                    with pytest.raises(ValueError):
                        remove(module, "weight", leave_parametrized=False)
                continue
            nn.parametrize.remove_parametrizations(pair.ours, "weight", leave)
            parametrize.remove_parametrizations(pair.theirs, "weight", leave)
            assert type(pair.ours) is nn.Linear and isinstance(pair.ours.weight, nn.Parameter)
            assert list(pair.ours.state_dict()) == list(pair.theirs.state_dict())
            assert np.allclose(pair.ours.weight.tolist(), pair.theirs.weight.tolist(), rtol=1e-12)
            pair.agree(data(2, 3))


class Double(nn.Module):
    """The simplest parametrization, with no way back."""

    def forward(self, x):
        return x * 2


def test_parametrizations_are_chained_and_removed():
    layer = nn.Linear(2, 2, bias=False)
    original, start = layer.weight, np.array(layer.weight.tolist())
    nn.parametrize.register_parametrization(layer, "weight", Double())
    nn.parametrize.register_parametrization(layer, "weight", Double())
    assert layer.parametrizations.weight.original is original
    assert np.allclose(layer.weight.tolist(), 4 * start)
    assert nn.parametrize.is_parametrized(layer, "weight")
    assert not nn.parametrize.is_parametrized(layer, "bias")
    layer(ml.tensor([[1.0, 2.0]])).sum().backward()
    assert original.grad.tolist() == [[4, 8], [4, 8]]
    with pytest.raises(RuntimeError, match="right_inverse"):
        layer.weight = original.detach()
    nn.parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    assert layer.weight is original and not nn.parametrize.is_parametrized(layer)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_of_parametrized_layers(duplicate):
    layer = nn.spectral_norm(nn.Conv2d(2, 3, 2)).eval()
    other = duplicate(layer)
    assert repr(other) == repr(layer) and isinstance(other, nn.Conv2d)
    # Not bit for bit: a product may round differently where the copy lies in memory.
    close(other.weight, layer.weight.detach().numpy(), rtol=1e-6)
    other.parametrizations.weight.original.data = layer.weight.data * 3
    assert other.weight.tolist() != layer.weight.tolist()


def test_wrong_use_is_refused_as_in_torch():
    for side, tools, norms in ((nn, nn.parametrize, nn), (torch.nn, parametrize, parametrizations)):
        with pytest.raises(ValueError):
            norms.weight_norm(side.Linear(2, 2), "wieght")
        with pytest.raises(ValueError):
            norms.spectral_norm(side.ReLU())
        with pytest.raises(IndexError):
            norms.spectral_norm(side.Linear(2, 2), dim=2)
        with pytest.raises(ValueError):
            norms.spectral_norm(side.Linear(2, 2), n_power_iterations=0)
        with pytest.raises(ValueError):
            tools.register_parametrization(side.Linear(2, 2), "wieght", side.ReLU())
        with pytest.raises(ValueError):
            tools.register_parametrization(side.Linear(2, 2), "weight", side.Flatten(0))
        with pytest.raises(ValueError):
            tools.remove_parametrizations(side.Linear(2, 2), "weight")
    with pytest.raises(IndexError):
        nn.weight_norm(nn.Linear(2, 2), dim=2)


def test_the_check_of_the_shape_leaves_no_trace():
    layer = nn.Linear(3, 3)
    norm = nn.BatchNorm1d(3)
    nn.parametrize.register_parametrization(layer, "weight", norm)
    assert norm.training and norm.num_batches_tracked.item() == 0
