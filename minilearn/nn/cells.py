"""The cells of recurrent networks: modules of one step, whose formulas are in `ops.recurrent`."""

from __future__ import annotations

import math
from typing import Any

from .. import functional as F
from .. import xp
from ..errors import ShapeError, explain
from ..ops.recurrent import RNN_STEPS, gru_step, lstm_step
from ..tensor import Tensor
from . import init
from .module import Module
from .parameter import empty

State = tuple[Tensor, ...]


def rnn_step(nonlinearity: str) -> Any:
    """Return the step function for "tanh" or "relu". Raises ValueError for another name."""
    if nonlinearity not in RNN_STEPS:
        raise ValueError(f"RNN: nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}")
    return RNN_STEPS[nonlinearity]


def draw_uniform(module: Module, hidden_size: int) -> None:
    """Draw all parameters from U(-b, b), b = 1 / sqrt(hidden_size)."""
    bound = 1 / math.sqrt(hidden_size) if hidden_size > 0 else 0
    for parameter in module.parameters():
        init.uniform_(parameter, -bound, bound)


class _Cell(Module):
    gates: int
    parts = 1
    _step: Any

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, *, dtype: Any = None):
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        n = self.gates * hidden_size
        self.weight_ih = empty(n, input_size, dtype=dtype)
        self.weight_hh = empty(n, hidden_size, dtype=dtype)
        self.register_parameter("bias_ih", empty(n, dtype=dtype) if bias else None)
        self.register_parameter("bias_hh", empty(n, dtype=dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the first values again: uniform in +-1/sqrt(hidden_size)."""
        draw_uniform(self, self.hidden_size)

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        """input (N, input_size) or (input_size,), state (N, hidden_size) -> the new state."""
        state = self._state(input, hx)
        gx = F.linear(input, self.weight_ih, self.bias_ih)
        gh = F.linear(state[0], self.weight_hh, self.bias_hh)
        new = self._step(gx, gh, state)
        return new if self.parts > 1 else new[0]

    def _state(self, input: Tensor, hx: Any) -> State:
        name, wanted = type(self).__name__, (*input.shape[:-1], self.hidden_size)
        arguments = {"input": input, "input_size": self.input_size}
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            raise ShapeError(explain(name, "expected input (N, input_size) or (input_size,)",
                                     arguments))
        if hx is None:
            return (Tensor(xp.zeros(wanted, input.data.dtype)),) * self.parts
        state = tuple(hx) if self.parts > 1 and isinstance(hx, tuple | list) else (hx,)
        if not all(isinstance(part, Tensor) for part in state) or len(state) != self.parts:
            raise TypeError(f"{name}: hx must be {self.parts} Tensor(s) of shape {wanted}")
        if any(part.shape != wanted for part in state):
            hidden = {f"hx[{i}]": part for i, part in enumerate(state)}
            raise ShapeError(explain(name, f"the state must have the shape {wanted}",
                                     arguments | hidden))
        return state

    def extra_repr(self) -> str:
        bias = "" if self.bias is True else f", bias={self.bias}"
        return f"{self.input_size}, {self.hidden_size}{bias}"


class RNNCell(_Cell):
    """One step of `RNN`: h' = tanh(W x + b + U h + c), or relu."""

    gates = 1

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", *,
        dtype: Any = None,
    ):
        self.__dict__.update(nonlinearity=nonlinearity, _step=rnn_step(nonlinearity))
        super().__init__(input_size, hidden_size, bias, dtype=dtype)

    def extra_repr(self) -> str:
        kind = "" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}"
        return super().extra_repr() + kind


class GRUCell(_Cell):
    """One step of `GRU`."""

    gates = 3
    _step = staticmethod(gru_step)


class LSTMCell(_Cell):
    """One step of `LSTM`: takes and returns the pair (h, c)."""

    gates, parts = 4, 2
    _step = staticmethod(lstm_step)
