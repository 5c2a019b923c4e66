"""Rare arguments of layers: how they print, what they refuse and how they say it."""

import copy
import re

import numpy as np
import pytest
import torch
import torch.nn.utils.parametrize as their_tools
from against_torch import agree, both_raise, close
from twins import both_refuse, built_alike, twins

import minilearn as ml
from minilearn import nn
from minilearn.errors import ShapeError
from minilearn.nn import parametrize as tools


def data(*shape, seed=0, dtype="float64"):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


# ---------------------------------------------------------------- printing


@pytest.mark.parametrize(("name", "args", "options"), [
    ("LeakyReLU", (0.3,), {}),
    ("ELU", (), {"alpha": 0.5}),
    ("GELU", ("tanh",), {}),
    ("Softplus", (2.0,), {"threshold": 5.0}),
    ("Softmax", (1,), {}),
    ("LogSoftmax", (-1,), {}),
    ("Flatten", (0, 2), {}),
    ("Unflatten", (1, (2, 3)), {}),
    ("PixelShuffle", (3,), {}),
    ("PixelUnshuffle", (2,), {}),
    ("Upsample", (), {"scale_factor": 2, "mode": "bilinear"}),
    ("Upsample", (), {"scale_factor": (2, 3)}),
    ("Upsample", (), {"size": (4, 5), "mode": "bicubic", "align_corners": True}),
    ("ZeroPad2d", ((1, 2, 0, 3),), {}),
    ("ReflectionPad1d", (2,), {}),
    ("Unfold", ((2, 3),), {"stride": 2}),
    ("Fold", ((4, 5), 2), {"padding": 1}),
    ("MaxPool1d", (3,), {"dilation": 2, "ceil_mode": True}),
    ("AvgPool1d", (3,), {"stride": 2}),
    ("AvgPool2d", ((3, 2),), {"padding": 1}),
    ("AdaptiveAvgPool2d", ((None, 3),), {}),
    ("AdaptiveMaxPool1d", (4,), {"return_indices": True}),
    ("Conv2d", (4, 6, (3, 2)), {"dilation": 2, "groups": 2, "padding_mode": "reflect"}),
    ("Conv1d", (4, 6, 3), {"padding": "same", "bias": False}),
    ("ConvTranspose2d", (4, 6, 3, 2), {"output_padding": 1, "dilation": 3}),
    ("Bilinear", (2, 3, 4), {"bias": False}),
    ("Embedding", (5, 3), {"padding_idx": -2}),
    ("LayerNorm", ((3, 2),), {"elementwise_affine": False}),
    ("RNNCell", (3, 2), {"bias": False}),
    ("GRUCell", (3, 2), {}),
    ("RNN", (3, 2), {"nonlinearity": "relu", "num_layers": 2}),
    ("GRU", (3, 2, 2), {"dropout": 0.5, "bidirectional": True}),
    ("LSTM", (3, 4), {"proj_size": 2, "batch_first": True, "bias": False}),
    ("Identity", (7,), {"ignored": True}),
])
def test_layers_print_as_torchs_do(name, args, options):
    built_alike(name, *args, **options)


def double(x):
    return x * 2


def test_our_own_layers_print_what_they_do():
    assert repr(nn.MergeLayer(dense=True)) == "MergeLayer(dense=True)"
    assert repr(nn.MergeLayer()) == "MergeLayer()"
    assert repr(nn.SigmoidRange(-1, 2)) == "SigmoidRange(low=-1, high=2)"
    assert repr(nn.Lambda(double)) == "Lambda(double)"


# ---------------------------------------------------------------- arguments refused


@pytest.mark.parametrize(("name", "args", "options", "match"), [
    ("Unflatten", (1, 2.5), {}, "unflattened_size must be a tuple of ints"),
    ("Dropout", (1.5,), {}, "Dropout: p must be between 0 and 1, got 1.5"),
    ("Dropout2d", (-0.1,), {}, "Dropout2d: p must be between 0 and 1"),
    ("GroupNorm", (3, 4), {}, "num_channels=4 must be divisible by num_groups=3"),
    ("Conv2d", (3, 4, 1), {"groups": 2}, "divisible by groups"),
    ("Conv2d", (4, 4, 1), {"groups": 0}, "groups must be positive"),
    ("Conv1d", (1, 1, 3), {"padding": "full"}, "'same' or 'valid'"),
    ("Conv1d", (1, 1, 3), {"padding": "same", "stride": 2}, "stride other than 1"),
    ("Conv2d", (1, 1, 3), {"padding_mode": "mirror"}, "zeros, reflect, replicate, circular"),
    ("ConvTranspose1d", (1, 1, 3), {"padding_mode": "reflect"}, "only padding_mode='zeros'"),
    ("MultiheadAttention", (6, 4), {}, "num_heads=4 must be positive and divide embed_dim=6"),
    ("RNN", (3, 2), {"nonlinearity": "gelu"}, "'tanh' or 'relu'"),
    ("LSTM", (3, 2), {"proj_size": 2}, "proj_size must be from 0 to hidden_size - 1"),
    ("GRU", (3, 0), {}, "hidden_size must be positive"),
    ("GRU", (3, 2.0), {}, "hidden_size must be an integer"),
    ("GRU", (3, 2, 0), {}, "num_layers must be positive"),
    ("GRU", (3, 2), {"dropout": 1.5}, "a number from 0 to 1"),
    ("GRU", (3, 2), {"batch_first": 1}, "batch_first must be True or False"),
])
def test_layers_refuse_what_torchs_refuse(name, args, options, match):
    both_refuse(name, *args, match=match, **options)


def test_a_lambda_needs_a_function_and_unflatten_a_dimension():
    with pytest.raises(TypeError, match="Unflatten: dim must be an int, got 1.5"):
        nn.Unflatten(1.5, (2, 3))
    with pytest.raises(TypeError, match="Lambda: expected a function, got int"):
        nn.Lambda(3)


def test_dropout_of_one_recurrent_layer_warns_as_in_torch():
    for library in (nn, torch.nn):
        with pytest.warns(UserWarning, match="dropout"):
            library.GRU(3, 2, dropout=0.5)


# ---------------------------------------------------------------- inputs refused


@pytest.mark.parametrize(("layer", "inputs", "match"), [
    (("RNNCell", 3, 2), (data(4, 3), data(5, 2)), "the state must have the shape (4, 2)"),
    (("GRUCell", 3, 2), (data(1, 4, 3),), "(N, input_size) or (input_size,)"),
    (("LSTMCell", 3, 2), (data(4, 2),), "(N, input_size)"),
    (("LSTMCell", 3, 2), (data(4, 3), (data(4, 2), data(4, 3))), "the shape (4, 2)"),
    (("LSTM", 3, 2), (data(5, 4, 2),), "must be input_size"),
    (("GRU", 3, 2), (data(5, 4, 3), data(1, 3, 2)), "[(1, 4, 2)]"),
    (("GRU", 3, 2), (data(1, 5, 4, 3),), "2D or 3D"),
    (("BatchNorm2d", 3), (data(2, 3, 4),), "expected 4D input"),
    (("BatchNorm1d", 3), (data(2, 3, 4, 5),), "expected 2D or 3D input"),
    (("InstanceNorm1d", 3), (data(2, 3, 4, 5),), "expected 2D or 3D input"),
    (("ReflectionPad2d", 1), (data(2, 3),), "3D or 4D"),
    (("PixelShuffle", 2), (data(1, 6, 2, 2),), "6 channels do not divide by 2 * 2"),
    (("PixelUnshuffle", 2), (data(1, 1, 3, 4),), "3 x 4 pixels do not divide by 2"),
    (("Unflatten", 1, (2, 3)), (data(2, 5),), "unflatten"),
])
def test_calls_refuse_what_torchs_refuse(layer, inputs, match):
    twins(*layer).refuse(*inputs, match=match)


def test_cells_need_tensors_for_their_state():
    with pytest.raises(TypeError, match="LSTMCell: hx must be 2 Tensor"):
        nn.LSTMCell(3, 2)(ml.zeros(4, 3), ml.zeros(4, 2))
    with pytest.raises(TypeError, match="GRU: hx must be 1 Tensor"):
        nn.GRU(3, 2)(ml.zeros(5, 4, 3), [0.0])


@pytest.mark.parametrize(("size", "match"), [
    ((5,), None), ((2, 3, 6), None), ((7,), "from 5 to 6"), ((4,), "from 5 to 6"),
    ((1, 5), "needs 1 or 3 numbers"),
])
def test_the_output_size_of_a_transposed_convolution(size, match):
    pair, x = twins("ConvTranspose1d", 2, 3, 3, stride=2, padding=1), data(2, 2, 3)
    if match:
        both_raise(lambda x: pair.ours(x, size), lambda x: pair.theirs(x, size), x, match=match)
    else:
        pair.agree(x, output_size=size)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize("padding", ["same", "valid", (1, 2)])
def test_convolutions_pad_in_every_mode(mode, padding):
    pair = twins("Conv2d", 2, 3, (2, 3), padding=padding, padding_mode=mode, dilation=(1, 2))
    pair.agree(data(2, 2, 5, 6))


# ---------------------------------------------------------------- attention


@pytest.mark.parametrize(("shapes", "masks", "match"), [
    (((3, 2, 4), (5, 2, 4), (5, 4)), {}, "all be 3D, or all 2D"),
    (((3, 2, 3), (5, 2, 4), (5, 2, 4)), {}, "last sizes must be 4, 4 and 4"),
    (((3, 2, 4), (5, 2, 4), (6, 2, 4)), {}, "equally long"),
    (((3, 2, 4), (5, 1, 4), (5, 1, 4)), {}, "all batches equally large"),
    (((3, 2, 4), (5, 2, 4), (5, 2, 4)), {"key_padding_mask": (5, 2)}, "must be (2, 5)"),
    (((3, 4), (5, 4), (5, 4)), {"key_padding_mask": (1, 5)}, "key_padding_mask must be (5,)"),
    (((3, 2, 4), (5, 2, 4), (5, 2, 4)), {"attn_mask": (5, 3)}, "(3, 5) or (4, 3, 5)"),
])
def test_attention_says_which_shape_is_wrong(shapes, masks, match):
    inputs = [data(*shape, seed=i) for i, shape in enumerate(shapes)]
    given = {name: np.zeros(shape, bool) for name, shape in masks.items()}
    pair = twins("MultiheadAttention", 4, 2)
    both_raise(pair.ours, pair.theirs, *inputs, match=match, **given)


def test_attention_refuses_masks_of_integers_and_a_hint_without_a_mask():
    pair, x = twins("MultiheadAttention", 4, 2), data(3, 2, 4)
    both_raise(pair.ours, pair.theirs, x, x, x, attn_mask=np.zeros((3, 3), "int64"),
               match="masks are bool or floating point, not int64")
    both_raise(pair.ours, pair.theirs, x, x, x, is_causal=True, match="hint about attn_mask")


# ---------------------------------------------------------------- first values


def test_initialisation_refuses_what_makes_no_sense():
    w = np.zeros((2, 3))
    ours, theirs = nn.init, torch.nn.init
    both_raise(ours.uniform_, theirs.uniform_, w, 2.0, 1.0, match="a <= b")
    both_raise(ours.normal_, theirs.normal_, w, 0.0, -1.0, match="std >= 0")
    both_raise(ours.eye_, theirs.eye_, np.zeros(3), match="only for matrices")
    both_raise(ours.xavier_normal_, theirs.xavier_normal_, np.zeros(3), match="2 dimensions")
    both_raise(ours.kaiming_normal_, theirs.kaiming_normal_, w, mode="fan", match="'fan_out'")
    both_raise(ours.calculate_gain, theirs.calculate_gain, "swish", match="unknown nonlinearity")
    both_raise(ours.calculate_gain, theirs.calculate_gain, "leaky_relu", "steep",
               match="not a number")
    both_raise(ours.orthogonal_, theirs.orthogonal_, np.zeros(3), match="at least 2 dimensions")
    for message, bad in (("a < b", {"a": 1.0, "b": 1.0}), ("std > 0", {"std": 0.0})):
        with pytest.raises(ValueError, match=message):
            ours.trunc_normal_(ml.zeros(2), **bad)
    with pytest.raises(ValueError, match="6 channels cannot be cut into groups of 4"):
        ours.icnr_(ml.zeros(6, 2))


def test_weights_without_elements_stay_as_they_are():
    for draw in (nn.init.orthogonal_, nn.init.kaiming_uniform_, nn.init.xavier_uniform_):
        empty = ml.zeros(0, 3)
        assert draw(empty) is empty and empty.shape == (0, 3)


# ---------------------------------------------------------------- the tree


def test_names_and_kinds_are_checked():
    pairs = []
    for library in (nn, torch.nn):
        module = library.Linear(2, 3)
        module.register_buffer("seen", None)
        pairs.append(module)
    for match, call in {
        "should be a string": lambda m, _: m.register_buffer(3, None),
        "cannot contain": lambda m, _: m.register_buffer("a.b", None),
        "or be empty": lambda m, _: m.add_module("", None),
        "already exists": lambda m, _: m.register_buffer("weight", None),
        "to parameter 'scale'": lambda m, x: m.register_parameter("scale", x),
        "to buffer 'scale'": lambda m, _: m.register_buffer("scale", 3),
        "float is not a Module": lambda m, _: m.add_module("next", 2.0),
        "one of the parameters": lambda m, x: setattr(m, "weight", x),
        "one of the buffers": lambda m, _: setattr(m, "seen", "no"),
        "no attribute 'gone'": lambda m, _: m.gone,
    }.items():
        with pytest.raises((AttributeError, KeyError, TypeError)) as theirs:
            call(pairs[1], torch.zeros(2))
        with pytest.raises(theirs.type, match=match):
            call(pairs[0], ml.zeros(2))


@pytest.mark.parametrize("fill", [lambda m, lib: setattr(m, "p", lib.nn.Parameter(lib.zeros(1))),
                                  lambda m, lib: m.register_buffer("b", lib.zeros(1)),
                                  lambda m, lib: setattr(m, "child", lib.nn.ReLU())])
def test_a_module_must_be_initialised_first(fill):
    for library in (ml, torch):
        forgetful = type("Forgetful", (library.nn.Module,), {"__init__": lambda self: None})
        with pytest.raises(AttributeError, match=re.escape("before Module.__init__()")):
            fill(forgetful(), library)


def test_to_takes_one_floating_dtype():
    layer = nn.Linear(2, 1)
    assert layer.to() is layer and str(layer.weight.dtype) == "float32"
    assert str(layer.to(dtype="float64").weight.dtype) == "float64"
    with pytest.raises(TypeError, match="two dtypes"):
        layer.to("float32", dtype="float64")
    with pytest.raises(TypeError, match="only floating-point dtypes"):
        layer.to("int64")
    with pytest.raises(ValueError, match=r"current library is .* call minilearn.use"):
        layer.to("mps")


def test_zero_grad_forgets_or_zeroes_and_skips_what_has_none():
    layer = nn.Linear(2, 3)
    layer.bias.requires_grad_(False)
    layer(ml.ones(1, 2)).sum().backward()
    layer.zero_grad(set_to_none=False)
    assert layer.weight.grad.tolist() == [[0, 0]] * 3 and layer.bias.grad is None
    layer.zero_grad()
    assert layer.weight.grad is None


# ---------------------------------------------------------------- containers


def test_sequential_inserts_as_torchs_does():
    for place in (-3, -1, 0, 2, 3):
        ours, theirs = (lib.Sequential(lib.ReLU(), lib.Tanh(), lib.Sigmoid())
                        for lib in (nn, torch.nn))
        assert ours.insert(place, nn.SiLU()) is ours
        theirs.insert(place, torch.nn.SiLU())
        if place >= 0:  # torch 2.x misplaces what is inserted before a negative index
            assert repr(ours) == repr(theirs)
        else:
            assert isinstance(ours[place - 1], nn.SiLU)
    both_raise(lambda: ours.insert(9, nn.ReLU()), lambda: theirs.insert(9, torch.nn.ReLU()),
               match="index 9 is out of range for 4 modules")


def test_containers_refuse_what_does_not_fit():
    ours, theirs = nn.Sequential(nn.ReLU()), torch.nn.Sequential(torch.nn.ReLU())
    both_raise(lambda: ours[1], lambda: theirs[1], match="out of range for 1 entries")
    both_raise(lambda: ours + [1], lambda: theirs + [1], match="only a Sequential")
    both_raise(lambda: ours.append(3), lambda: theirs.append(3), match="not a Module")
    both_raise(lambda: nn.ModuleList().extend(3), lambda: torch.nn.ModuleList().extend(3),
               match="expected an iterable")
    both_raise(lambda: nn.ModuleDict(3), lambda: torch.nn.ModuleDict(3), match="pairs, got int")
    with pytest.raises(AssertionError, match="should be of type Module"):
        ours.insert(0, "relu")
    with pytest.raises(TypeError, match="expected a Tensor or a Parameter, got str"):
        nn.ParameterList(["no"])


def test_a_dictionary_of_parameters_is_a_dictionary():
    for library in (ml, torch):
        table = library.nn.ParameterDict({"a": library.nn.Parameter(library.ones(2))})
        table["b"] = library.nn.Parameter(library.zeros(1))
        assert "a" in table and "c" not in table and len(table) == 2
        assert list(table) == list(table.keys()) == ["a", "b"]
        assert [k for k, _ in table.items()] == ["a", "b"] and len(list(table.values())) == 2
        assert table.pop("a").tolist() == [1, 1] and list(table) == ["b"]
        table.clear()
        assert len(table) == 0 and not list(table.parameters())


# ---------------------------------------------------------------- parametrizations


class Doubled(nn.Module):
    def forward(self, weight):
        return weight * 2


class Cut(nn.Module):
    def forward(self, weight):
        return weight[:1]


def test_parametrizations_are_checked():
    layer = nn.Linear(2, 3)
    register, remove = tools.register_parametrization, tools.remove_parametrizations
    with pytest.raises(ValueError, match=r"no parameter 'scale'; it has \['weight', 'bias'\]"):
        register(layer, "scale", Doubled())
    with pytest.raises(ShapeError, match="computed tensor differs.*unsafe=True"):
        register(layer, "weight", Cut())
    with pytest.raises(ValueError, match="no parametrization on 'weight'"):
        remove(layer, "weight")
    register(layer, "weight", Doubled())
    with pytest.raises(RuntimeError, match="Doubled has no right_inverse"):
        layer.weight = ml.zeros(3, 2)
    nn.weight_norm(layer, "bias")
    with pytest.raises(ValueError, match="needs one original tensor, 'bias' has 2"):
        remove(layer, "bias", leave_parametrized=False)
    both_raise(lambda: nn.weight_norm(nn.ReLU()),
               lambda: torch.nn.utils.parametrizations.weight_norm(torch.nn.ReLU()),
               match="ReLU has no parameter 'weight'")
    with pytest.raises(IndexError, match="no such dimension"):
        nn.weight_norm(nn.Linear(2, 3), dim=2)
    with pytest.raises(IndexError, match="no such dimension"):
        nn.spectral_norm(nn.Linear(2, 3), dim=-3)
    with pytest.raises(ValueError, match="at least one power iteration"):
        nn.spectral_norm(nn.Linear(2, 3), n_power_iterations=0)


def test_one_of_two_parametrizations_is_removed_and_the_other_stays():
    ours, theirs = nn.Linear(2, 3), torch.nn.Linear(2, 3)
    ours.load_state_dict(theirs.state_dict())
    twice = type("Twice", (torch.nn.Module,), {"forward": lambda self, w: w * 2})
    for name in ("weight", "bias"):
        tools.register_parametrization(ours, name, Doubled())
        their_tools.register_parametrization(theirs, name, twice())
    tools.remove_parametrizations(ours, "weight", leave_parametrized=False)
    their_tools.remove_parametrizations(theirs, "weight", leave_parametrized=False)
    assert tools.is_parametrized(ours, "bias") and not tools.is_parametrized(ours, "weight")
    for model in (ours, copy.deepcopy(ours)):
        assert set(model.state_dict()) == set(theirs.state_dict())
        close(model.weight, theirs.weight.detach())
        agree(model, theirs, data(4, 2, dtype="float32"), reduction=3)
    tools.remove_parametrizations(ours, "bias")
    assert type(ours) is nn.Linear and list(ours.state_dict()) == ["weight", "bias"]
