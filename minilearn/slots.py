"""Replaceable functions: the object stays the same while the function inside it is swapped.

Whoever has imported the object sees the new function: that is how a learner's own function takes
the framework's place in every lesson.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import update_wrapper
from typing import Any


class Slot:
    """A function that can be replaced; calling the slot calls the function that is in it now.

    >>> @Slot
    ... def double(x):
    ...     return 2 * x
    >>> with swapped(double, function=lambda x: x + x + 1):
    ...     double(3)
    7
    >>> double(3)
    6
    """

    function: Callable

    def __init__(self, function: Callable):
        update_wrapper(self, function)
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


@contextmanager
def swapped(target: Any, **parts: Any) -> Iterator[Any]:
    """Set attributes of an object (a Slot's `function`, an Op's `forward`) for a block.

    Raises AttributeError when the object has no such part.
    """
    if absent := [name for name in parts if not hasattr(target, name)]:
        raise AttributeError(f"{target!r} has no {', '.join(absent)} to be swapped")
    # What a class or object only inherits is put back by removing the swapped part; and a
    # static method must be kept as one, which getattr would undo.
    own = vars(target)
    before = {name: own[name] for name in parts if name in own}
    try:
        for name, part in parts.items():
            setattr(target, name, part)
        yield target
    finally:
        for name in parts:
            if name in before:
                setattr(target, name, before[name])
            else:
                delattr(target, name)
