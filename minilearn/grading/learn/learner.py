"""What a learner asks for: a check, a hint, a list, a picture of the progress."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

from ...contracts import Exercise, catalogue, course
from ..checking.message import message
from ..checking.runner import ExerciseResult, Settings, run_exercise
from ..isolation.child import Child, Limits
from .work import Work, WorkError

PATIENCE = Limits(call=1.0)  # seconds; one who waits for a loop without end wants to know soon
STARS = "★☆☆", "★★☆", "★★★"
TICK, TODO, DOT = "✓", "·", "→"


def check(work: Work, exercise: Exercise, seed: int | None = None) -> ExerciseResult:
    """Check one exercise as it stands in the learner's folder, and keep the outcome."""
    settings = Settings(seed=secrets.randbelow(2**32) if seed is None else seed,
                        first=work.first_cases(exercise))
    with Child(work.source(exercise), work.file(exercise).name, PATIENCE) as child:
        result = run_exercise(exercise, child, settings)
        result.notes += notes(child)
    work.checked(result)
    return result


def notes(child: Child) -> list[str]:
    """Say what is worth knowing but is no failure: output that was printed, and how much of it."""
    if not child.output:
        return []
    cut = " (output truncated)" if child.truncated else ""
    first = child.output.strip().splitlines()[:5]
    return [f"Your code printed{cut}:", *(f"  {line[:100]}" for line in first)]


def report(result: ExerciseResult) -> str:
    """Return the message of a check, and what was printed meanwhile."""
    return "\n".join([message(result), *result.notes])


def hint(work: Work, exercise: Exercise) -> str:
    """Return the next hint of three; after the last, all of them."""
    record = work.record(exercise)
    record.hints = min(record.hints + 1, len(exercise.hints))
    work.save()
    shown = [f"Hint {i} of {len(exercise.hints)}: {text}"
             for i, text in enumerate(exercise.hints[: record.hints], 1)]
    more = f"(`minilearn hint {exercise.name}` again for the next one)"
    last = f"(that was the last; stuck? `minilearn show {exercise.name} --i-am-stuck`)"
    return "\n".join([*shown, last if record.hints == len(exercise.hints) else more])


def solution(work: Work, exercise: Exercise, stuck: bool = False) -> str:
    """Return the solution's source: after a pass, or for one who is stuck, which is recorded.

    Raises WorkError before that.
    """
    record = work.record(exercise)
    if not work.done(exercise):
        if not stuck:
            left = len(exercise.hints) - record.hints
            hints = f"there are {left} hints left (`minilearn hint {exercise.name}`); " if left \
                else ""
            raise WorkError(f"{exercise.name} has not passed yet: {hints}"
                            f"`minilearn show {exercise.name} --i-am-stuck` shows the solution, "
                            "and records that it was seen")
        record.solution_seen = True
        work.save()
    _, body, _ = course.around(course.solutions(exercise.lesson), exercise.name)
    return body.strip() + "\n"


def lessons() -> dict[str, list[Exercise]]:
    """Group the exercises by lesson."""
    groups: dict[str, list[Exercise]] = {}
    for exercise in catalogue().values():
        groups.setdefault(exercise.lesson, []).append(exercise)
    return groups


def listing(work: Work, only: str = "") -> Iterator[str]:
    """Yield the table of all exercises, a line each; or of one lesson."""
    upcoming = work.next()
    for lesson, exercises in lessons().items():
        if only not in ("", lesson):
            continue
        yield f"{lesson}.py"
        for e in exercises:
            mark = TICK if work.done(e) else DOT if e is upcoming else TODO
            seen = "  (solution seen)" if work.record(e).solution_seen else ""
            yield f"  {mark} {e.name:<24} {STARS[e.difficulty - 1]} {e.minutes:>3} min " \
                  f"{e.points:>3} points  {e.title}{seen}"


def progress(work: Work) -> list[tuple[str, int, int, int, int]]:
    """Return, for each lesson: its name, exercises done and in all, points earned and in all."""
    rows = []
    for lesson, exercises in lessons().items():
        done = [e for e in exercises if work.done(e)]
        rows.append((lesson, len(done), len(exercises), sum(e.points for e in done),
                     sum(e.points for e in exercises)))
    return rows


def picture(work: Work, width: int = 40) -> Iterator[str]:
    """Yield a bar for each lesson, and what comes next."""
    rows = progress(work)
    for lesson, done, total, points, possible in rows:
        full = round(width * done / total)
        yield f"{lesson:<18} {'█' * full}{'░' * (width - full)} {done:>2}/{total:<2} " \
              f"{points:>3} of {possible} points"
    finished, every = sum(r[1] for r in rows), sum(r[2] for r in rows)
    yield f"{finished} of {every} exercises are yours."
    upcoming = work.next()
    if upcoming:
        yield f"Next: {upcoming.name}, {upcoming.title} ({work.file(upcoming).name})"
    else:
        yield "All done. Train with your own functions: minilearn train resnet --mine"


def as_json(results: list[ExerciseResult], tier: int) -> dict[str, Any]:
    """Return the outcome of checks as plain data, for `check --json`."""
    return {"schema": 1, "tier": tier, "exercises": {
        r.name: {"status": str(r.status), "points_earned": r.points_earned,
                 "points_possible": r.exercise.points, "seconds": round(r.seconds, 3),
                 "message": message(r), "causes": [c.sentence for c in r.causes],
                 "properties": [{"name": p.prop.name, "status": str(p.status),
                                 "points_earned": p.points_earned,
                                 "points_possible": p.prop.points, "examples": p.examples,
                                 "case": p.case_id} for p in r.properties]}
        for r in results}}
