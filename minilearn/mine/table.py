"""Which of a learner's functions can stand in for which of the framework's.

A learner writes plain functions on NumPy arrays. An *adapter* gives one the signature of the
framework's function, and takes over only what the learner's covers: for anything else (a dilated
convolution, where only plain ones were written) the framework's own goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from ..op import Op, is_grad_enabled
from ..slots import swapped

Functions = dict[str, Callable]  # the learner's, by the name of the exercise
Swap = tuple[Any, dict[str, Any]]  # an object of the framework, and the parts to set in it
ADAPTERS: dict[str, Callable[[Functions], list[Swap]]] = {}
# Gradients that take part together with the function they belong to, in its adapter.
PARTNERS = {"linear_grad": "linear", "max_pool2d_grad": "max_pool2d",
            "avg_pool2d_grad": "avg_pool2d"}


def adapter(name: str) -> Callable:
    """Register the swaps that an exercise makes possible."""

    def register(build: Callable) -> Callable:
        ADAPTERS[name] = build
        return build

    return register


@contextmanager
def in_place_of_the_framework(functions: Functions) -> Iterator[list[str]]:
    """Put a learner's functions into the framework for a block; yields the names that count."""
    adapted = [name for name in ADAPTERS if name in functions]
    beside = [name for name in functions if PARTNERS.get(name) in adapted]
    with ExitStack() as stack:
        for name in adapted:  # one by one: an adapter may build upon what is there already
            for target, parts in ADAPTERS[name](functions):
                stack.enter_context(swapped(target, **parts))
        yield [*adapted, *beside]


def primitive(forward: Callable, composite: Callable, joint: Callable | None = None) -> Op:
    """Make an op of a function on arrays; without a joint rule its gradient is the composite's."""
    op = Op(forward, listed=False)
    op.fused(joint, composite)
    return op


def by_mode(first_order: Callable, any_order: Callable) -> Callable:
    """Choose: arrays know nothing of second derivatives, so recording takes the framework's."""
    return lambda *args, **kw: (any_order if is_grad_enabled() else first_order)(*args, **kw)
