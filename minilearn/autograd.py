"""The backward pass: the chain rule, walked over the nodes that the ops left behind.

`chain_rule` is the whole of it. It visits the nodes from the youngest to the oldest, so that the
gradient of a node is complete when its turn comes, and hands each input its share by that input's
rule. Because rules are written in ops, `create_graph=True` records them too, and the result can be
differentiated again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from operator import attrgetter, index
from typing import Any

from . import xp
from .errors import explain
from .op import OPS, enable_grad, set_grad_enabled
from .slots import Slot
from .tensor import Node, Tensor


def backward(
    tensor: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Add d(tensor)/d(leaf) to `.grad` of every leaf that the tensor was computed from.

    gradient: the gradient of the final result with respect to this tensor, of its shape; it may be
    left out for a single number. Raises RuntimeError when nothing was recorded, or when the graph
    has been used and freed (`retain_graph=True` the first time keeps it).

    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """
    create_graph = _flag("backward", create_graph=create_graph)
    keep = create_graph if retain_graph is None else _flag("backward", retain_graph=retain_graph)
    chain_rule(_seeds("backward", [tensor], [gradient]), create_graph, keep)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    *,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of `outputs` with respect to `inputs`, and leave every `.grad` alone.

    With `create_graph` the results can be differentiated again. Raises RuntimeError when an input
    was not used, unless `allow_unused` (then its gradient is None) or `materialize_grads` (zeros).
    `only_inputs` has no effect, in torch either: it keeps torch's order of arguments.

    >>> x = Tensor([3.0], requires_grad=True)
    >>> (dy,) = grad(x**3, x, Tensor([1.0]), create_graph=True)
    >>> grad(dy, x, Tensor([1.0]))  # the second derivative, 6x
    (tensor([18.]),)
    """
    ys, xs = _as_list(outputs), _as_list(inputs)
    gs = [None] * len(ys) if grad_outputs is None else _as_list(grad_outputs)
    if len(gs) != len(ys):
        raise RuntimeError(f"grad: {len(ys)} outputs but {len(gs)} grad_outputs; give one for each")
    if not xs:
        raise RuntimeError("grad: no inputs; name the tensors to differentiate with respect to")
    for i, x in enumerate(xs):
        if x.node is None:
            raise RuntimeError(f"grad: inputs[{i}] does not require a gradient")
    if materialize_grads and allow_unused is False:
        raise ValueError("grad: materialize_grads needs allow_unused=True; or leave that out")
    create_graph = _flag("grad", create_graph=create_graph)
    keep = create_graph if retain_graph is None else _flag("grad", retain_graph=retain_graph)
    unused = allow_unused is not None and _flag("grad", allow_unused=allow_unused)
    found = chain_rule(_seeds("grad", ys, gs), create_graph, keep, {x.node for x in xs})
    for i, x in enumerate(xs):
        if x.node not in found and materialize_grads:
            found[x.node] = Tensor(xp.zeros_like(x.data))
        elif x.node not in found and not unused:
            raise RuntimeError(f"grad: inputs[{i}] was not used in computing the outputs; "
                               "pass allow_unused=True to get None for it")
    return tuple(found.get(x.node) for x in xs)


@Slot
def chain_rule(
    grads: dict[Node, Tensor],
    create_graph: bool,
    retain_graph: bool,
    wanted: set[Node] | None = None,
) -> dict[Node, Tensor]:
    """Carry gradients back from some nodes: to `.grad` of the leaves, or to the `wanted` nodes.

    grads: the gradient to start from, for each node to start at. Returns those of `wanted`.
    """
    order, useful = topological(grads, wanted)
    found: dict[Node, Tensor] = {}
    with set_grad_enabled(create_graph), xp.quiet():
        for node in order:
            g = grads.pop(node, None)
            if g is None:
                continue
            if node.keeps_grad or node.hooks or wanted is not None:
                g = _arrived(node, g, wanted, found)
            if node.op is None:
                continue
            plain = node.op.arithmetic and not create_graph
            for x, gx in (_arithmetic_gradients(node, g, useful) if plain
                          else pull_back(node, g, useful, create_graph)):
                if gx is None:  # a rule may say that nothing flows to its input
                    continue
                got, due = gx.data, x.data
                if got.shape != due.shape or got.dtype is not due.dtype:
                    gx = sum_to(gx, x)
                before = grads.get(x.node)
                if before is not None:  # on arrays where nothing is recorded: it takes half as long
                    gx = before + gx if create_graph else Tensor(before.data + gx.data)
                grads[x.node] = gx
            if not retain_graph:
                node.inputs = node.y = node.params = None  # the tape is freed as it is walked
    return found


def _arrived(
    node: Node, g: Tensor, wanted: set[Node] | None, found: dict[Node, Tensor]
) -> Tensor:
    """Let the hooks see a node's gradient, and leave it wherever it is waited for."""
    for hook in node.hooks:
        g = hook(g)
    if wanted is not None and node in wanted:
        found[node] = g
    if node.keeps_grad and (node.op or wanted is None):
        # A copy: two leaves must not share one gradient's memory.
        node.grad = g.clone() if node.grad is None else node.grad + g
    return g


@Slot
def topological(
    roots: Iterable[Node], wanted: set[Node] | None = None
) -> tuple[list[Node], set[Node]]:
    """List the nodes that the roots depend on, each before whatever it was made from.

    A node is younger than its inputs, so sorting by age is enough. With `wanted`, only those
    through which a wanted node is reached. Returns the list, and the same nodes as a set.
    """
    oldest = min((node.age for node in wanted), default=0) if wanted else 0
    seen = set(roots)
    stack = list(seen)
    while stack:
        node = stack.pop()
        if node.inputs is None:
            raise RuntimeError("backward: this graph has been used and freed; pass "
                               "retain_graph=True to the first backward to use it twice")
        for x in node.inputs:
            made_by = x.node
            if made_by is not None and made_by not in seen and made_by.age >= oldest:
                seen.add(made_by)
                stack.append(made_by)
    order = sorted(seen, key=attrgetter("age"))
    if wanted is not None:
        seen = set()
        for node in order:
            if node in wanted or any(x.node in seen for x in node.inputs):
                seen.add(node)
        order = [node for node in order if node in seen]
    order.reverse()
    return order, seen


def pull_back(
    node: Node, g: Tensor, useful: set[Node], create_graph: bool
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield each useful input of a node with its gradient, given `g` for the output."""
    op, inputs, params = node.op, node.inputs, node.params
    if op.joint is not None and not create_graph:
        yield from _joint_gradients(node, g, useful)
    elif op.composite is not None:
        yield from _composite_gradients(node, g, create_graph)
    else:
        # The node holds the array y, not the Tensor: a node that held its own output would be a
        # cycle, and the memory of every graph would wait for the garbage collector.
        y = Tensor(node.y, node)
        rules = [partial(op.rules[0], i=i) for i in range(len(inputs))] if op.variadic else op.rules
        for x, rule in zip(inputs, rules):  # noqa: B905 - strict takes time in the hottest loop
            if x.node in useful:
                yield x, rule(g, y, *inputs, **params)


def _arithmetic_gradients(
    node: Node, g: Tensor, useful: set[Node]
) -> Iterator[tuple[Tensor, Tensor]]:
    """The first derivative of `a + b` and its like, whose rules hold for plain arrays too."""
    a, b = node.inputs
    for x, rule in ((a, node.op.rules[0]), (b, node.op.rules[1])):
        if x.node in useful:
            yield x, Tensor(rule(g.data, node.y, a.data, b.data))


def _joint_gradients(
    node: Node, g: Tensor, useful: set[Node]
) -> Iterator[tuple[Tensor, Tensor]]:
    """The first derivative of a fused op, by its own fast rule on plain arrays."""
    needs = tuple(x.node in useful for x in node.inputs)
    arrays = [x.data for x in node.inputs]
    gradients = node.op.joint(g.data, node.y, *arrays, needs=needs, **node.params)
    for x, needed, gradient in zip(node.inputs, needs, gradients, strict=True):
        if needed:
            yield x, Tensor(gradient)


def _composite_gradients(
    node: Node, g: Tensor, create_graph: bool
) -> Iterator[tuple[Tensor, Tensor]]:
    """The same as something that can be differentiated again: through the op's composite."""
    with enable_grad():  # the composite is recorded, whether or not its gradient is
        stand_ins = [x if x.node is None else OPS["alias"](x) for x in node.inputs]
        y = node.op.composite(*stand_ins, **node.params)
    wanted = {x.node for x in stand_ins if x.node is not None}
    found = chain_rule({y.node: g}, create_graph, True, wanted)
    for x, stand_in in zip(node.inputs, stand_ins, strict=True):
        if stand_in.node in found:
            yield x, found[stand_in.node]


@Slot
def sum_to(g: Tensor, x: Tensor) -> Tensor:
    """Undo a broadcast (and a change of dtype): add up the copies that `x` was stretched into."""
    if g.data.shape != x.data.shape:
        lead = g.data.ndim - x.data.ndim
        stretched = (lead + i for i, n in enumerate(x.data.shape) if n != g.data.shape[lead + i])
        g = OPS["sum"](g, dim=(*range(lead), *stretched))
        g = OPS["reshape"](g, shape=tuple(x.data.shape))
    return g if g.data.dtype == x.data.dtype else OPS["cast"](g, dtype=x.data.dtype)


def _flag(function: str, **flag: Any) -> bool:
    """Read True, False or an integer, as torch does; TypeError for anything else."""
    ((name, value),) = flag.items()
    try:
        return bool(index(value))
    except TypeError:
        raise TypeError(explain(function, f"{name} must be True or False", flag)) from None


def _as_list(tensors: Any) -> list:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _seeds(
    function: str, outputs: Sequence[Tensor], cotangents: Sequence[Any]
) -> dict[Node, Tensor]:
    """Pair each output's node with the gradient to start from: one, for a single number."""
    seeds: dict[Node, Tensor] = {}
    for y, g in zip(outputs, cotangents, strict=True):
        if y.node is None:
            raise RuntimeError(f"{function}: this tensor depends on nothing that requires a "
                               "gradient")
        if g is None:
            if y.numel() != 1:
                raise RuntimeError(explain(
                    function, "only a single number has a gradient of its own", {"tensor": y},
                    "pass the gradient to start from, or reduce it first, as in y.sum()"))
            g = Tensor(xp.ones_like(y.data))
        if not isinstance(g, Tensor):
            raise TypeError(f"{function}: a gradient must be a Tensor, got {type(g).__name__}")
        if tuple(g.data.shape) != tuple(y.data.shape):
            raise RuntimeError(explain(function, "the gradient must have the tensor's shape",
                                       {"tensor": y, "gradient": g}))
        if g.data.dtype != y.data.dtype:
            g = OPS["cast"](g, dtype=y.data.dtype)
        seeds[y.node] = g if y.node not in seeds else seeds[y.node] + g
    return seeds
