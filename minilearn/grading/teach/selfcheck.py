"""The grader graded: solutions get all points, starters none, planted mistakes never all.

Finds a broken array library, a full disk or a patched grader before it costs anyone points.
"""

from __future__ import annotations

from functools import cache

from ...contracts import Case, Exercise, Mistake, Property, catalogue, course
from ..checking.diagnose import planted
from ..checking.results import Seen
from ..checking.runner import Run, Settings, explore
from .grade import grade_submission
from .release import starters

SEED = 0
EXAMPLES = 60  # of each property, as a learner's check has them
FEW = 6  # with which most mistakes are caught already


class _Caught(Exception):
    """A case that a wrong version gets wrong."""


def check(task: tuple[str, int]) -> list[str]:
    """Check the grading of one exercise, given as (name, examples); say what is wrong."""
    name, examples = task
    exercise, settings = catalogue()[name], Settings(min(examples, EXAMPLES), SEED)
    return [*solution(exercise, settings), *blank(exercise, settings),
            *(f"{name}: this mistake is not caught: {mistake.sentence}"
              for mistake in exercise.mistakes if not caught(exercise, mistake, settings))]


def solution(exercise: Exercise, settings: Settings) -> list[str]:
    """Say what keeps the solution from getting all points."""
    found = _graded(exercise, course.solutions(exercise.lesson).encode(), settings)
    return [f"{exercise.name}: the solution gets {found['points_earned']} of {exercise.points} "
            f"points\n{found.get('trace') or found['message']}"] \
        if found["points_earned"] != exercise.points else []


def blank(exercise: Exercise, settings: Settings) -> list[str]:
    """Say which properties of the starter are anything but `not_implemented`."""
    found = _graded(exercise, _starters()[f"{exercise.lesson}.py"].encode(), settings)
    return [f"{exercise.name}: the starter is {p['status']} in {p['name']!r}, not not_implemented"
            for p in found["properties"] if p["status"] != "not_implemented"]


def caught(exercise: Exercise, mistake: Mistake, settings: Settings) -> bool:
    """Say whether any case of any property tells a planted mistake from what is right."""
    run = Run(exercise, planted(exercise, mistake), settings)
    return any(not survives(run, prop, examples) for examples in (FEW, settings.examples)
               for prop in exercise.properties)


def survives(run: Run, prop: Property, examples: int) -> bool:
    """Say whether a wrong version gets every case of a property right."""
    def attempt(case: Case) -> None:
        seen: Seen = run.ask(prop, case)
        if not seen.good:
            raise _Caught

    try:
        for case in prop.examples:
            attempt(case)
        explore(prop, attempt, examples, run.settings.seed, shrink=False)
    except _Caught:
        return False
    return True


def _graded(exercise: Exercise, source: bytes, settings: Settings) -> dict:
    files = {f"{exercise.lesson}.py": source}
    return grade_submission(files, settings, [exercise.name])["exercises"][exercise.name]


_starters = cache(starters)
