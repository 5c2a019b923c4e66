"""Fully connected layers, and the table of vectors."""

from __future__ import annotations

import math
from typing import Any

from .. import functional as F
from ..ops.dims import integer
from ..tensor import Tensor
from . import init
from .module import Module
from .parameter import Parameter, empty


class Linear(Module):
    """Return `input @ weight.T + bias`.

    weight (out_features, in_features) and bias (out_features,) start uniform in
    +-1/sqrt(in_features).

    >>> from minilearn import nn, tensor
    >>> nn.Linear(3, 2)(tensor([[1.0, 2.0, 3.0]])).shape
    (1, 2)
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, *, dtype: Any = None
    ):
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = empty(out_features, in_features, dtype=dtype)
        self.register_parameter("bias", empty(out_features, dtype=dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the first values again."""
        reset_uniform(self, self.in_features)

    def forward(self, input: Tensor) -> Tensor:
        """input (*, in_features) -> (*, out_features)."""
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (f"in_features={self.in_features}, out_features={self.out_features}, "
                f"bias={self.bias is not None}")


class Bilinear(Module):
    """Return `input1 @ weight[k] @ input2 + bias[k]` for each output feature k."""

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True, *,
        dtype: Any = None,
    ):
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"Bilinear: in1_features must be > 0, got {in1_features}")
        self.in1_features, self.in2_features = in1_features, in2_features
        self.out_features = out_features
        self.weight = empty(out_features, in1_features, in2_features, dtype=dtype)
        self.register_parameter("bias", empty(out_features, dtype=dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the first values again."""
        reset_uniform(self, self.in1_features)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        """input1 (*, in1_features), input2 (*, in2_features) -> (*, out_features)."""
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
                f"out_features={self.out_features}, bias={self.bias is not None}")


class Embedding(Module):
    """A table with one learnt vector for each of `num_embeddings` indices.

    padding_idx: an index whose vector starts at 0 and gets no gradient. weight
    (num_embeddings, embedding_dim) starts standard normal.
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, *,
        dtype: Any = None,
    ):
        super().__init__()
        if padding_idx is not None:
            padding_idx = integer("Embedding", "padding_idx", padding_idx)
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(f"Embedding: padding_idx={padding_idx} must be within "
                             f"num_embeddings={num_embeddings}")
        self.num_embeddings = num_embeddings
        self.embedding_dim = integer("Embedding", "embedding_dim", embedding_dim)
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = empty(num_embeddings, embedding_dim, dtype=dtype)
        self.reset_parameters()

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None
    ) -> Embedding:
        """Make an Embedding of a table that is given; it is not learnt unless `freeze` is False."""
        if embeddings.ndim != 2:
            raise ValueError(f"from_pretrained: a table has 2 dimensions, not {embeddings.shape}")
        rows, width = embeddings.shape
        made = cls(rows, width, padding_idx)
        made.weight = Parameter(embeddings, requires_grad=not freeze)
        return made

    def reset_parameters(self) -> None:
        """Draw the first values again."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx, ...] = 0

    def forward(self, input: Tensor) -> Tensor:
        """input (*) of integers -> (*, embedding_dim)."""
        return F.embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


def reset_uniform(module: Module, fan_in: int) -> None:
    """Draw a layer's weight and bias from U(-b, b), b = 1 / sqrt(fan_in): torch's default.

    torch writes it as kaiming_uniform_ with a = sqrt(5), whose bound is the same.
    """
    bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0.0
    init.uniform_(module.weight, -bound, bound)
    if module.bias is not None:
        init.uniform_(module.bias, -bound, bound)
