"""Attention: each query takes a weighted mean of values, weighted by how well their keys match."""

from __future__ import annotations

import math

from .. import xp
from ..errors import ShapeError, explain
from ..ops.dims import need_bool
from ..ops.softmax import softmax
from ..tensor import Tensor
from .arguments import need_broadcast, need_floating, need_probability, need_tensors
from .dropout import dropout


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
) -> Tensor:
    """Return `softmax(query @ key.mT * scale) @ value`.

    query (..., L, E), key (..., S, E), value (..., S, V) -> (..., L, V); leading dimensions
    broadcast. attn_mask: broadcast to (..., L, S); True where a query may look, or numbers added to
    the scores; a query that may look nowhere gets zeros. is_causal: query i sees keys 0 to i.
    scale: 1 / sqrt(E) if None. dropout_p applies always, also in evaluation.
    Raises ShapeError, TypeError, ValueError.

    Source: Vaswani et al. 2017, section 3.2.1.
    """
    _check(query, key, value, attn_mask, dropout_p, is_causal)
    scale = 1 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale
    scores = (query * scale) @ key.mT
    if is_causal:
        allowed = Tensor(xp.full(scores.shape[-2:], True, "bool")).tril()
        scores = scores.masked_fill(~allowed, -math.inf)
    elif attn_mask is not None:
        scores = _masked(scores, attn_mask)
    return dropout(_attention(scores), dropout_p) @ value


def _masked(scores: Tensor, attn_mask: Tensor) -> Tensor:
    need_broadcast("scaled_dot_product_attention", scores.shape, attn_mask=attn_mask)
    if str(attn_mask.dtype) == "bool":
        return scores.masked_fill(~attn_mask, -math.inf)
    return scores + attn_mask


def _attention(scores: Tensor) -> Tensor:
    """Softmax over the keys, but zeros for a row of nothing but -inf, where softmax gives nan."""
    nowhere = (scores == -math.inf).all(-1, True)
    return softmax(scores.masked_fill(nowhere, 0.0), -1).masked_fill(nowhere, 0.0)


def _check(query, key, value, attn_mask, dropout_p, is_causal) -> None:
    function, three = "scaled_dot_product_attention", {"query": query, "key": key, "value": value}
    need_floating(function, **three)
    need_bool(function, is_causal=is_causal)
    need_probability(function, dropout_p)
    if len({t.dtype for t in three.values()}) > 1:
        raise TypeError(explain(function, "query, key and value must have one dtype", three))
    fits = all(t.ndim > 1 for t in three.values()) and query.shape[-1] == key.shape[-1]
    if not fits or key.shape[-2] != value.shape[-2]:
        raise ShapeError(explain(function, "the shapes must be query (..., L, E), key (..., S, E) "
                                 "and value (..., S, V)", three))
    if attn_mask is not None:
        _check_mask(function, query, key, attn_mask, is_causal)


def _check_mask(function, query, key, attn_mask, is_causal) -> None:
    need_tensors(function, attn_mask=attn_mask)
    arguments = {"query": query, "key": key, "attn_mask": attn_mask}
    if is_causal:
        raise ValueError(explain(function, "attn_mask and is_causal exclude each other", arguments))
    if str(attn_mask.dtype) not in ("bool", "float32", str(query.dtype)):
        raise TypeError(explain(function, "attn_mask must be bool or of the dtype of query",
                                arguments))
