"""Where a step's time goes: forward and backward of each op in each layer.

While a profile is taken, three places of the engine are replaced by versions that look at the
clock: the forward function of every op, the rule of every node, and the optimizer's step. What is
left over is the engine itself, and whatever the workload does beside its ops.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from time import perf_counter
from typing import Any
from unittest.mock import patch

from .. import autograd
from ..nn import Module
from ..op import OPS
from ..optim import Optimizer
from ..tensor import Node

Key = tuple[str, str]  # op, layer
LONGEST = 44  # letters of a layer's description


class Profile:
    """Times by op and layer; `with profile:` around the steps to be looked at."""

    def __init__(self) -> None:
        self.ms: dict[str, dict[Key, float]] = {
            "forward": defaultdict(float), "backward": defaultdict(float)}
        self.calls: dict[Key, int] = defaultdict(int)
        self.bytes: dict[Key, int] = defaultdict(int)
        self.layers: list[str] = ["-"]
        self.busy = False  # inside something that is being timed: what it calls is part of it
        self.total = 0.0

    def __enter__(self) -> Profile:
        self.patches = ExitStack()
        for op in OPS.values():
            self.patches.enter_context(patch.object(op, "forward", self._forward(op)))
        for name in ("pull_back", "_arithmetic_gradients"):
            watched = self._backward(getattr(autograd, name))
            self.patches.enter_context(patch.object(autograd, name, watched))
        for owner, name, watch in (
            (Module, "__call__", self._layer), (Node, "__init__", self._node),
            (Optimizer, "step", self._optimizer),
        ):
            self.patches.enter_context(patch.object(owner, name, watch(getattr(owner, name))))
        self.start = perf_counter()
        return self

    def __exit__(self, *exc: object) -> None:
        self.total += (perf_counter() - self.start) * 1e3
        self.patches.close()

    def rows(self) -> list[dict[str, Any]]:
        """Return one row for each op in each layer, the slowest first; `share` is of all time."""
        forward, backward = self.ms["forward"], self.ms["backward"]
        rows = [{"op": key[0], "layer": key[1], "calls": self.calls[key],
                 "forward_ms": forward[key], "backward_ms": backward[key],
                 "bytes": self.bytes[key]} for key in {*forward, *backward}]
        rest = self.total - sum(row["forward_ms"] + row["backward_ms"] for row in rows)
        rows.append({"op": "(the engine, and the rest)", "layer": "-", "calls": 0,
                     "forward_ms": rest, "backward_ms": 0.0, "bytes": 0})
        for row in rows:
            row["share"] = (row["forward_ms"] + row["backward_ms"]) / self.total
        return sorted(rows, key=lambda row: -row["share"])

    # ------------------------------------------------------------ the watching versions

    def _forward(self, op: Any) -> Callable:
        original, name = op.forward, op.__name__

        def forward(*arrays: Any, **params: Any) -> Any:
            if self.busy:
                return original(*arrays, **params)
            self.busy, start = True, perf_counter()
            try:
                y = original(*arrays, **params)
            finally:
                self.busy = False
            key = (name, self.layers[-1])
            self.ms["forward"][key] += (perf_counter() - start) * 1e3
            self.calls[key] += 1
            self.bytes[key] += getattr(y, "nbytes", 0)
            return y

        return forward

    def _backward(self, original: Callable) -> Callable:
        def gradients(node: Node, *arguments: Any) -> Iterator:
            key = (node.op.__name__, node.__dict__.get("layer", "-"))
            pairs = original(node, *arguments)
            while True:
                outermost, self.busy, start = not self.busy, True, perf_counter()
                try:
                    pair = next(pairs, None)
                finally:
                    if outermost:
                        self.busy = False
                        self.ms["backward"][key] += (perf_counter() - start) * 1e3
                if pair is None:
                    return
                yield pair

        return gradients

    def _layer(self, original: Callable) -> Callable:
        def call(module: Module, *args: Any, **kwargs: Any) -> Any:
            if any(True for _ in module.children()):
                return original(module, *args, **kwargs)
            self.layers.append(repr(module)[:LONGEST])
            try:
                return original(module, *args, **kwargs)
            finally:
                self.layers.pop()

        return call

    def _node(self, original: Callable) -> Callable:
        def init(node: Any, *args: Any) -> None:
            original(node, *args)
            node.layer = self.layers[-1]

        return init

    def _optimizer(self, original: Callable) -> Callable:
        def step(optimizer: Optimizer, *args: Any) -> Any:
            start = perf_counter()
            try:
                return original(optimizer, *args)
            finally:
                key = (f"{optimizer.name}.step", "-")
                self.ms["forward"][key] += (perf_counter() - start) * 1e3
                self.calls[key] += 1

        return step


def table(rows: list[dict[str, Any]], most: int = 25) -> list[str]:
    """Return the lines of a table: the slowest ops first, the many small ones left out."""
    lines = [f"{'op':<28}{'layer':<{LONGEST + 2}}{'calls':>6}{'forward':>12}{'backward':>12}"
             f"{'results':>11}{'share':>7}"]
    lines += [f"{r['op']:<28}{r['layer']:<{LONGEST + 2}}{r['calls']:>6}{r['forward_ms']:>9.2f} ms"
              f"{r['backward_ms']:>9.2f} ms{r['bytes'] / 2**20:>7.1f} MiB{r['share']:>7.1%}"
              for r in rows[:most]]
    if left := rows[most:]:
        lines.append(f"... and {len(left)} smaller ones: {sum(r['share'] for r in left):.1%}")
    return lines
