"""One kept case again: in a child as in a check, or in this process under the debugger."""

from __future__ import annotations

import pdb as debugger
import types
from typing import Any

from ...contracts import Case, Exercise, Property
from ..checking.message import message
from ..checking.runner import Answers, ExerciseResult, PropertyResult, Seen, judge
from ..isolation.child import Child
from ..verdicts import Status
from .learner import PATIENCE
from .work import Work, WorkError, select


def replay(work: Work, name: str, debug: bool = False) -> str:
    """Try the learner's code on a kept case, and return the message.

    debug: run it in this process, under pdb. Raises WorkError when there is no such case.
    """
    exercise_name, prop_name, case = work.case(name)
    exercise = select([exercise_name])[0]
    prop = next((p for p in exercise.properties if p.name == prop_name), None)
    if prop is None:
        raise WorkError(f"{name}: {exercise_name} has no property {prop_name!r} any more")
    if debug:
        return f"returned {step_through(work, exercise, prop, case)!r}"
    with Child(work.source(exercise), work.file(exercise).name, PATIENCE) as child:
        seen = once(exercise, prop, case, child)
    status = Status.PASS if seen.good else seen.difference.status
    if seen.good:
        return f"✓ {exercise.name}: this input is right now"
    result = PropertyResult(prop, status, 1, seen.reply.seconds, seen)
    return message(ExerciseResult(exercise, [result], seen.reply.seconds))


def once(exercise: Exercise, prop: Property, case: Case, child: Answers) -> Seen:
    """Put one case to a submission."""
    args, kwargs = exercise.call(case)
    return judge(prop, case, child.call(exercise.name, args, kwargs, prop.driver))


def step_through(work: Work, exercise: Exercise, prop: Property, case: Case) -> Any:
    """Call the learner's function under pdb, stopped at its first line."""
    path = work.file(exercise)
    module = types.ModuleType(exercise.lesson)
    exec(compile(work.source(exercise), str(path), "exec"), module.__dict__)
    args, kwargs = exercise.call(case)
    function = getattr(module, exercise.name)
    if prop.driver is None:
        return debugger.runcall(function, *args, **kwargs)
    space: dict[str, Any] = {"np": __import__("numpy")}
    exec(prop.driver, space)
    return debugger.runcall(space["drive"], module, function, *args, **kwargs)
