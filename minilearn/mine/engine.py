"""The lesson on autograd: gradient rules of ops, undoing a broadcast, the backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import autograd
from ..op import OPS
from ..tensor import Node, Tensor
from .table import Functions, Swap, adapter, by_mode


def rule(name: str, operation: str) -> None:
    """Let a learner's `NAME_grad(g, y, *inputs)` be the rule of an op for first derivatives."""

    @adapter(name)
    def build(mine: Functions) -> list[Swap]:
        def joint(g: Any, y: Any, *inputs: Any, needs: Any, **params: Any) -> Any:
            found = mine[name](g, y, *inputs)
            return found if isinstance(found, tuple | list) else (found,)

        op = OPS[operation]
        return [(op, {"joint": joint} | ({"arithmetic": False} if op.arithmetic else {}))]


for operation in ("add", "mul", "pow", "exp", "log", "tanh", "sigmoid", "relu"):
    rule(f"{operation}_grad", operation)


@adapter("matmul_grad")
def _matmul(mine: Functions) -> list[Swap]:
    def share(i: int) -> Callable:
        def of_matrices(g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> Any:
            if min(a.ndim, b.ndim) < 2:  # a vector has no matrix to be transposed
                return own[i](g, y, a, b)
            return Tensor(mine["matmul_grad"](g.data, y.data, a.data, b.data)[i])

        return by_mode(of_matrices, own[i])

    own = OPS["matmul"].rules
    return [(OPS["matmul"], {"rules": (share(0), share(1))})]


# ---------------------------------------------------------------- the engine

@adapter("unbroadcast")
def _unbroadcast(mine: Functions) -> list[Swap]:
    def sum_to(g: Tensor, x: Tensor) -> Tensor:
        return Tensor(np.asarray(mine["unbroadcast"](g.data, x.data.shape), x.data.dtype))

    return [(autograd.sum_to, {"function": by_mode(sum_to, autograd.sum_to.function)})]


class GraphNode:
    """A framework's node as the lesson describes one: `inputs`, `pull(g)` and `grad`."""

    def __init__(self, node: Node):
        self.node, self.grad = node, None
        self.inputs: tuple[GraphNode, ...] = ()

    def pull(self, g: np.ndarray) -> list[np.ndarray]:
        """Return the gradient for each input."""
        every = {x.node for x in self.node.inputs if x.node is not None}
        pulled = autograd.pull_back(self.node, Tensor(g), every, False)
        fitting = [autograd.sum_to(gx, x) if (gx.shape, gx.dtype) != (x.shape, x.dtype) else gx
                   for x, gx in pulled]
        return [gx.data for gx in fitting]


@adapter("backward")
def _backward(mine: Functions) -> list[Swap]:
    own = autograd.chain_rule.function

    def chain_rule(grads: dict, create_graph: bool, retain_graph: bool, wanted: Any = None) -> Any:
        order, _ = autograd.topological(grads, wanted)
        if create_graph or wanted is not None or len(grads) > 1 or any(n.hooks for n in order):
            return own(grads, create_graph, retain_graph, wanted)
        nodes = {node: GraphNode(node) for node in order}
        for node in order:
            nodes[node].inputs = tuple(nodes[x.node] for x in node.inputs if x.node is not None)
        root, g = next(iter(grads.items()))
        with autograd.set_grad_enabled(False):
            mine["backward"](nodes[root], g.data)
        for node in order:
            found = nodes[node].grad
            if node.op is None and found is not None:
                node.grad = Tensor(found if node.grad is None else node.grad.data + found)
            elif node.op is not None and not retain_graph:
                node.inputs = node.y = node.params = None
        return {}

    return [(autograd.chain_rule, {"function": chain_rule})]


@adapter("topological")
def _topological(mine: Functions) -> list[Swap]:
    own = autograd.topological.function

    def topological(roots: Any, wanted: Any = None) -> Any:
        order, useful = own(roots, wanted)
        if wanted is not None or len(roots) > 1:
            return order, useful
        nodes = {node: GraphNode(node) for node in order}
        for node in order:
            nodes[node].inputs = tuple(nodes[x.node] for x in node.inputs if x.node is not None)
        return [n.node for n in mine["topological"](nodes[next(iter(roots))])], useful

    return [(autograd.topological, {"function": topological})]
