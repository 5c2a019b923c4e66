"""A moving average of the weights: it often predicts better than the weights themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import xp
from ..arrays import to_array
from ..errors import ShapeError, explain
from ..tensor import Tensor


class EMA:
    """Keep average <- decay average + (1 - decay) weight for each tensor.

    params: the tensors to follow. decay: in [0, 1]; the nearer to 1, the longer the memory, about
    1 / (1 - decay) updates. As in torch's `AveragedModel`, the first update copies.

    >>> from minilearn import tensor
    >>> w = tensor([0.0]); ema = EMA([w], decay=0.9); ema.update()
    >>> w.data = tensor([1.0]).data; ema.update(); ema.copy_to(); w
    tensor([0.1])
    """

    def __init__(self, params: Iterable[Tensor], decay: float = 0.999):
        if not 0 <= decay <= 1:
            raise ValueError(f"EMA: decay must be between 0 and 1; got {decay}")
        self.params = list(params)
        for i, p in enumerate(self.params):
            if not isinstance(p, Tensor):
                raise TypeError(f"EMA: params[{i}] must be a Tensor; got {type(p).__name__}")
        self.decay = float(decay)
        self.updates = 0
        self.averages = [xp.copy(p.data) for p in self.params]

    def update(self) -> None:
        """Take the present weights into the averages; call it after each optimizer step."""
        for i, (average, p) in enumerate(zip(self.averages, self.params, strict=True)):
            if self.updates and xp.is_floating(p.data):
                new = average * self.decay + p.data * (1 - self.decay)
                self.averages[i] = xp.asarray(new)
            else:
                self.averages[i] = xp.copy(p.data)
        self.updates += 1

    def copy_to(self, params: Iterable[Tensor] | None = None) -> None:
        """Put the averages into the followed tensors, or into others of the same shapes."""
        targets = self.params if params is None else list(params)
        if [p.shape for p in targets] != [tuple(a.shape) for a in self.averages]:
            raise ShapeError(explain("EMA.copy_to", "the shapes are not those of the averages",
                                     {"params": [p.shape for p in targets]}))
        for p, average in zip(targets, self.averages, strict=True):
            p.data = xp.astype(average, p.data.dtype)

    def state_dict(self) -> dict[str, Any]:
        """Return the averages and how many updates they have seen."""
        averages = {str(i): Tensor(a) for i, a in enumerate(self.averages)}
        return {"decay": self.decay, "updates": self.updates, "averages": averages}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict`. Raises ShapeError if its shapes are not the params'."""
        saved = [to_array(a) for a in state_dict["averages"].values()]
        shapes = [tuple(a.shape) for a in saved]
        if shapes != [p.shape for p in self.params]:
            raise ShapeError(explain("EMA.load_state_dict", "the shapes are not the params'",
                                     {"averages": shapes}))
        pairs = zip(saved, self.params, strict=True)
        self.averages = [xp.astype(a, p.data.dtype) for a, p in pairs]
        self.decay, self.updates = float(state_dict["decay"]), int(state_dict["updates"])
