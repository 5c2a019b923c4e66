"""Multi-head attention (Vaswani et al. 2017)."""

from __future__ import annotations

import math
from typing import Any

from .. import functional as F
from .. import xp
from ..errors import ShapeError, explain
from ..functional.arguments import need_scalars
from ..ops import pieces
from ..ops.elementwise import where
from ..tensor import Tensor
from . import init
from .linear import Linear
from .module import Module
from .parameter import empty


class MultiheadAttention(Module):
    """Attend `num_heads` times at once, each to its own part of the projected vectors.

    Arguments, parameters and their names are torch's. Raises ValueError unless num_heads divides
    embed_dim.
    """

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True,
        add_bias_kv: bool = False, add_zero_attn: bool = False, kdim: int | None = None,
        vdim: int | None = None, batch_first: bool = False, *, dtype: Any = None,
    ):
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0 or embed_dim % num_heads:
            raise ValueError(f"MultiheadAttention: num_heads={num_heads} must be positive and "
                             f"divide embed_dim={embed_dim}")
        need_scalars("MultiheadAttention", dropout=dropout)
        self.embed_dim, self.num_heads, self.dropout = embed_dim, num_heads, dropout
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.batch_first, self.add_zero_attn = batch_first, add_zero_attn
        self.head_dim = embed_dim // num_heads
        self._add_weights(bias, add_bias_kv, dtype)
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype=dtype)
        self._reset_parameters()

    def _add_weights(self, bias: bool, add_bias_kv: bool, dtype: Any) -> None:
        e, joint = self.embed_dim, self.kdim == self.vdim == self.embed_dim
        shapes = {"q_proj_weight": None if joint else (e, e),
                  "k_proj_weight": None if joint else (e, self.kdim),
                  "v_proj_weight": None if joint else (e, self.vdim),
                  "in_proj_weight": (3 * e, e) if joint else None,
                  "in_proj_bias": (3 * e,) if bias else None,
                  "bias_k": (1, 1, e) if add_bias_kv else None,
                  "bias_v": (1, 1, e) if add_bias_kv else None}
        for name, size in shapes.items():
            self.register_parameter(name, None if size is None else empty(*size, dtype=dtype))

    def _reset_parameters(self) -> None:
        for name, parameter in self._parameters.items():
            if name.endswith("weight") and parameter is not None:
                init.xavier_uniform_(parameter)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        if self.bias_k is not None:
            init.xavier_normal_(self.bias_k)
            init.xavier_normal_(self.bias_v)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None = None,
        need_weights: bool = True, attn_mask: Tensor | None = None,
        average_attn_weights: bool = True, is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """query (L, N, E), key (S, N, kdim), value (S, N, vdim); N first if batch_first, or no N.

        key_padding_mask (N, S) and attn_mask (L, S) or (N num_heads, L, S): True, or -inf added to
        the scores, is where not to look. Returns the output, shaped like the query, and the weights
        (N, L, S), one for each head (N, num_heads, L, S) unless averaged, or None.
        """
        self._check(query, key, value, key_padding_mask, attn_mask, is_causal)
        batched = query.ndim == 3
        q, k, v = (x.unsqueeze(0) if not batched else x if self.batch_first else x.transpose(0, 1)
                   for x in (query, key, value))
        q, k, v = self._heads(*self._projected(q, k, v))
        mask = self._mask(attn_mask, key_padding_mask, q, k)
        y, weights = self._attend(q, k, v, mask, need_weights)
        n, _, l, _ = y.shape
        y = self.out_proj(y.transpose(1, 2).reshape((n, l, self.embed_dim)))
        if weights is not None and average_attn_weights:
            weights = weights.mean(1)
        if not batched:
            return y.squeeze(0), None if weights is None else weights.squeeze(0)
        return y if self.batch_first else y.transpose(0, 1), weights

    def _projected(self, q: Tensor, k: Tensor, v: Tensor) -> list[Tensor]:
        """Project queries, keys and values (N, *, E), and add the learnt key and value."""
        e, bias = self.embed_dim, self.in_proj_bias
        parts = [slice(i * e, (i + 1) * e) for i in range(3)]
        if self.in_proj_weight is None:
            weights = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        else:
            weights = [self.in_proj_weight[part] for part in parts]
        biases = [None if bias is None else bias[part] for part in parts]
        q, k, v = map(F.linear, (q, k, v), weights, biases)
        if self.bias_k is not None:
            copies = (k.shape[0], 1, e)
            k = pieces.cat([k, self.bias_k.broadcast_to(copies)], dim=1)
            v = pieces.cat([v, self.bias_v.broadcast_to(copies)], dim=1)
        return [q, k, v]

    def _heads(self, q: Tensor, k: Tensor, v: Tensor) -> list[Tensor]:
        """Cut (N, *, E) into heads (N, num_heads, *, head_dim), and add the key of zeros."""
        q, k, v = (x.reshape((*x.shape[:2], self.num_heads, self.head_dim)).transpose(1, 2)
                   for x in (q, k, v))
        if self.add_zero_attn:
            zero = Tensor(xp.zeros((*k.shape[:2], 1, self.head_dim), k.data.dtype))
            k, v = pieces.cat([k, zero], dim=2), pieces.cat([v, zero], dim=2)
        return [q, k, v]

    def _mask(
        self, attn_mask: Tensor | None, key_padding_mask: Tensor | None, q: Tensor, k: Tensor
    ) -> Tensor | None:
        """Join both masks into what is added to the scores (N, num_heads, L, S)."""
        n, heads, s = q.shape[0], self.num_heads, k.shape[2]
        total = None
        if attn_mask is not None:
            m = _additive(attn_mask, s)
            total = m if m.ndim == 2 else m.reshape((n, heads, *m.shape[1:]))
        if key_padding_mask is not None:
            m = _additive(key_padding_mask, s).reshape((n, 1, 1, s))
            total = m if total is None else total + m
        return total

    def _attend(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, need_weights: bool
    ) -> tuple[Tensor, Tensor | None]:
        p = self.dropout if self.training else 0.0
        if not need_weights:
            return F.scaled_dot_product_attention(q, k, v, mask, p), None
        scores = (q * (1 / math.sqrt(self.head_dim))) @ k.mT
        weights = F.softmax(scores if mask is None else scores + mask, -1)
        weights = F.dropout(weights, p, True) if p else weights
        return weights @ v, weights

    def _check(
        self, q: Tensor, k: Tensor, v: Tensor, padding: Tensor | None, mask: Tensor | None,
        is_causal: bool,
    ) -> None:
        arguments = {"query": q, "key": k, "value": v, "key_padding_mask": padding,
                     "attn_mask": mask}
        batched = q.ndim == 3
        time = 1 if batched and self.batch_first else 0
        l, s = (x.shape[time] if x.ndim > time else 0 for x in (q, k))
        n = q.shape[1 - time] if batched else 1
        wanted = [(n, l, s)[1:], (n * self.num_heads, l, s)]
        problem = None
        if q.ndim not in (2, 3) or not q.ndim == k.ndim == v.ndim:
            problem = "query, key and value must all be 3D, or all 2D without a batch"
        elif (q.shape[-1], k.shape[-1], v.shape[-1]) != (self.embed_dim, self.kdim, self.vdim):
            problem = f"their last sizes must be {self.embed_dim}, {self.kdim} and {self.vdim}"
        elif k.shape[:-1] != v.shape[:-1] or batched and k.shape[1 - time] != n:
            problem = "key and value must be equally long, and all batches equally large"
        elif padding is not None and padding.shape != ((n, s) if batched else (s,)):
            problem = f"key_padding_mask must be {(n, s) if batched else (s,)}"
        elif mask is not None and mask.shape not in wanted:
            problem = f"attn_mask must be {wanted[0]} or {wanted[1]}"
        elif is_causal and mask is None:
            problem = "is_causal is a hint about attn_mask, which is missing"
        if problem:
            raise ShapeError(explain("MultiheadAttention", problem, arguments))


def _additive(mask: Tensor, length: int) -> Tensor:
    """Turn True into -inf, and let added keys (the learnt one, the zero) be seen by all."""
    if str(mask.dtype) == "bool":
        mask = where(mask, -math.inf, 0.0)
    elif not xp.is_floating(mask.data):
        raise TypeError(f"MultiheadAttention: masks are bool or floating point, not {mask.dtype}")
    missing = length - mask.shape[-1]
    return F.pad(mask, (0, missing)) if missing else mask
