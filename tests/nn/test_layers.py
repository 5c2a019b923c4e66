"""Layers beside torch's: printing, keys, values, gradients, second derivatives, errors."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import both_refuse, built_alike, twins

import minilearn as ml
from minilearn import nn, xp


def data(*shape, seed=0, dtype="float64"):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


# ---------------------------------------------------------------- linear


@given(st.integers(1, 5), st.integers(1, 4), st.booleans(), st.lists(st.integers(0, 3), max_size=3))
def test_linear(i, o, bias, batch):
    built_alike("Linear", i, o, bias=bias).agree(data(*batch, i))


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.booleans(),
       st.lists(st.integers(1, 3), max_size=2))
def test_bilinear(a, b, o, bias, batch):
    built_alike("Bilinear", a, b, o, bias=bias).agree(data(*batch, a), data(*batch, b, seed=1))


@given(st.integers(2, 6), st.integers(1, 4), st.lists(st.integers(1, 3), max_size=2), st.data())
def test_embedding(n, width, shape, draw):
    padding = draw.draw(st.one_of(st.none(), st.integers(-n, n - 1)))
    index = np.random.default_rng(1).integers(0, n, shape)
    built_alike("Embedding", n, width, padding_idx=padding).agree(index)


def test_embedding_starts_with_a_zero_and_from_a_table():
    layer = nn.Embedding(4, 3, padding_idx=-1)
    assert layer.weight.tolist()[3] == [0, 0, 0] and layer.padding_idx == 3
    table = ml.tensor(data(2, 3))
    made = nn.Embedding.from_pretrained(table)
    assert made.weight.tolist() == table.tolist() and not made.weight.requires_grad
    assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad
    with pytest.raises(ValueError):
        nn.Embedding.from_pretrained(ml.tensor([1.0]))
    both_refuse("Embedding", 3, 2, padding_idx=3)
    both_refuse("Embedding", 3, 2, padding_idx=-4)
    both_refuse("Bilinear", 0, 2, 3)
    pair = twins("Embedding", 3, 2)
    pair.refuse(np.array([0, 3]))
    pair.refuse(np.array([0.5]))
    twins("Linear", 3, 2).refuse(data(2, 4))
    twins("Linear", 3, 2).refuse(data(2, 3, dtype="float32"))


# ---------------------------------------------------------------- convolution

conv_sizes = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 2))


@st.composite
def conv_cases(draw, dims):
    i, o, groups = draw(conv_sizes)
    each = st.one_of(st.integers(1, 3), st.tuples(*[st.integers(1, 3)] * dims))
    kernel, stride, dilation = draw(each), draw(each), draw(st.integers(1, 2))
    mode = draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"]))
    padding = draw(st.one_of(st.integers(0, 2), st.tuples(*[st.integers(0, 2)] * dims),
                             st.sampled_from(["same", "valid"])))
    stride = 1 if padding == "same" else stride
    size = [draw(st.integers(5, 7)) for _ in range(dims)]
    batch = draw(st.sampled_from([(), (1,), (2,)]))
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups,
                   "bias": draw(st.booleans()), "padding_mode": mode}
    return (i * groups, o * groups, kernel), options, data(*batch, i * groups, *size)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@settings(max_examples=25)
@given(conv_cases(1))
def test_conv1d(case):
    args, options, x = case
    built_alike("Conv1d", *args, **options).agree(x)


@pytest.mark.filterwarnings("ignore:Using padding='same'")  # torch copies, and says so
@settings(max_examples=25)
@given(conv_cases(2))
def test_conv2d(case):
    args, options, x = case
    built_alike("Conv2d", *args, **options).agree(x)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_conv_same_with_even_kernels(mode):
    """One more element on the right and below; each side its own number."""
    pair = twins("Conv2d", 1, 1, (4, 2), padding="same", dilation=(1, 3), padding_mode=mode)
    pair.agree(data(1, 5, 6))
    twins("Conv1d", 1, 1, 2, padding="same", padding_mode=mode).agree(data(2, 1, 4))


@settings(max_examples=15)
@given(conv_sizes, st.integers(1, 3), st.integers(1, 3), st.integers(0, 1), st.integers(0, 1),
       st.integers(1, 2), st.booleans(), st.sampled_from([1, 2]), st.booleans())
def test_conv_transpose(sizes, kernel, stride, padding, extra, dilation, bias, dims, batched):
    (i, o, groups), extra = sizes, extra if max(stride, dilation) > 1 else 0
    x = data(*([2] if batched else []), i * groups, *(4, 5)[:dims])
    pair = built_alike(
        f"ConvTranspose{dims}d", i * groups, o * groups, kernel, stride, padding, extra, groups,
        bias, dilation)
    pair.agree(x)


@pytest.mark.parametrize("output_size", [(9, 12), (10, 11), (2, 3, 10, 12), [9, 11]])
def test_conv_transpose_to_a_size(output_size):
    twins("ConvTranspose2d", 2, 3, 3, stride=2, padding=1).agree(
        data(2, 2, 5, 6), output_size=output_size)


def test_conv_refuses_what_torch_refuses():
    both_refuse("Conv2d", 3, 4, 3, groups=2, match="groups")
    both_refuse("Conv2d", 4, 3, 3, groups=2)
    both_refuse("Conv2d", 4, 4, 3, groups=0)
    both_refuse("Conv2d", 4, 4, 3, padding="sames")
    both_refuse("Conv2d", 4, 4, 3, padding="same", stride=2)
    both_refuse("Conv2d", 4, 4, 3, padding_mode="zero")
    both_refuse("ConvTranspose2d", 4, 4, 3, padding_mode="circular")
    with pytest.raises(TypeError):  # torch says so only when it is called
        nn.ConvTranspose2d(4, 4, 3, padding="same")
    pair = twins("ConvTranspose2d", 1, 1, 3, stride=2)
    for size in ((8, 9), (13, 11), (11,)):
        with pytest.raises((ValueError, RuntimeError)):
            pair.theirs(torch.zeros(1, 1, 5, 5, dtype=torch.float64), output_size=size)
        with pytest.raises(ValueError):
            pair.ours(ml.tensor(data(1, 1, 5, 5)), output_size=size)
    conv = twins("Conv2d", 2, 3, 3)
    for bad in (data(1, 3, 5, 5), data(5, 5), data(1, 2, 2, 5), data(1, 1, 2, 5, 5)):
        conv.refuse(bad)


# ---------------------------------------------------------------- normalisation

NORMS = {
    "BatchNorm1d": [(4, 3), (3, 3, 5)],
    "BatchNorm2d": [(2, 3, 4, 5)],
    "InstanceNorm1d": [(2, 3, 5), (3, 4)],
    "InstanceNorm2d": [(2, 3, 4, 5), (3, 4, 5)],
}


@pytest.mark.parametrize("name", NORMS)
@settings(max_examples=20)
@given(st.data())
def test_channel_norms_over_several_batches(name, draw):
    momentum = draw.draw(st.sampled_from([0.1, 0.5, 0.0] + [None] * name.startswith("Batch")))
    options = {"eps": draw.draw(st.sampled_from([1e-5, 0.1])), "momentum": momentum,
                   "affine": draw.draw(st.booleans()),
               "track_running_stats": draw.draw(st.booleans())}
    shape = draw.draw(st.sampled_from(NORMS[name]))
    pair = built_alike(name, 3, **options)
    for seed in range(2):
        pair.agree(data(*shape, seed=seed) * 2 + 1, order=2 if seed else 1)
    pair.train(False).agree(data(*shape, seed=9))
    pair.ours.reset_running_stats()
    pair.theirs.reset_running_stats()
    pair.buffers_agree()


def test_channel_norms_refuse():
    for name, bad in (("BatchNorm1d", (2, 3, 4, 5)), ("BatchNorm1d", (3,)), ("BatchNorm2d", (2, 3)),
                      ("BatchNorm2d", (3, 4, 5)), ("BatchNorm2d", (2, 4, 5, 5)),
                      ("BatchNorm1d", (1, 3)),
                      ("InstanceNorm2d", (2, 3)), ("InstanceNorm1d", (1, 2, 3, 4))):
        twins(name, 3).refuse(data(*bad))
    twins("InstanceNorm2d", 3, affine=True).refuse(data(2, 4, 5, 5))


@given(st.lists(st.integers(1, 4), min_size=1, max_size=2), st.lists(st.integers(1, 3), max_size=2),
       st.booleans(), st.booleans())
def test_layer_norm(shape, batch, affine, bias):
    pair = built_alike("LayerNorm", tuple(shape), eps=0.01, elementwise_affine=affine, bias=bias)
    pair.agree(data(*batch, *shape))


@given(st.sampled_from([(1, 4), (2, 4), (4, 4), (3, 6)]), st.lists(st.integers(1, 4), max_size=2),
       st.booleans())
def test_group_norm(sizes, space, affine):
    x = data(2, sizes[1], *space, 3)
    built_alike("GroupNorm", *sizes, eps=0.01, affine=affine).agree(x)


def test_layer_and_group_norms_refuse():
    both_refuse("GroupNorm", 2, 5)
    twins("GroupNorm", 2, 4).refuse(data(2, 6, 3))
    twins("LayerNorm", (4,)).refuse(data(2, 5))


# ---------------------------------------------------------------- pooling and images

POOLS = [
    ("MaxPool1d", (2,), {}, (2, 3, 7)),
    ("MaxPool1d", (3,), {"stride": 2, "padding": 1, "dilation": 2, "ceil_mode": True}, (3, 8)),
    ("MaxPool2d", (2,), {}, (2, 3, 6, 7)),
    ("MaxPool2d", ((3, 2),), {"stride": (2, 1), "padding": (1, 0), "ceil_mode": True}, (3, 8, 6)),
    ("MaxPool2d", (2,), {"return_indices": True}, (1, 2, 5, 4)),
    ("AvgPool1d", (3,), {}, (2, 3, 7)),
    ("AvgPool1d", (3,), {"stride": 2, "padding": 1, "ceil_mode": True,
                        "count_include_pad": False}, (3, 8)),
    ("AvgPool2d", ((2, 3),), {"stride": 2, "padding": 1, "ceil_mode": True}, (2, 3, 6, 7)),
    ("AvgPool2d", (2,), {"divisor_override": 3}, (3, 6, 7)),
    ("AdaptiveAvgPool1d", (3,), {}, (2, 3, 7)),
    ("AdaptiveAvgPool2d", ((3, None),), {}, (2, 3, 7, 5)),
    ("AdaptiveAvgPool2d", (1,), {}, (3, 7, 5)),
    ("AdaptiveMaxPool1d", (3,), {}, (2, 3, 7)),
    ("AdaptiveMaxPool2d", ((3, 2),), {"return_indices": True}, (2, 3, 7, 5)),
    ("PixelShuffle", (2,), {}, (2, 8, 3, 4)),
    ("PixelUnshuffle", (2,), {}, (2, 3, 4, 6)),
    ("Upsample", (), {"scale_factor": 2}, (1, 2, 3, 4)),
    ("Upsample", (), {"size": (5, 7), "mode": "bilinear", "align_corners": True}, (1, 2, 3, 4)),
    ("Upsample", (), {"scale_factor": (1.5, 2.0), "mode": "bilinear"}, (1, 2, 3, 4)),
    ("Upsample", (7,), {"mode": "linear"}, (1, 2, 3)),
    ("ReflectionPad1d", (2,), {}, (1, 2, 4)),
    ("ReflectionPad1d", ((1, 2),), {}, (2, 4)),
    ("ReflectionPad2d", ((1, 2, 0, 3),), {}, (2, 4, 5)),
    ("ReplicationPad1d", ((3, 1),), {}, (1, 2, 2)),
    ("ReplicationPad2d", (2,), {}, (1, 2, 2, 3)),
    ("ZeroPad1d", ((1, -1),), {}, (1, 2, 4)),
    ("ZeroPad2d", ((1, 2, -1, 0),), {}, (1, 2, 4, 3)),
    ("Unfold", ((2, 3),), {"dilation": 1, "padding": 1, "stride": 2}, (2, 3, 5, 6)),
    ("Fold", ((4, 5), (2, 3)), {}, (2, 6, 9)),
    ("Flatten", (1, 2), {}, (2, 3, 4, 5)),
    ("Unflatten", (1, (2, 3)), {}, (2, 6, 4)),
]


@pytest.mark.parametrize("name, args, options, shape", POOLS)
def test_pools_and_image_layers(name, args, options, shape):
    built_alike(name, *args, **options).agree(data(*shape))


@pytest.mark.parametrize("name, args, shape", [
    ("MaxPool2d", (3,), (1, 1, 2, 2)), ("MaxPool2d", (2,), (4,)), ("AvgPool1d", (3,), (1, 1, 2)),
    ("AdaptiveAvgPool2d", (3,), (4,)), ("PixelShuffle", (2,), (1, 3, 2, 2)),
    ("PixelUnshuffle", (2,), (1, 3, 3, 2)), ("ReflectionPad1d", (3,), (1, 2, 3)),
    ("ReflectionPad2d", (1,), (2, 3)), ("ReplicationPad2d", (1,), (2, 3)),
    ("Fold", ((4, 5), 2), (2, 7, 9)),
    ("Unfold", (3,), (1, 2, 2, 2)), ("Upsample", (), (1, 2, 3, 4)),
])
def test_pools_and_image_layers_refuse(name, args, shape):
    twins(name, *args).refuse(data(*shape))


def test_pads_and_pools_refuse_arguments():
    both_refuse("ReflectionPad2d")
    with pytest.raises(ValueError):
        nn.ZeroPad2d((1, 2, 3))
    with pytest.raises(TypeError):
        nn.MaxPool2d(2, ceil=True)


# ---------------------------------------------------------------- activations and dropout

ACTIVATIONS = [
    ("ReLU", {}), ("LeakyReLU", {}), ("LeakyReLU", {"negative_slope": 0.2}), ("ELU", {}),
    ("ELU", {"alpha": 0.5}), ("GELU", {}), ("GELU", {"approximate": "tanh"}), ("SiLU", {}),
    ("Softplus", {}), ("Softplus", {"beta": 2.0, "threshold": 1.0}), ("Sigmoid", {}), ("Tanh", {}),
    ("Softmax", {"dim": 1}), ("LogSoftmax", {"dim": -1}), ("Identity", {}),
    ("CELU", {"alpha": 0.5}), ("SELU", {}), ("Hardswish", {}), ("Mish", {}), ("Softsign", {}),
    ("Tanhshrink", {}), ("LogSigmoid", {}), ("Hardshrink", {"lambd": 0.3}), ("Softshrink", {}),
    ("Threshold", {"threshold": 0.1, "value": 20}), ("Hardtanh", {"max_val": 0.5}), ("ReLU6", {}),
    ("Softmin", {"dim": 0}), ("GLU", {}),
]


@pytest.mark.parametrize("name, options", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_activations(name, options, dtype):
    x = data(3, 4, dtype=dtype) * 2
    built_alike(name, **options).agree(x, reduction=8)


@pytest.mark.parametrize("options", [{}, {"num_parameters": 4, "init": 0.1}])
def test_prelu(options):
    built_alike("PReLU", **options).agree(data(3, 4), reduction=8)


def test_activations_refuse():
    twins("GELU", approximate="erf").refuse(data(2))
    twins("Softmax", dim=3).refuse(data(2))
    with pytest.raises(TypeError):
        nn.ReLU(inplace=True)


@pytest.mark.parametrize("name", ["Dropout", "Dropout1d", "Dropout2d"])
def test_dropout(name):
    shape = (3, 4, 5) if name == "Dropout1d" else (3, 4, 5, 6)
    x = data(*shape)
    for p in (0.0, 1.0):
        twins(name, p).agree(x)
    twins(name, 0.5).train(False).agree(x)
    y = xp.to_numpy(getattr(nn, name)(0.25)(ml.tensor(np.ones((200, 8, *shape[2:])))).data)
    assert set(np.unique(y)) == {0, 1 / 0.75} and abs((y == 0).mean() - 0.25) < 0.06
    if name != "Dropout":
        per_channel = y.reshape(200 * 8, -1)
        assert (per_channel == per_channel[:, :1]).all()
    both_refuse(name, 1.5)
    both_refuse(name, -0.1)


# ---------------------------------------------------------------- losses

REDUCTIONS = ["mean", "sum", "none"]
PAIRWISE = [
    ("MSELoss", {}), ("L1Loss", {}), ("SmoothL1Loss", {"beta": 0.5}), ("HuberLoss", {"delta": 0.3}),
    ("BCEWithLogitsLoss", {}), ("BCEWithLogitsLoss", {"pos_weight": np.array([1.0, 2.0, 3.0])}),
    ("BCEWithLogitsLoss", {"weight": np.array([1.0, 2.0, 3.0])}),
    ("KLDivLoss", {}), ("KLDivLoss", {"log_target": True}),
]


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")  # torch on its own definition
@pytest.mark.parametrize("name, options", PAIRWISE)
@pytest.mark.parametrize("reduction", [*REDUCTIONS, "batchmean"])
def test_losses_of_equal_shapes(name, options, reduction):
    if reduction == "batchmean" and name != "KLDivLoss":
        return both_losses_refuse(name, reduction)
    target = np.random.default_rng(1).random((4, 3))
    twins(name, reduction=reduction, **options).agree(data(4, 3), target)


def both_losses_refuse(name, reduction):
    x = ml.tensor(data(2))
    with pytest.raises(ValueError):
        getattr(nn, name)(reduction=reduction)(x, x)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_binary_cross_entropy(reduction):
    rng = np.random.default_rng(1)
    for weight in (None, rng.random(3)):
        twins("BCELoss", weight, reduction=reduction).agree(
            0.1 + 0.8 * rng.random((4, 3)), rng.random((4, 3)))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["CrossEntropyLoss", "NLLLoss"])
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 5), (3,)])
def test_losses_of_classes(name, reduction, shape):
    batch = shape[:1] + shape[2:] if len(shape) > 1 else ()
    target = np.random.default_rng(1).integers(0, 3, batch)
    for options in ({}, {"weight": np.array([1.0, 2.0, 3.0]), "ignore_index": 1}):
        smooth = {"label_smoothing": 0.1} if name == "CrossEntropyLoss" else {}
        twins(name, reduction=reduction, **options, **smooth).agree(data(*shape), target, order=2)


def test_cross_entropy_of_probabilities_and_cosine():
    p = np.random.default_rng(1).dirichlet(np.ones(3), 4)
    twins("CrossEntropyLoss").agree(data(4, 3), p)
    twins("CosineSimilarity", dim=-1, eps=0.1).agree(data(4, 3), data(4, 3, seed=1))


def test_losses_refuse():
    twins("CrossEntropyLoss").refuse(data(4, 3), np.array([0, 1, 2, 3]))
    twins("CrossEntropyLoss").refuse(data(4, 3), np.array([0, 1]))
    twins("NLLLoss").refuse(data(4, 3), np.zeros(4))
    for name in ("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss"):
        with pytest.raises(ValueError):  # torch warns and broadcasts
            getattr(nn, name)()(ml.tensor(data(4, 1)), ml.tensor(data(4)))
    with pytest.raises(TypeError):
        nn.MSELoss(size_average=False)
    assert [n for n, _ in nn.CrossEntropyLoss(ml.tensor([1.0])).named_buffers()] == ["weight"]
