"""Checks the course itself: what an author must get right before anyone is graded by it."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ...contracts import Exercise, catalogue, course
from ...contracts.contract import MODULES
from ..checking.diagnose import planted
from ..checking.message import LINES, message
from ..checking.runner import Run, Settings, run_exercise
from . import release
from .selfcheck import blank, solution, survives
from .strength import solve
from .workers import Lost, Workers

SEEDS = range(5)
LEARNER = Settings()
SECONDS = 6.0  # for a learner's check, at worst
LONGEST = 20  # characters of a solution's line that may be seen in the starter
NAME = 32  # characters
IMPORTS = {"numpy", "math", "typing", "dataclasses", "functools", "itertools", "collections",
           "enum", "__future__"}


@dataclass
class Verified:
    """What was found about one exercise: what is wrong, and which property catches what."""

    problems: list[str] = field(default_factory=list)
    matrix: list[str] = field(default_factory=list)


def verify(names: Iterable[str] | None, examples: int, jobs: int,
           tell: Callable[[str], None]) -> list[str]:
    """Check exercises (all by default) and what they have in common; return what is wrong."""
    wanted = [*(names or catalogue())]
    problems = [*order(), *texts(), *files()]
    tasks = [(name, examples) for name in wanted]
    with Workers(jobs) as workers:
        for (name, _), found in workers.map(verify_exercise, tasks):
            if isinstance(found, Lost):
                found = Verified([f"{name}: {found.reason}"])
            tell(f"{'✗' if found.problems else '✓'} {name}")
            for line in found.matrix:
                tell(f"    {line}")
            problems += found.problems
    return problems


def verify_exercise(task: tuple[str, int]) -> Verified:
    """Check one exercise, given as (name, examples)."""
    name, examples = task
    exercise, found = catalogue()[name], Verified()
    found.problems += solves(exercise, examples)
    found.problems += blank(exercise, LEARNER) + facts(exercise)
    for check in (mistakes, properties):
        try:
            check(exercise, found)
        except ValueError as error:  # an edit that does not fit
            found.problems.append(str(error))
    return found


# ---------------------------------------------------------------- one exercise


def solves(exercise: Exercise, examples: int) -> list[str]:
    """Say on which seeds the solution fails, and whether a learner would wait too long."""
    started = time.monotonic()
    found = solution(exercise, LEARNER)
    seconds = time.monotonic() - started
    if seconds > SECONDS:
        found.append(f"{exercise.name}: a check takes {seconds:.1f} s, {SECONDS:g} s at most")
    return found + [f"{exercise.name}: the solution fails with seed {seed}\n{message(result)}"
                    for seed in SEEDS
                    if not (result := solve(exercise, seed, examples)).passed]


def facts(exercise: Exercise) -> list[str]:
    """Say what an exercise lacks."""
    lacks = {"a title": exercise.title, "a time": exercise.minutes > 0,
             "a difficulty from 1 to 3": exercise.difficulty in (1, 2, 3),
             "three hints": len(exercise.hints) == 3 and all(h.strip() for h in exercise.hints),
             "points for each property": exercise.properties and all(
                 p.points > 0 for p in exercise.properties),
             "planted mistakes": exercise.mistakes,
             f"a name of at most {NAME} letters": len(exercise.name) <= NAME,
             "a docstring": ast.get_docstring(nodes(exercise.lesson)[exercise.name])}
    return [f"{exercise.name} lacks {what}" for what, there in lacks.items() if not there]


def mistakes(exercise: Exercise, found: Verified) -> None:
    """Grade every planted mistake: it must be caught, not misnamed, and told in few lines."""
    for mistake in exercise.mistakes:
        result = run_exercise(exercise, planted(exercise, mistake), LEARNER)
        what, causes = f"{exercise.name}: {mistake.sentence}", [c.sentence for c in result.causes]
        if result.passed:
            found.problems.append(f"{what}: is not caught")
        elif causes and mistake.sentence not in causes:
            found.problems.append(f"{what}: is called {causes[0]!r}")
        if (lines := len(message(result).splitlines())) > LINES:
            found.problems.append(f"{what}: its message has {lines} lines, {LINES} at most")


def properties(exercise: Exercise, found: Verified) -> None:
    """Show which property catches which mistake, each property for itself."""
    runs = [Run(exercise, planted(exercise, mistake), LEARNER) for mistake in exercise.mistakes]
    for prop in exercise.properties:
        caught = "".join(".x"[not survives(run, prop, LEARNER.examples)] for run in runs)
        note = "" if "x" in caught else "   catches no planted mistake"
        found.matrix.append(f"{caught}  {prop.name}{note}")


# ---------------------------------------------------------------- the whole course


def nodes(lesson: str) -> dict[str, ast.FunctionDef | ast.ClassDef]:
    """Return the functions and classes of a lesson's solutions."""
    tree = ast.parse(course.solutions(lesson))
    return {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}


def lessons() -> list[str]:
    """Return the lessons that have exercises, in order."""
    return [*dict.fromkeys(e.lesson for e in catalogue().values())]


def order() -> list[str]:
    """Say where an exercise needs a later one, or a contract a later lesson's."""
    found = []
    for lesson in lessons():
        later: set[str] = set()
        for name, node in reversed(nodes(lesson).items()):
            used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            found += [f"{name} needs {other}, which comes later" for other in sorted(used & later)]
            later.add(name)
    return found + _contract_imports()


def _contract_imports() -> list[str]:
    place = {module: i for i, modules in enumerate(MODULES.values()) for module in modules}
    found = []
    for module, i in place.items():
        path = Path(course.PACKAGE, "contracts", f"{module}.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            other = getattr(node, "module", None) if isinstance(node, ast.ImportFrom) else None
            if place.get(other, -1) > i:
                found.append(f"contracts/{module}.py imports {other}, of a later lesson")
    return found


def texts() -> list[str]:
    """Say where solutions import what exercises may not, or starters give a solution away."""
    found = []
    for lesson in lessons():
        source, starter = course.solutions(lesson), release.starters()[f"{lesson}.py"]
        compile(starter, f"{lesson}.py", "exec")
        found += [f"solutions/{lesson}.py imports {name}" for name in _imported(source)
                  if name.partition(".")[0] not in IMPORTS]
        found += _differences(lesson, source, starter) + _leaks(lesson, source, starter)
    return found


def _imported(source: str) -> list[str]:
    tree = ast.walk(ast.parse(source))
    return [name for node in tree for name in (
        [a.name for a in node.names] if isinstance(node, ast.Import)
        else [node.module or "."] if isinstance(node, ast.ImportFrom) else [])]


def _leaks(lesson: str, source: str, starter: str) -> list[str]:
    """Say which lines that are taken out can still be read elsewhere in the starter."""
    shown = {line.strip() for line in starter.splitlines()}
    taken = [line.strip() for line in release.solved_lines(source, catalogue().keys())]
    return [f"exercises/{lesson}.py shows a line of a solution: {line}"
            for line in dict.fromkeys(taken) if len(line) > LONGEST and line in shown]


def _differences(lesson: str, source: str, starter: str) -> list[str]:
    """Say so if starter and solution differ in anything but the code that is taken out."""
    taken = release.solved_lines(source, catalogue().keys())
    kept = _subtract(source.splitlines(), [line.rstrip("\n") for line in taken])
    stubs = [line for line in starter.splitlines() if "raise NotImplementedError(" in line]
    headers = [line for name, number in release.numbers().items()
               if catalogue()[name].lesson == lesson
               for line in release.header(catalogue()[name], number).splitlines()]
    same = kept == _subtract(_subtract(starter.splitlines(), stubs), headers)
    return [] if same else [f"exercises/{lesson}.py differs from the solutions outside the code "
                            "that is taken out"]


def _subtract(lines: list[str], others: list[str]) -> list[str]:
    """Return the lines, sorted, without one copy of each of the others."""
    left = sorted(lines)
    for other in others:
        if other in left:
            left.remove(other)
    return left


def files() -> list[str]:
    """Say which starters are stale, and which files stand where only starters belong."""
    folder = course.folder("exercises")
    found = [f"{folder.name}/{name} is stale: run `minilearn teach release`"
             for name in release.stale(folder)]
    extra = {p.name for p in folder.glob("*.py")} - release.starters().keys()
    return found + [f"{folder.name}/{name} belongs to no lesson" for name in sorted(extra)]
