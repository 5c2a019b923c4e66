"""Initialisation: the distributions by their moments and bounds, and torch's numbers of gain."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minilearn as ml
from minilearn import nn, xp
from minilearn.nn import init

SHAPE = (40, 30, 5)  # fan_in 150, fan_out 200


def drawn(function, *args, shape=SHAPE, **kwargs):
    ml.manual_seed(3)
    parameter = nn.Parameter(np.zeros(shape, "float32"))
    assert function(parameter, *args, **kwargs) is parameter
    assert str(parameter.dtype) == "float32" and parameter.requires_grad
    return xp.to_numpy(parameter.data)


def test_uniform_fills_its_interval():
    values = drawn(init.uniform_, -1.0, 3.0)
    assert -1 <= values.min() < -0.99 and 2.99 < values.max() < 3
    assert abs(values.mean() - 1) < 0.05 and abs(values.std() - 4 / math.sqrt(12)) < 0.05


@pytest.mark.parametrize("name", ["uniform_", "normal_", "trunc_normal_", "xavier_uniform_",
                                  "kaiming_normal_", "orthogonal_"])
def test_nothing_is_drawn_into_integers(name):
    for library, kind in ((ml, init), (torch, torch.nn.init)):
        with pytest.raises((TypeError, NotImplementedError), match="floating|implemented"):
            getattr(kind, name)(library.zeros(2, 3, dtype=library.int64))


def test_what_init_refuses():
    for arguments in ((0.0, math.inf), (math.nan, 1.0)):
        with pytest.raises(RuntimeError, match="finite"):
            init.uniform_(ml.zeros(2), *arguments)
    for value in (None, (0.5,), "1"):
        with pytest.raises(TypeError, match="val must be a number"):
            init.constant_(ml.zeros(2), value)
    assert init.constant_(ml.zeros(2), ml.tensor(0.5)).tolist() == [0.5, 0.5]


def test_normal_has_its_moments():
    values = drawn(init.normal_, 2.0, 0.5)
    assert abs(values.mean() - 2) < 0.03 and abs(values.std() - 0.5) < 0.02


def test_truncated_normal_stays_inside():
    values = drawn(init.trunc_normal_, 0.5, 1.0, -1.0, 1.0)
    assert -1 <= values.min() and values.max() <= 1 and values.std() > 0.4
    assert (values > 0.9).mean() > 0.05  # cut, not clipped to the border
    assert (values == 1).mean() < 0.01


@pytest.mark.parametrize("std, a, b", [(1e30, -2.0, 2.0), (1e300, 0.0, 1.0), (5.0, 1.0, 2.0)])
def test_a_wide_bell_between_near_bounds_is_nearly_even(std, a, b):
    values = drawn(init.trunc_normal_, 0.0, std, a, b, shape=(4000,))
    assert a <= values.min() and values.max() <= b
    assert abs(values.mean() - (a + b) / 2) < 0.05 * (b - a)
    assert abs(values.std() - (b - a) / 12**0.5) < 0.05 * (b - a)


@pytest.mark.parametrize("end", [9.0, 1e300, math.inf])
def test_a_tail_of_the_bell_is_as_torchs(end):
    ours = drawn(init.trunc_normal_, 0.0, 1.0, 1.5, end, shape=(20000,))
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        theirs = torch.nn.init.trunc_normal_(torch.empty(20000), 0.0, 1.0, 1.5, 9.0).numpy()
    assert 1.5 <= ours.min() and abs(ours.mean() - theirs.mean()) < 0.02
    assert abs(ours.std() - theirs.std()) < 0.02


def test_constants_and_eye():
    assert (drawn(init.constant_, 0.25) == 0.25).all()
    assert (drawn(init.ones_) == 1).all() and (drawn(init.zeros_) == 0).all()
    assert (drawn(init.eye_, shape=(2, 3)) == np.eye(2, 3)).all()
    with pytest.raises(ValueError):
        drawn(init.eye_)


BOUNDS = {  # the standard deviation that each one promises for SHAPE
    "xavier_uniform_": ({"gain": 2.0}, 2 * math.sqrt(2 / 350)),
    "xavier_normal_": ({"gain": 2.0}, 2 * math.sqrt(2 / 350)),
    "kaiming_uniform_": ({}, math.sqrt(2 / 150)),
    "kaiming_normal_": ({}, math.sqrt(2 / 150)),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_scaled_draws_have_their_deviation(name):
    options, std = BOUNDS[name]
    values = drawn(getattr(init, name), **options)
    assert abs(values.std() / std - 1) < 0.04 and abs(values.mean()) < std / 20
    if "uniform" in name:
        assert 0.99 * math.sqrt(3) * std < abs(values).max() <= math.sqrt(3) * std


@pytest.mark.parametrize("options, std", [
    ({"mode": "fan_out"}, math.sqrt(2 / 200)),
    ({"a": math.sqrt(5)}, math.sqrt(1 / 3 / 150)),
    ({"nonlinearity": "linear"}, math.sqrt(1 / 150)),
    ({"nonlinearity": "tanh", "mode": "fan_out"}, 5 / 3 / math.sqrt(200)),
])
@pytest.mark.parametrize("name", ["kaiming_uniform_", "kaiming_normal_"])
def test_kaiming_options(name, options, std):
    assert abs(drawn(getattr(init, name), **options).std() / std - 1) < 0.04


@given(st.sampled_from(["linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]),
       st.one_of(st.none(), st.integers(0, 3), st.floats(0, 2)))
def test_gain_is_torchs(name, slope):
    want = torch.nn.init.calculate_gain(name, slope)
    assert math.isclose(init.calculate_gain(name, slope), want)


@given(st.lists(st.integers(1, 5), min_size=2, max_size=5))
def test_fans_are_torchs(shape):
    want = torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))
    assert init.fans(ml.Tensor(np.empty(shape))) == want


@pytest.mark.parametrize("shape", [(4, 4), (3, 7), (7, 3), (3, 2, 2), (2, 3, 5)])
def test_orthogonal_rows_or_columns(shape):
    values = drawn(init.orthogonal_, 2.0, shape=shape).reshape(shape[0], -1)
    short = values if values.shape[0] <= values.shape[1] else values.T
    assert np.allclose(short @ short.T, 4 * np.eye(len(short)), atol=1e-5)


WRONG = {
    "one dimension": (lambda i, t: i.kaiming_normal_(t((3,))), ValueError),
    "xavier of one dimension": (lambda i, t: i.xavier_uniform_(t((3,))), ValueError),
    "orthogonal of one dimension": (lambda i, t: i.orthogonal_(t((3,))), ValueError),
    "mode": (lambda i, t: i.kaiming_uniform_(t((3, 3)), mode="fan"), ValueError),
    "nonlinearity": (lambda i, t: i.calculate_gain("swish"), ValueError),
    "slope": (lambda i, t: i.calculate_gain("leaky_relu", "x"), ValueError),
    "slope that is a bool": (lambda i, t: i.calculate_gain("leaky_relu", True), ValueError),
    "negative std": (lambda i, t: i.normal_(t((3,)), 0.0, -1.0), RuntimeError),
    "empty interval": (lambda i, t: i.uniform_(t((3,)), 1.0, 0.0), RuntimeError),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_are_refused_as_in_torch(case):
    action, error = WRONG[case]
    for side, make in ((init, lambda s: ml.Tensor(np.zeros(s))), (torch.nn.init, torch.zeros)):
        with pytest.raises(error):
            action(side, make)


def test_one_seed_gives_the_same_weights_everywhere(array_library):
    def weights(dtype):
        ml.manual_seed(5)
        layers = [nn.Conv2d(2, 3, 2, dtype=dtype), nn.GRU(2, 3, dtype=dtype)]
        return [p.tolist() for layer in layers for p in layer.parameters()]

    want = weights("float32")
    for got, exact in zip(weights("float64"), want, strict=True):
        assert np.allclose(got, exact, rtol=1e-6)
    try:
        for name in ("array_api_strict", "torch:cpu"):
            ml.use(name)
            assert weights("float32") == want
    finally:
        ml.use(array_library)


def test_layers_start_within_torchs_bounds():
    for layer, fan in ((nn.Linear(50, 60), 50), (nn.Conv2d(6, 8, 3, groups=2), 27),
                       (nn.ConvTranspose2d(6, 8, 3, groups=2), 36), (nn.Conv1d(5, 60, 2), 10),
                       (nn.Bilinear(20, 4, 5), 20), (nn.LSTM(3, 25), 25), (nn.GRUCell(3, 25), 25)):
        for p in layer.parameters():
            values, bound = abs(xp.to_numpy(p.data)), 1 / math.sqrt(fan)
            assert values.max() <= bound
            assert values.size < 100 or (values.max() > 0.9 * bound and values.std() > 0.2 * bound)


def test_empty_layers_can_be_made():
    assert nn.Linear(0, 3).weight.shape == (3, 0)
    assert nn.Linear(3, 0)(ml.Tensor([[1.0] * 3])).shape == (1, 0)
    assert init.kaiming_normal_(ml.Tensor(np.zeros((0, 3)))).shape == (0, 3)


def test_icnr_starts_as_nearest_neighbours():
    weight = init.icnr_(nn.Parameter(np.zeros((8, 3, 1, 1), "float32")))
    values = xp.to_numpy(weight.data).reshape(2, 4, 3)
    assert (values == values[:, :1]).all() and values[0, 0].tolist() != values[1, 0].tolist()
    with pytest.raises(ValueError, match="groups"):
        init.icnr_(nn.Parameter(np.zeros((6, 3, 1, 1))))
