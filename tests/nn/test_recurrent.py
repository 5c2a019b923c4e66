"""RNN, GRU, LSTM and their cells beside torch's."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import both_refuse, built_alike, twins

import minilearn as ml
from minilearn import nn, xp
from minilearn.autograd import topological

KINDS = ["RNN", "GRU", "LSTM"]


def data(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


@st.composite
def recurrent_cases(draw):
    kind = draw(st.sampled_from(KINDS))
    i, h, t = draw(st.integers(1, 3)), draw(st.sampled_from([2, 3, 5])), draw(st.integers(1, 4))
    options = {
        "num_layers": draw(st.integers(1, 2)), "bias": draw(st.booleans()),
        "batch_first": draw(st.booleans()), "bidirectional": draw(st.booleans())}
    if kind == "RNN":
        options["nonlinearity"] = draw(st.sampled_from(["tanh", "relu"]))
    if kind == "LSTM":
        options["proj_size"] = draw(st.sampled_from([0, 1]))
    n = draw(st.sampled_from([None, 1, 3, 0]))
    batch = () if n is None else (n,)
    x = data(*((*batch, t, i) if options["batch_first"] else (t, *batch, i)))
    count = options["num_layers"] * (1 + options["bidirectional"])
    sizes = [options.get("proj_size") or h, h][: 1 + (kind == "LSTM")]
    state = [data(count, *batch, size, seed=k + 1) for k, size in enumerate(sizes)]
    given_state = draw(st.booleans())
    state = tuple(state) if kind == "LSTM" else state[0]
    return kind, (i, h), options, (x, state) if given_state else (x,)


@settings(max_examples=40)
@given(recurrent_cases())
def test_layers(case):
    kind, sizes, options, inputs = case
    built_alike(kind, *sizes, **options).agree(*inputs)


LONG = [("RNN", {"nonlinearity": "tanh"}), ("RNN", {"nonlinearity": "relu", "bias": False}),
        ("GRU", {"bidirectional": True}), ("GRU", {"bias": False}), ("LSTM", {"num_layers": 2}),
        ("LSTM", {"proj_size": 3, "batch_first": True})]


@pytest.mark.parametrize("kind, options", LONG)
def test_long_sequences(kind, options):
    x = data(5, 90, 3) if "batch_first" in options else data(90, 5, 3)
    built_alike(kind, 3, 7, **options).agree(x, order=1)


@pytest.mark.parametrize("kind, options", LONG)
def test_second_order_of_a_longer_sequence(kind, options):
    layers = options.get("num_layers", 1) * (1 + options.get("bidirectional", False))
    states = [data(layers, 2, options.get("proj_size", 5), seed=1), data(layers, 2, 5, seed=2)]
    x = data(2, 17, 3) if "batch_first" in options else data(17, 2, 3)
    built_alike(kind, 3, 5, **options).agree(x, tuple(states) if kind == "LSTM" else states[0])


@pytest.mark.parametrize("kind", KINDS)
def test_saturated_gates_make_no_nan(kind):
    x = data(6, 2, 3) * 1e4
    twins(kind, 3, 4).agree(x, order=1)
    twins(kind, 3, 4, dtype="float32").agree(x.astype("float32"), order=1, reduction=1e4)


@pytest.mark.parametrize("kind", KINDS)
def test_some_weights_may_be_frozen(kind):
    layer, x = getattr(nn, kind)(3, 4).double(), ml.tensor(data(5, 2, 3))
    layer(x)[0].sum().backward()
    want = layer.weight_ih_l0.grad
    layer.zero_grad()
    layer.weight_hh_l0.requires_grad = layer.bias_hh_l0.requires_grad = False
    layer(x)[0].sum().backward()
    assert layer.weight_hh_l0.grad is None
    assert np.allclose(layer.weight_ih_l0.grad.data, want.data, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_the_tape_does_not_grow_with_the_sequence(kind):
    layer = getattr(nn, kind)(3, 4, 2, bidirectional=True)
    nodes = [len(topological([layer(ml.randn(t, 2, 3))[0].node])[0]) for t in (1, 50)]
    assert nodes[0] == nodes[1] < 100


@settings(max_examples=20)
@given(st.sampled_from(KINDS), st.integers(1, 3), st.integers(1, 3), st.booleans(), st.booleans(),
       st.sampled_from([(), (2,)]), st.sampled_from(["tanh", "relu"]))
def test_cells(kind, i, h, bias, with_state, batch, nonlinearity):
    options = {"nonlinearity": nonlinearity} if kind == "RNN" else {}
    state = tuple(data(*batch, h, seed=k) for k in (1, 2)) if kind == "LSTM" else data(*batch, h)
    inputs = (data(*batch, i), state) if with_state else (data(*batch, i),)
    built_alike(f"{kind}Cell", i, h, bias, **options).agree(*inputs)


@pytest.mark.parametrize("kind", KINDS)
def test_float32_stays_float32(kind):
    x = data(4, 2, 3).astype("float32")
    twins(kind, 3, 5, num_layers=2, dtype="float32").agree(x, reduction=64)


def test_dropout_acts_between_layers_in_training_only():
    pair = twins("GRU", 3, 4, num_layers=2, dropout=1.0)  # p = 1 leaves nothing to chance
    pair.agree(data(5, 2, 3))
    built_alike("GRU", 3, 4, num_layers=3, dropout=0.5).train(False).agree(data(5, 2, 3))
    layer, x = nn.LSTM(3, 4, num_layers=2, dropout=0.5), ml.tensor(data(5, 2, 3).astype("float32"))
    y = [xp.to_numpy(layer(x)[0].data) for _ in range(2)]
    assert not np.allclose(*y)


def test_useless_dropout_warns_as_in_torch():
    for side in (nn, torch.nn):
        with pytest.warns(UserWarning, match="dropout"):
            side.GRU(2, 3, dropout=0.5)


@pytest.mark.parametrize("options", [
    {"dropout": 1.5}, {"dropout": -0.1}, {"dropout": True}, {"num_layers": 0}, {"proj_size": -1},
    {"proj_size": 3}, {"proj_sise": 1}])
def test_lstm_refuses_arguments(options):
    both_refuse("LSTM", 2, 3, **options)


def test_others_refuse_arguments():
    both_refuse("GRU", 2, 3, proj_size=1)
    both_refuse("RNN", 2, 3, nonlinearity="sigmoid")
    both_refuse("GRU", 2, 0)
    both_refuse("GRU", 2, 3.0)


@pytest.mark.parametrize("bad", [
    (data(3),), (data(2, 3, 4, 2),), (data(3, 4),), (data(5, 2, 3),), (data(0, 2, 2),),
    (data(3, 4, 2), data(2, 4, 3)), (data(3, 4, 2), data(1, 3, 3)), (data(3, 4, 2), data(1, 4, 2)),
    (data(3, 4, 2), data(1, 3)), (data(3, 2), data(1, 1, 3)),
    (data(3, 4, 2).astype("float32"),), (data(3, 4, 2), data(1, 4, 3).astype("float32"))])
def test_gru_refuses_shapes(bad):
    twins("GRU", 2, 3).refuse(*bad)


@pytest.mark.parametrize("bad", [
    (data(3, 4, 2), (data(1, 4, 3), data(1, 4, 2))), (data(3, 4, 2), (data(1, 4, 3), data(4, 3))),
    (data(3, 4, 2), data(1, 4, 3)),
    (data(3, 4, 2), (data(1, 4, 3).astype("float32"), data(1, 4, 3)))])
def test_lstm_refuses_states(bad):
    twins("LSTM", 2, 3).refuse(*bad)


def test_lstm_takes_a_narrower_cell_and_no_wider_one():
    x, h, c = data(3, 4, 2), data(1, 4, 3), data(1, 4, 3)
    twins("LSTM", 2, 3).agree(x, (h, c.astype("float32")), rtol=1e-6)
    twins("LSTM", 2, 3, dtype="float32").refuse(
        x.astype("float32"), (h.astype("float32"), c))


@pytest.mark.parametrize("kind, bad", [
    ("GRUCell", (data(4, 3),)), ("GRUCell", (data(1, 4, 2),)),
    ("GRUCell", (data(4, 2), data(3, 3))),
    ("GRUCell", (data(4, 2), data(4, 2))), ("LSTMCell", (data(4, 2), (data(4, 3), data(3, 3)))),
    ("RNNCell", (data(2), data(1, 1, 3)))])
def test_cells_refuse_shapes(kind, bad):
    twins(kind, 2, 3).refuse(*bad)


def test_a_layer_is_its_cell_repeated():
    ml.manual_seed(0)
    layer, cell = nn.GRU(2, 3).double(), nn.GRUCell(2, 3).double()
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    x, h = ml.tensor(data(4, 2, 2)), None
    for t in range(4):
        h = cell(x[t], h)
    got, want = xp.to_numpy(layer(x)[1].data), xp.to_numpy(h.data)
    assert np.allclose(got[0], want, rtol=1e-12)


def test_no_warning_without_reason():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.GRU(2, 3, num_layers=2, dropout=0.5)
