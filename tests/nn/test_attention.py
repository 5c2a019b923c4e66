"""MultiheadAttention beside torch's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.attention import SDPBackend, sdpa_kernel
from twins import both_refuse, built_alike, twins

import minilearn as ml
from minilearn import nn, xp


def data(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


@st.composite
def attention_cases(draw):
    heads, width = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    e, l, s = heads * width, draw(st.integers(1, 3)), draw(st.integers(1, 3))
    kdim, vdim = draw(st.sampled_from([(None, None), (e, e), (e, 2), (5, None)]))
    options = {"bias": draw(st.booleans()), "kdim": kdim, "vdim": vdim,
               "add_bias_kv": draw(st.booleans()), "add_zero_attn": draw(st.booleans()),
               "batch_first": draw(st.booleans())}
    n = draw(st.sampled_from([None, 2]))
    inputs = []
    for seed, (length, size) in enumerate([(l, e), (s, kdim or e), (s, vdim or e)]):
        shape = (length, size) if n is None else (
            (n, length, size) if options["batch_first"] else (length, n, size))
        inputs.append(data(*shape, seed=seed))
    return (e, heads), options, inputs, draw(call_options(n, heads, l, s))


def call_options(n, heads, l, s):
    """Masks that leave at least one key to each query, and what to return."""
    rng = np.random.default_rng(5)
    mask = rng.random((l, s)) < 0.4
    mask[:, 0] = False
    each = rng.random(((n or 1) * heads, l, s)) < 0.4
    each[..., 0] = False
    padding = np.zeros((s,) if n is None else (n, s), bool)
    padding[..., -1] = s > 1
    added = {"attn_mask": data(l, s), "key_padding_mask": np.where(padding, -np.inf, 0.0)}
    masks = [{}, {"attn_mask": mask}, {"attn_mask": each}, {"key_padding_mask": padding},
             {"attn_mask": mask, "key_padding_mask": padding}, added]
    wanted = [{}, {"average_attn_weights": False}, {"need_weights": False}]
    return st.builds(lambda m, w: m | w, st.sampled_from(masks), st.sampled_from(wanted))


@settings(max_examples=50)
@given(attention_cases())
def test_attention(case):
    sizes, options, inputs, call = case
    pair = twins("MultiheadAttention", *sizes, **options)
    with sdpa_kernel(SDPBackend.MATH):  # torch differentiates only this kernel twice
        pair.agree(*inputs, **call)


@pytest.mark.parametrize("options", [{}, {"add_zero_attn": True, "add_bias_kv": True}])
def test_a_mask_for_each_head(options):
    mask = np.random.default_rng(0).random((3 * 2, 4, 5)) < 0.5
    mask[..., 0] = False
    pair = twins("MultiheadAttention", 4, 2, **options)
    pair.agree(data(4, 3, 4), data(5, 3, 4), data(5, 3, 4), attn_mask=mask)


def test_self_attention_of_one_tensor():
    x = data(4, 2, 6)
    twins("MultiheadAttention", 6, 3).train(False).agree(x, x, x)


def test_causal_needs_its_mask():
    x, mask = data(3, 2, 4), np.triu(np.ones((3, 3), bool), 1)
    pair = twins("MultiheadAttention", 4, 2)
    pair.agree(x, x, x, attn_mask=mask, is_causal=True)
    with pytest.raises(ValueError, match="is_causal"):
        pair.ours(*[ml.tensor(x)] * 3, is_causal=True)


def test_dropout_drops_weights_in_training_only():
    built_alike("Linear", 2, 2)
    pair = twins("MultiheadAttention", 4, 2, dropout=1.0)
    x = data(3, 2, 4)
    pair.agree(x, x, x)
    pair.train(False).agree(x, x, x)
    layer, x = nn.MultiheadAttention(4, 2, dropout=0.5).double(), ml.tensor(x)
    weights = xp.to_numpy(layer(x, x, x, average_attn_weights=False)[1].data)
    assert (weights == 0).any() and not (weights == 0).all()


def test_first_values():
    layer = nn.MultiheadAttention(8, 2, add_bias_kv=True)
    assert not xp.to_numpy(layer.in_proj_bias.data).any()
    assert not xp.to_numpy(layer.out_proj.bias.data).any()
    values = xp.to_numpy(layer.in_proj_weight.data)
    assert 0.9 * (6 / 32) ** 0.5 < abs(values).max() <= (6 / 32) ** 0.5


def test_arguments_are_refused():
    both_refuse("MultiheadAttention", 5, 2)
    both_refuse("MultiheadAttention", 0, 2)
    both_refuse("MultiheadAttention", 4, 0)
    x = data(3, 2, 4)
    pair = twins("MultiheadAttention", 4, 2)
    pair.refuse(data(3, 2, 5), x, x)
    pair.refuse(x, data(3, 4, 4), data(3, 4, 4))
    pair.refuse(x, x, data(4, 2, 4))
    pair.refuse(data(3, 4), x, x)
    pair.refuse(data(1, 3, 2, 4), x, x)
    pair.refuse(x, x, x, np.zeros((3, 2), bool))
    pair.refuse(x, x, x, None, True, np.zeros((2, 3), bool))
    pair.refuse(x, x, x, None, True, np.zeros((2, 3, 3), bool))
    pair.refuse(x, x, x, None, True, np.zeros((3, 3), "int64"))
