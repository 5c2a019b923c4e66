"""Recurrent layers: a step, repeated over time, over layers and in both directions."""

from __future__ import annotations

import warnings
from numbers import Number
from typing import Any

from .. import functional as F
from .. import xp
from ..errors import ShapeError, explain
from ..ops import pieces, recurrent
from ..ops.dims import integer, need_bool
from ..tensor import Tensor
from .cells import State, draw_uniform, rnn_step
from .module import Module
from .parameter import empty


class _Recurrent(Module):
    """What the three layers share."""

    gates: int  # vectors of hidden_size that one step computes
    parts = 1  # tensors that the state consists of
    # (x, first state, the five weights or None for each that is missing) -> the states of all steps
    _through_time: Any

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False,
        proj_size: int = 0, *, dtype: Any = None,
    ):
        super().__init__()
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first = bias, batch_first
        self.dropout, self.bidirectional, self.proj_size = dropout, bidirectional, proj_size
        self._check_arguments()
        self.output_size = proj_size or hidden_size
        for layer in range(num_layers):
            for direction in self._directions():
                self._add_weights(layer, direction, dtype)
        self.reset_parameters()

    def _check_arguments(self) -> None:
        name = type(self).__name__
        number = isinstance(self.dropout, Number) and not isinstance(self.dropout, bool)
        if not number or not 0 <= self.dropout <= 1:
            raise ValueError(f"{name}: dropout must be a number from 0 to 1, got {self.dropout!r}")
        need_bool(name, bias=self.bias, batch_first=self.batch_first,
                  bidirectional=self.bidirectional)
        if not isinstance(self.hidden_size, int) or isinstance(self.hidden_size, bool):
            raise TypeError(f"{name}: hidden_size must be an integer (an int of Python's), "
                            f"got {self.hidden_size!r}")
        self.num_layers = integer(name, "num_layers", self.num_layers)
        for size in ("hidden_size", "num_layers"):
            if getattr(self, size) <= 0:
                raise ValueError(f"{name}: {size} must be positive, got {getattr(self, size)}")
        if not 0 <= self.proj_size < self.hidden_size:
            raise ValueError(f"{name}: proj_size must be from 0 to hidden_size - 1, "
                             f"got {self.proj_size}")
        if self.dropout > 0 and self.num_layers == 1:
            warnings.warn(f"{name}: dropout acts between layers, and num_layers is 1", stacklevel=4)

    def _directions(self) -> tuple[str, ...]:
        return ("", "_reverse") if self.bidirectional else ("",)

    def _add_weights(self, layer: int, direction: str, dtype: Any) -> None:
        n, suffix = self.gates * self.hidden_size, f"_l{layer}{direction}"
        below = self.output_size * len(self._directions()) if layer else self.input_size
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (n, below),
                                              "weight_hh": (n, self.output_size)}
        if self.bias:
            shapes |= {"bias_ih": (n,), "bias_hh": (n,)}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        for name, size in shapes.items():
            setattr(self, name + suffix, empty(*size, dtype=dtype))

    def reset_parameters(self) -> None:
        """Draw the first values again: uniform in +-1/sqrt(hidden_size)."""
        draw_uniform(self, self.hidden_size)

    def forward(self, input: Tensor, hx: Any = None) -> tuple[Tensor, Any]:
        """input (T, N, input_size), or (N, T, ...) if batch_first, or (T, input_size).

        hx: the first state (layers * directions, N, hidden_size), zeros if None. Returns the
        outputs of the last layer at all times, and the last state of every layer.
        """
        self._check_input(input)
        batched = input.ndim == 3
        x = input if batched else input.unsqueeze(1)
        x = x.transpose(0, 1) if batched and self.batch_first else x
        first = self._first_state(hx, x, batched)
        x, last = self._layers(x, first)
        x = x.transpose(0, 1) if batched and self.batch_first else x
        if not batched:
            x, last = x.squeeze(1), tuple(part.squeeze(1) for part in last)
        return x, last if self.parts > 1 else last[0]

    def _check_input(self, input: Tensor) -> None:
        arguments = {"input": input, "input_size": self.input_size}
        if input.ndim not in (2, 3):
            raise ShapeError(explain(type(self).__name__, "expected 2D or 3D input", arguments))
        if input.shape[-1] != self.input_size:
            raise ShapeError(explain(type(self).__name__, "the last dimension of the input must be "
                                     "input_size", arguments))
        if input.shape[self.batch_first and input.ndim == 3] == 0:
            raise ShapeError(explain(type(self).__name__, "expected at least one step", arguments))

    def _first_state(self, hx: Any, x: Tensor, batched: bool) -> State:
        """Check the state that is given, or make one of zeros: each (layers * directions, N, H)."""
        count = self.num_layers * len(self._directions())
        sizes = (self.output_size, self.hidden_size)[: self.parts]
        if hx is None:
            return tuple(Tensor(xp.zeros((count, x.shape[1], n), x.data.dtype)) for n in sizes)
        given = tuple(hx) if self.parts > 1 and isinstance(hx, tuple | list) else (hx,)
        wanted = [(count, *((x.shape[1],) if batched else ()), n) for n in sizes]
        if not all(isinstance(part, Tensor) for part in given) or len(given) != self.parts:
            raise TypeError(f"{type(self).__name__}: hx must be {self.parts} Tensor(s) of shapes "
                            f"{wanted}, got {type(hx).__name__}")
        if [part.shape for part in given] != wanted:
            raise ShapeError(explain(type(self).__name__, f"the first state must have the shapes "
                                     f"{wanted}", {f"hx[{i}]": h for i, h in enumerate(given)}))
        return given if batched else tuple(part.unsqueeze(1) for part in given)

    def _layers(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Run all layers, each on the outputs of the one below."""
        last: list[State] = []
        directions = self._directions()
        for layer in range(self.num_layers):
            outputs = []
            for direction in directions:
                own = tuple(part[len(last)] for part in state)
                y, own = self._run(x, own, f"_l{layer}{direction}", bool(direction))
                outputs.append(y)
                last.append(own)
            x = pieces.cat(outputs, dim=-1) if len(outputs) > 1 else outputs[0]
            if self.dropout and self.training and layer < self.num_layers - 1:
                x = F.dropout(x, self.dropout, True)
        return x, tuple(pieces.stack(list(part), dim=0) for part in zip(*last, strict=True))

    def _run(
        self, x: Tensor, state: State, suffix: str, backwards: bool
    ) -> tuple[Tensor, State]:
        """Run one layer in one direction: (T, N, I) -> (T, N, H)."""
        weights = (
            getattr(self, name + suffix, None)
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"))
        states = self._through_time(x.flip(0) if backwards else x, state, *weights)
        last = tuple(part[-1] for part in states)
        return states[0].flip(0) if backwards else states[0], last

    def extra_repr(self) -> str:
        usual = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False,
                 "dropout": 0.0, "bidirectional": False}
        changed = [f", {name}={getattr(self, name)}" for name, default in usual.items()
                   if getattr(self, name) != default]
        return f"{self.input_size}, {self.hidden_size}" + "".join(changed)


class RNN(_Recurrent):
    """Repeat h = tanh(W x + b + U h + c), or relu, over a sequence; arguments are torch's.

    Parameters of layer k: weight_ih_lk (H, I), weight_hh_lk (H, H), bias_ih_lk, bias_hh_lk (H,),
    and the same with `_reverse`. `dropout` acts between layers, in training.
    """

    gates = 1

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh",
        bias: bool = True, batch_first: bool = False, dropout: float = 0.0,
        bidirectional: bool = False, *, dtype: Any = None,
    ):
        rnn_step(nonlinearity)  # refuses other names
        self.__dict__.update(nonlinearity=nonlinearity)
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout,
                         bidirectional, dtype=dtype)

    def _through_time(self, x, state, w_ih, w_hh, b_ih, b_hh, w_hr):
        gates = F.linear(x, w_ih, b_ih + b_hh if self.bias else None)
        return (recurrent.rnn(gates, *state, w_hh, nonlinearity=self.nonlinearity),)


class GRU(_Recurrent):
    """Repeat h = (1 - z) n + z h over a sequence (Cho et al. 2014); arguments are torch's.

    Parameters of layer k hold the gates r, z, n one above the other: weight_ih_lk (3 H, I),
    weight_hh_lk (3 H, H), bias_ih_lk, bias_hh_lk (3 H,), and the same with `_reverse`.
    """

    gates = 3

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, *,
        dtype: Any = None,
    ):
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout,
                         bidirectional, dtype=dtype)

    def _through_time(self, x, state, w_ih, w_hh, b_ih, b_hh, w_hr):
        if not self.bias:  # a gate multiplies this one, so it cannot be added to the other
            b_hh = Tensor(xp.zeros((w_hh.shape[0],), w_hh.data.dtype))
        return (recurrent.gru(F.linear(x, w_ih, b_ih), *state, w_hh, b_hh),)


class LSTM(_Recurrent):
    """Repeat c = f c + i g, h = o tanh(c) over a sequence (Hochreiter & Schmidhuber 1997).

    The state is the pair (h, c). Parameters of layer k hold the gates i, f, g, o: weight_ih_lk
    (4 H, I), weight_hh_lk (4 H, H), biases (4 H,), and weight_hr_lk (proj_size, H) to project h.
    """

    gates, parts = 4, 2

    def _through_time(self, x, state, w_ih, w_hh, b_ih, b_hh, w_hr):
        gates = F.linear(x, w_ih, b_ih + b_hh if self.bias else None)
        h, c = state
        if xp.result_type(c.data, gates.data) == gates.data.dtype:  # torch takes a narrower one too
            c = c.to(gates.dtype)
        y = recurrent.lstm(gates, h, c, w_hh, *([w_hr] if self.proj_size else []))
        return y[..., : self.output_size], y[..., self.output_size :]
