"""Attention against torch: masks, causal, scale, broadcasting, empties, errors."""

import numpy as np
import pytest
import torch.nn.functional as T
from against_torch import agree, both_raise, host, ours, theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.attention import SDPBackend, sdpa_kernel

import minilearn as ml
import minilearn.functional as F


def reference(*args, **options):
    """Torch's plain path: its fused ones have no second derivative."""
    with sdpa_kernel(SDPBackend.MATH):
        return T.scaled_dot_product_attention(*args, **options)


BOTH = F.scaled_dot_product_attention, reference


def normal(seed, shape, dtype="float64"):
    return np.asarray(np.random.default_rng(seed).standard_normal(shape), dtype)


def masked_by(mask, **options):
    """Both functions with a mask that needs no gradient."""
    return (lambda *three: BOTH[0](*three, ours(mask), **options),
            lambda *three: BOTH[1](*three, theirs(mask), **options))


@st.composite
def attentions(draw):
    """query, key, value, and the shape of their scores."""
    sizes = st.integers(1, 4)
    lead, (n, m, e, v) = draw(st.lists(sizes, max_size=2)), (draw(sizes) for _ in range(4))
    seed, dtype = draw(st.integers(0, 10**6)), draw(st.sampled_from(["float32", "float64"]))
    shapes = (n, e), (m, e), (m, v)
    return *(normal(seed + i, (*lead, *s), dtype) for i, s in enumerate(shapes)), (*lead, n, m)


@settings(max_examples=40)
@given(case=attentions(), causal=st.booleans(), scale=st.sampled_from([None, 0.0, 0.3, 2.0]))
def test_attention(case, causal, scale):
    agree(*BOTH, *case[:3], is_causal=causal, scale=scale, reduction=16)


@settings(max_examples=40)
@given(case=attentions(), data=st.data(), boolean=st.booleans())
def test_masked_attention(case, data, boolean):
    *three, scores = case
    lead = [data.draw(st.sampled_from([1, n])) for n in scores[:-2]]
    shape = (*lead, *scores[-2:])[data.draw(st.integers(0, len(lead) + 1)):]
    mask = normal(0, shape, three[0].dtype)
    mask = mask > -0.3 if boolean else np.where(mask > 1, -np.inf, mask).astype(mask.dtype)
    agree(*masked_by(mask), *three, reduction=16)


def test_the_mask_has_a_gradient():
    three = normal(0, (2, 3, 4)), normal(1, (2, 5, 4)), normal(2, (2, 5, 1))
    agree(*BOTH, *three, normal(3, (3, 5)))


@pytest.mark.parametrize("boolean", [True, False])
def test_a_query_that_may_look_nowhere_gets_zeros(boolean):
    three = normal(0, (2, 3, 4)), normal(1, (2, 5, 4)), normal(2, (2, 5, 1))
    mask = np.ones((3, 5), bool)
    mask[1] = False
    mask = mask if boolean else np.where(mask, 0.5, -np.inf)
    agree(*masked_by(mask), *three)


def test_attention_broadcasts():
    query = normal(0, (2, 3, 4, 5))
    agree(*BOTH, query, normal(1, (1, 3, 6, 5)), normal(2, (1, 3, 6, 7)))
    agree(*BOTH, query, normal(1, (6, 5)), normal(2, (6, 7)))


@pytest.mark.parametrize("sizes", [(0, 4, 6, 5), (2, 0, 6, 5), (2, 4, 0, 5), (2, 4, 6, 0)])
def test_attention_to_nothing(sizes):
    n, queries, keys, e = sizes
    agree(*BOTH, np.ones((n, 1, queries, e)), np.ones((n, 1, keys, e)), np.ones((n, 1, keys, 2)),
          order=1)


def test_dropout_of_attention():
    three = [ours(normal(i, (50, 60, 8))) for i in range(3)]
    plain = host(BOTH[0](*three))
    ml.manual_seed(0)
    dropped = host(BOTH[0](*three, None, 0.25))
    assert abs(dropped - plain).max() > 0.01 and abs((dropped - plain).mean()) < 0.01
    agree(*BOTH, *(normal(i, (2, 3, 4)) for i in range(3)), dropout_p=1.0, order=0)


def test_attention_refuses():
    q, k, v = normal(0, (2, 3, 4, 5)), normal(1, (2, 3, 6, 5)), normal(2, (2, 3, 6, 7))
    allowed = np.ones((4, 6), bool)
    both_raise(*BOTH, q, k, v, allowed, is_causal=True, match="is_causal")
    both_raise(*BOTH, q, k, v, np.ones((5, 6), bool), match="attn_mask=(5, 6)")
    both_raise(*BOTH, q, k, v, np.ones((3, 2, 3, 4, 6), bool), match="attn_mask=")
    both_raise(*BOTH, q[0, 0], k[0, 0], v[0, 0], np.ones((2, 4, 6), bool), match="attn_mask=")
    both_raise(*BOTH, q, k, v, allowed[0, :5], match="attn_mask=(5,)")
    both_raise(*BOTH, q, k, v, allowed.astype("int64"), match="int64")
    both_raise(*BOTH, *(x.astype("float32") for x in (q, k, v)), allowed * 1.0,
               match="float64")
    both_raise(*BOTH, q[0, 0, 0], k[0, 0, 0], v[0, 0, 0], match="query=(5,)")
    both_raise(*BOTH, q, k[..., :4], v, match="key=(2, 3, 6, 4)")
    both_raise(*BOTH, q, k, v[..., :5, :], match="value=(2, 3, 5, 7)")
    both_raise(*BOTH, q, k.astype("float32"), v, match="dtype")
    both_raise(*BOTH, q.astype("int64"), k.astype("int64"), v.astype("int64"), match="int64")
    both_raise(*BOTH, q, normal(0, (4, 3, 6, 5)), normal(0, (4, 3, 6, 7)))
    both_raise(*BOTH, q, k, v, dropout_p=1.5, match="1.5")
    both_raise(*BOTH, q, k, None, match="value")
    both_raise(*BOTH, q, k, v, unknown=1)
