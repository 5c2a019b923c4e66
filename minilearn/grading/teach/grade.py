"""Grades one submission: every exercise in a child of its own, the outcome as plain data.

An outcome is kept under a key of everything that it depends on. What has the same key need not be
graded again: grading anew costs only what has changed.
"""

from __future__ import annotations

import hashlib
import platform
import time
import traceback
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ...contracts import Exercise, catalogue, course
from ...contracts.contract import MODULES
from ..checking import cases
from ..checking.message import message
from ..checking.results import ExerciseResult, PropertyResult
from ..checking.runner import Settings, run_exercise
from ..isolation.child import Child, Limits, probe
from ..verdicts import Status

SCHEMA = 1
SECONDS = 15 * 60  # for all exercises of a submission
OURS = (Status.GRADER_ERROR, Status.NOT_RUN)  # never the learner's fault
LONGEST_CASE = 20_000  # characters; a longer one is not handed out


def grade_submission(
    files: Mapping[str, bytes],
    settings: Settings,
    only: Iterable[str] | None = None,
    *,
    unreadable: Mapping[str, str] | None = None,
    near: Mapping[str, str] | None = None,
    earlier: Mapping[str, dict] | None = None,
    limits: Limits | None = None,
    seconds: float = SECONDS,
) -> dict[str, Any]:
    """Grade the files of a submission, by name, and return everything that is known of it.

    only: names of exercises; all by default. unreadable: for a file, why it could not be read.
    near: for a missing file, one with a name like it. earlier: outcomes of exercises; those that
    still hold are kept. seconds: for all exercises together.
    """
    grading = _Grading(files, settings, unreadable or {}, near or {}, limits or Limits(),
                       time.monotonic() + seconds)
    wanted, graded = {*(only or catalogue())}, {}
    for name, exercise in catalogue().items():
        kept = (earlier or {}).get(name, {})
        if holds(kept, key(exercise, files, settings)):
            graded[name] = kept
        elif name in wanted:
            graded[name] = grading.exercise(exercise)
    return {"schema": SCHEMA, "student_id": "", "content_sha256": content(files),
            "grader_version": grader_version(), "seed_id": seed_id(settings.seed),
            "tier": probe(), "versions": versions(), "exercises": graded}


class _Grading:
    """The grading of one submission: a child for each exercise, a clock for all."""

    def __init__(self, files: Mapping[str, bytes], settings: Settings,
                 unreadable: Mapping[str, str], near: Mapping[str, str], limits: Limits,
                 deadline: float):
        self.files, self.settings, self.limits = files, settings, limits
        self.unreadable, self.near = unreadable, near
        self.children: dict[str, Child] = {}  # the latest for each file
        self.deadline = deadline

    def exercise(self, exercise: Exercise) -> dict[str, Any]:
        """Return the outcome of one exercise; a failure of ours leaves its points empty."""
        try:
            found = self._unrun(exercise) or self._run(exercise)
        except Exception as error:
            sentence = f"The grader itself failed ({type(error).__name__}). This is not your fault."
            found = without_run(exercise, Status.GRADER_ERROR, sentence)
            found["trace"] = traceback.format_exc()
        return {"key": key(exercise, self.files, self.settings)} | found

    def _unrun(self, exercise: Exercise) -> dict[str, Any] | None:
        name = f"{exercise.lesson}.py"
        if name in self.unreadable:
            return without_run(exercise, Status.UNREADABLE, f"{name}: {self.unreadable[name]}")
        if name not in self.files:
            there = ", ".join(sorted(self.files)) or "no file of exercises"
            meant = f" Rename {self.near[name]} if it is meant." if name in self.near else ""
            sentence = f"{name} is missing; the submission holds {there}.{meant}"
            return without_run(exercise, Status.MISSING, sentence)
        if time.monotonic() > self.deadline:
            sentence = "The time for the whole submission was used up before."
            return without_run(exercise, Status.TIMEOUT, sentence)
        return None

    def _run(self, exercise: Exercise) -> dict[str, Any]:
        name = f"{exercise.lesson}.py"
        before = self.children.get(name) or Child(self.files[name], name, self.limits)
        self.children[name] = before.fresh()  # knows of a failed import, but of nothing else
        with self.children[name] as child:
            return outcome(run_exercise(exercise, child, self.settings), child)


# ---------------------------------------------------------------- outcomes as plain data


def outcome(result: ExerciseResult, child: Any = None) -> dict[str, Any]:
    """Return the verdicts on an exercise as plain data."""
    properties = [_property(p) for p in result.properties]
    return {"status": str(result.status), "points_earned": result.points_earned,
            "points_possible": result.exercise.points, "seconds": round(result.seconds, 3),
            "properties": properties, "causes": [c.sentence for c in result.causes],
            "message": message(result), "case": _case(result),
            "flags": sorted({str(flag) for flag in getattr(child, "flags", ())}),
            "output_truncated": bool(getattr(child, "truncated", False))}


def without_run(exercise: Exercise, status: Status, sentence: str) -> dict[str, Any]:
    """Return the outcome of an exercise that was not run, and why."""
    points = None if status in OURS else 0
    text = f"✗ {exercise.name}: {sentence}"
    properties = [{"name": p.name, "status": str(status), "points_earned": points,
                   "points_possible": p.points, "examples": 0, "seconds": 0.0, "case": "",
                   "message": sentence} for p in exercise.properties]
    return {"status": str(status), "points_earned": points, "points_possible": exercise.points,
            "seconds": 0.0, "properties": properties, "causes": [], "message": text, "case": None,
            "flags": [], "output_truncated": False}


def _property(result: PropertyResult) -> dict[str, Any]:
    difference = result.failure.difference if result.failure else None
    return {"name": result.prop.name, "status": str(result.status),
            "points_earned": result.points_earned, "points_possible": result.prop.points,
            "examples": result.examples, "seconds": round(result.seconds, 3),
            "case": result.case_id, "message": difference.text if difference else ""}


def _case(result: ExerciseResult) -> dict[str, Any] | None:
    """Return the first failing case in the form that `minilearn replay FILE` reads."""
    failed = next((p for p in result.properties if p.status != Status.PASS), None)
    if failed is None or failed.failure is None or not failed.failure.case \
            or failed.status == Status.NOT_IMPLEMENTED:
        return None
    text = cases.to_text(failed.failure.case)
    return {"id": failed.case_id, "exercise": result.name, "property": failed.prop.name,
            "text": text if len(text) <= LONGEST_CASE else ""}


# ---------------------------------------------------------------- what an outcome depends on


def holds(entry: Mapping[str, Any], key: str) -> bool:
    """Say whether an earlier outcome is still the outcome; a failure of ours never is."""
    statuses = [entry.get("status"), *(p["status"] for p in entry.get("properties", ()))]
    return entry.get("key") == key and not set(statuses) & set(OURS)


def key(exercise: Exercise, files: Mapping[str, bytes], settings: Settings) -> str:
    """Hash what the outcome of an exercise depends on."""
    source = files.get(f"{exercise.lesson}.py")
    parts = (exercise.name, source, settings.seed, settings.examples, lesson_version(
        exercise.lesson), probe())
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def content(files: Mapping[str, bytes]) -> str:
    """Hash the files of a submission.

    >>> content({"a": b"1"}) == content({"a": b"1"}) != content({"b": b"1"})
    True
    """
    return hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()


def seed_id(seed: int) -> str:
    """Name a seed without giving it away."""
    return hashlib.sha256(f"minilearn seed {seed}".encode()).hexdigest()[:8]


@cache
def lesson_version(lesson: str) -> str:
    """Hash the contracts, the solutions and the engine that a lesson is graded with."""
    rooms = ("contracts", "grading/isolation", "grading/checking")
    others = {module for name, modules in MODULES.items() if name != lesson for module in modules}
    paths = [path for room in rooms for path in (course.PACKAGE / room).glob("*.py")
             if path.stem not in others]
    paths.append(Path(__file__))
    texts = [path.read_bytes() for path in sorted(paths)]
    texts.append(course.solutions(lesson).encode())
    return hashlib.sha256(repr(texts).encode()).hexdigest()[:12]


@cache
def grader_version() -> str:
    """Return the version of the package, and a hash of all that grades."""
    lessons = sorted({e.lesson for e in catalogue().values()})
    digest = hashlib.sha256("".join(map(lesson_version, lessons)).encode()).hexdigest()[:8]
    return f"{installed('minilearn')}+{digest}"


@cache
def versions() -> dict[str, str]:
    """Return the versions that an outcome could depend on."""
    packages = ("minilearn", "numpy", "torch", "hypothesis")
    return {"python": platform.python_version(), "platform": platform.platform(),
            **{name: installed(name) for name in packages}}


def installed(package: str) -> str:
    """Return the version of an installed package, or "?"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "?"
