"""The learner's passing functions, taken into this process to train with: `--mine`."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ... import mine
from ...contracts import Exercise, catalogue
from ..verdicts import Status
from .learner import check
from .work import Work, WorkError


def replaceable() -> list[Exercise]:
    """List the exercises whose functions have a place in the framework."""
    return [e for e in catalogue().values() if e.name in {*mine.ADAPTERS, *mine.PARTNERS}]


def functions(work: Work, say: Callable[[str], None] = print) -> mine.Functions:
    """Return the learner's functions that pass; those changed since their last check are checked.

    Raises WorkError when none does.
    """
    passing = [e for e in replaceable() if _passes(work, e, say)]
    if not passing:
        raise WorkError(f"none of your functions in {work.folder} passes yet; `minilearn check` "
                        "says what is missing, and without --mine the framework's are used")
    modules = {lesson: _module(work, lesson) for lesson in {e.lesson for e in passing}}
    return {e.name: getattr(modules[e.lesson], e.name) for e in passing}


def _passes(work: Work, exercise: Exercise, say: Callable[[str], None]) -> bool:
    if not work.file(exercise).is_file() or work.blank(exercise):
        return False
    record = work.record(exercise)
    if record.code == work.code(exercise):
        return record.passed
    result = check(work, exercise)
    if result.status not in (Status.PASS, Status.NOT_IMPLEMENTED):
        say(f"{exercise.name} does not pass as it stands; the framework's own is used for it.")
    return result.passed


def _module(work: Work, lesson: str) -> types.ModuleType:
    """Import a file of the learner's as it is: it has passed its checks, and it is theirs."""
    path = work.folder / f"{lesson}.py"
    module = types.ModuleType(lesson)
    module.__file__ = str(path)
    exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
    return module


@contextmanager
def in_use(work: Work, say: Callable[[str], None] = print) -> Iterator[list[str]]:
    """Train with the learner's functions for a block, and say how many they are.

    Raises WorkError when none passes.
    """
    with mine.in_place_of_the_framework(functions(work, say)) as names:
        say(f"{len(names)} of {len(replaceable())} functions are yours.")
        yield names
