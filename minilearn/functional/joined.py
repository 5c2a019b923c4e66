"""What is computed over the batches of all processes that train together (`processes`)."""

from __future__ import annotations

import math

from .. import processes
from ..ops.joined import joined_sum
from ..tensor import Tensor
from .norm import track


def joined_batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each channel over the batches of all processes and all places, in training.

    What `batch_norm` does in one process with the joined batch, at the price of three exchanges on
    the way forward and two on the way back. Arguments as there; each process gives its share of the
    batch and gets its share of the result. Source: torch.nn.SyncBatchNorm.
    """
    dims, column = (0, *range(2, input.ndim)), (1, -1) + (1,) * (input.ndim - 2)
    places = processes.add_up(math.prod(input.shape) / input.shape[1])
    mean = joined_sum(input.sum(dims)) / places
    centred = input - mean.reshape(column)
    var = joined_sum((centred * centred).sum(dims)) / places
    track(running_mean, running_var, input, mean.data, var.data * (places / (places - 1)), momentum)
    scale = (var + eps) ** -0.5
    y = centred * (scale if weight is None else scale * weight).reshape(column)
    return y if bias is None else y + bias.reshape(column)
