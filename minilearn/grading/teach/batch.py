"""Grades a class: a folder of submissions, in several processes, unattended.

Each outcome is written when it is there, whole. Killing the command loses the submissions under
way, and `--resume` grades only what is missing or has changed.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...contracts import Exercise, catalogue
from ..checking.runner import Settings
from ..isolation.child import probe
from ..verdicts import Status
from . import report, selfcheck
from .grade import (
    SECONDS,
    grade_submission,
    grader_version,
    seed_id,
    versions,
    without_run,
)
from .intake import EXPECTED, Taken, printable, take_in
from .release import numbers
from .store import SCHEMA, GradingError, Store
from .workers import Lost, Workers

EXAMPLES = 120  # of each property; half of them catch every planted mistake
SEALED = 2  # the tier from which a submission can read no file but its own
GRADED, TROUBLE, INVALID, INTERRUPTED = 0, 2, 3, 130  # exit codes


@dataclass(frozen=True)
class Task:
    """A submission that waits to be graded."""

    student: str
    source: Path | None  # None: two submissions claim to be this student's
    result: Path
    only: tuple[str, ...]
    seed: int
    examples: int = EXAMPLES


@dataclass(frozen=True)
class Order:
    """What the instructor asks for."""

    folder: Path
    out: Path
    jobs: int = 1
    only: tuple[str, ...] = ()
    resume: bool = False
    seed_file: Path | None = None
    shard: tuple[int, int] = (1, 1)
    roster: tuple[dict[str, str], ...] = ()
    unsealed: bool = False
    examples: int = EXAMPLES


Tell = Callable[[str], None]


def grade_batch(order: Order, tell: Tell = print) -> int:
    """Grade all submissions of a folder; return the exit code. `tell` gets a line at a time."""
    store = Store(order.out)
    _refuse(order, store)
    seed = read_seed(order, store)
    tasks, problems = find(order, seed)
    for problem in problems:
        tell(f"note: {problem}")
    batch = describe(order, store, seed, problems)
    store.write_batch(batch)
    try:
        with Workers(order.jobs) as workers:
            return Batch(order, store, batch, workers, tell).grade(tasks)
    except KeyboardInterrupt:
        report.write_all(store)
        tell(f"Interrupted. Go on with --resume; what is graded is in {order.out}.")
        return INTERRUPTED


@dataclass
class Batch:
    """The grading of a folder, once it is sure that it can begin."""

    order: Order
    store: Store
    batch: dict[str, Any]
    workers: Workers
    tell: Tell

    def grade(self, tasks: list[Task]) -> int:
        """Grade, check the grader before and after, write the reports; return the exit code."""
        if not self.check("before"):
            self.tell("The grader does not judge rightly on this machine; nothing was graded.")
            return INVALID
        self.submissions(tasks)
        good = self.check("after")
        trouble = report.write_all(self.store)
        self.tell(f"Results: {self.order.out}/gradebook.csv and summary.html")
        if not good:
            self.tell("The self-check failed after grading: do not use these results.")
            return INVALID
        if trouble:
            self.tell(f"The grader failed on {trouble} exercises; they are empty in the gradebook, "
                      "not 0. Run again with --resume.")
        return TROUBLE if trouble else GRADED

    def submissions(self, tasks: list[Task]) -> None:
        """Grade, write down and tell, submission by submission."""
        started, sealed = time.monotonic(), self.batch["sealed"]
        finished = self.workers.map(work, tasks, SECONDS + 120)
        for done, (task, result) in enumerate(finished, 1):
            if isinstance(result, Lost):
                result = lost(task, result.reason)
            self.store.write_result(result | {"sealed": sealed})
            left = (time.monotonic() - started) / done * (len(tasks) - done)
            self.tell(f"[{done:>{len(str(len(tasks)))}}/{len(tasks)}] {report.line(result)}"
                      f"{_time_left(left) if done < len(tasks) else ''}")

    def check(self, when: str) -> bool:
        """Let the grader grade what is known: solutions, starters, planted mistakes."""
        self.tell(f"Self-check {when} grading ...")
        tasks = [(name, self.order.examples) for name in self.order.only or catalogue()]
        found = self.workers.map(selfcheck.check, tasks)
        wrong = [sentence for _, result in found for sentence in (
            [result.reason] if isinstance(result, Lost) else result)]
        for sentence in wrong:
            self.tell(f"  {sentence}")
        self.batch["self_check"][when] = wrong or "passed"
        self.store.write_batch(self.batch)
        return not wrong


def _time_left(seconds: float) -> str:
    return f"   about {seconds / 60:.0f} min left" if seconds > 90 else f"   {seconds:.0f} s left"


# ---------------------------------------------------------------- one submission


def work(task: Task) -> dict[str, Any]:
    """Grade one submission; what an earlier outcome says stays where it still holds."""
    settings = Settings(task.examples, task.seed)
    earlier = _earlier(task)
    if task.source:
        taken = take_in(source_of(task.source))
    else:
        reason = f"{task.student}/ and {task.student}.zip were both handed in"
        taken = Taken(unreadable=dict.fromkeys(EXPECTED, reason))
    result = grade_submission(taken.files, settings, task.only or None, near=taken.near,
                              unreadable=taken.unreadable, earlier=earlier)
    return result | _about(task) | {"unreadable": taken.unreadable, "ignored": taken.ignored}


def lost(task: Task, reason: str) -> dict[str, Any]:
    """Return the outcome of a submission on which the grader itself failed."""
    wanted = [catalogue()[name] for name in task.only or catalogue()]
    sentence = "The grader itself failed. This is not your fault."
    exercises = {e.name: without_run(e, Status.GRADER_ERROR, sentence) for e in wanted}
    return {"schema": SCHEMA, "content_sha256": "", "grader_version": grader_version(),
            "seed_id": seed_id(task.seed), "tier": probe(), "versions": versions(),
            "exercises": exercises, "unreadable": {}, "ignored": [], "trouble": reason,
            **_about(task)}


def _about(task: Task) -> dict[str, Any]:
    return {"student_id": task.student, "graded_at": now(),
            "submission": task.source.name if task.source else ""}


def _earlier(task: Task) -> dict[str, dict]:
    try:
        return Store(task.result.parents[1]).result(task.student).get("exercises", {})
    except GradingError:
        return {}  # a file that cannot be read is made anew


def now() -> str:
    """Return the time, in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


# ---------------------------------------------------------------- before grading


def _refuse(order: Order, store: Store) -> None:
    """Raise GradingError where grading would lose or betray something."""
    if not order.folder.is_dir():
        raise GradingError(f"{order.folder} is no folder; name the one that holds a folder or a "
                           "zip for each student")
    if order.out.resolve().is_relative_to(order.folder.resolve()):
        raise GradingError("the results must not lie among the submissions; choose another --out")
    if store.exists and not order.resume:
        raise GradingError(f"{order.out} already holds results; go on with --resume (what has not "
                           "changed is kept), or choose another --out")
    if order.shard != (1, 1) and not order.seed_file:
        raise GradingError("shards need one and the same --seed-file, or their grades could not be "
                           "compared")
    if probe() < SEALED and not order.unsealed:
        raise GradingError(
            "this machine cannot hide files from submissions, so that they could read the "
            "solutions (isolation tier "
            f"{probe()}, {SEALED} is needed: Linux 5.13 or later). Grade on another machine, or "
            "accept it with --unsealed; every row then says `sealed: no`.")


def read_seed(order: Order, store: Store) -> int:
    """Return the secret seed: of the file, of the results so far, or a new one."""
    own = store.folder / "seed.txt"
    path = order.seed_file or own
    if not path.is_file() and not order.seed_file:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(16) + "\n")
    return seed_of(path)


def seed_of(path: Path) -> int:
    """Return the seed that a file stands for, whatever text it holds. Raises GradingError."""
    try:
        text = path.read_bytes().strip()
    except OSError as error:
        raise GradingError(f"the seed file {path} cannot be read ({error.strerror}); make one that "
                           "holds any secret text") from None
    if not text:
        raise GradingError(f"the seed file {path} is empty; write any secret text into it")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")


def describe(order: Order, store: Store, seed: int, problems: list[str]) -> dict[str, Any]:
    """Return what is graded and how, for `batch.json`. Raises GradingError if the seed differs."""
    before = store.batch() if store.exists else {}
    if before and before["seed_id"] != seed_id(seed):
        raise GradingError(f"{order.out} was graded with another seed; use its seed file, or "
                           "choose another --out")
    wanted = {*(order.only or catalogue()), *(e["name"] for e in before.get("exercises", ()))}
    return {"schema": SCHEMA, "assignment": order.folder.resolve().name,
            "exercises": [facts(e) for e in catalogue().values() if e.name in wanted],
            "grader_version": grader_version(), "seed_id": seed_id(seed), "tier": probe(),
            "sealed": probe() >= SEALED, "versions": versions(), "examples": order.examples,
            "shard": "{}/{}".format(*order.shard), "started_at": now(), "problems": problems,
            "roster": [*order.roster] or before.get("roster", []), "self_check": {}}


def facts(exercise: Exercise) -> dict[str, Any]:
    """Return what the reports say of an exercise."""
    return {"name": exercise.name, "number": numbers()[exercise.name], "lesson": exercise.lesson,
            "title": exercise.title, "points": exercise.points,
            "properties": [{"name": p.name, "points": p.points} for p in exercise.properties]}


def find(order: Order, seed: int) -> tuple[list[Task], list[str]]:
    """List the submissions of this shard, and what is odd in the folder."""
    found, problems = sources(order.folder)
    number, of = order.shard
    tasks = [Task(name, found[name][0] if len(found[name]) == 1 else None,
                  Store(order.out).file(name), order.only, seed, order.examples)
             for name in sorted(found)[number - 1 :: of]]
    return tasks, problems


def sources(folder: Path) -> tuple[dict[str, list[Path]], list[str]]:
    """Return where each student's submissions are, and what is odd in the folder."""
    found: dict[str, list[Path]] = {}
    problems = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name == "__MACOSX":
            continue
        if not path.is_symlink() and (path.is_dir() or path.suffix == ".zip"):
            found.setdefault(path.name.removesuffix(".zip"), []).append(path)
        else:
            problems.append(f"{printable(path.name)} is neither a folder nor a zip; it is not "
                            "graded")
    return found, problems + _clashes(found)


def source_of(path: Path) -> Path:
    """Return the folder that holds the files: a submission's own, or `exercises` in it."""
    inner = path / "exercises"
    at_top = any((path / name).exists() for name in EXPECTED)
    return inner if inner.is_dir() and not inner.is_symlink() and not at_top else path


def _clashes(sources: dict[str, list[Path]]) -> list[str]:
    twice = [f"{name}/ and {name}.zip are both there; neither is graded"
             for name, paths in sources.items() if len(paths) > 1]
    folded: dict[str, list[str]] = {}
    for name in sources:
        folded.setdefault(name.casefold().strip(), []).append(name)
    return twice + [f"{' and '.join(names)} differ in upper and lower case only"
                    for names in folded.values() if len(names) > 1]
