"""How strong the graders are: every planted mistake must be caught, and called by its name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ...contracts import Exercise, Mistake, catalogue, course
from ..checking.diagnose import planted
from ..checking.runner import ExerciseResult, Settings, run_exercise
from ..isolation.child import Local
from ..verdicts import Status
from .workers import Lost, Workers

RULE = "|---"


@dataclass(frozen=True)
class Caught:
    """What the grader said of one planted mistake."""

    exercise: str
    mistake: str
    status: Status
    prop: str  # the first property that caught it; empty when it got through
    examples: int  # how many cases that took
    causes: tuple[str, ...]

    @property
    def caught(self) -> bool:
        """Whether any property failed."""
        return bool(self.prop)

    @property
    def named(self) -> bool:
        """Whether the diagnosis holds the right sentence."""
        return self.mistake in self.causes

    @property
    def misnamed(self) -> bool:
        """Whether the diagnosis holds only sentences that are not true."""
        return bool(self.causes) and not self.named


def strength(exercise: Exercise, seed: int = 0, examples: int = 60) -> list[Caught]:
    """Grade every planted mistake of an exercise."""
    return [_caught(exercise, mistake, Settings(examples, seed)) for mistake in exercise.mistakes]


def _caught(exercise: Exercise, mistake: Mistake, settings: Settings) -> Caught:
    result = run_exercise(exercise, planted(exercise, mistake), settings)
    failed = next((p for p in result.properties if p.status != Status.PASS), None)
    causes = tuple(c.sentence for c in result.causes)
    return Caught(exercise.name, mistake.sentence, result.status,
                  failed.prop.name if failed else "", failed.examples if failed else 0, causes)


def solve(exercise: Exercise, seed: int = 0, examples: int = 60) -> ExerciseResult:
    """Grade the solution itself."""
    source = course.solutions(exercise.lesson).encode()
    return run_exercise(exercise, Local(source, f"{exercise.lesson}.py"), Settings(examples, seed))


def table(rows: Iterable[Caught]) -> str:
    """Write the results as a Markdown table."""
    lines = ["| exercise | planted mistake | caught by | after | diagnosis |", RULE * 5 + "|"]
    for row in rows:
        named = "right" if row.named else "**false**" if row.misnamed else "none"
        by = row.prop or "**not caught**"
        lines.append(f"| {row.exercise} | {row.mistake} | {by} | {row.examples} | {named} |")
    return "\n".join(lines)


# ---------------------------------------------------------------- published, and never worse


@dataclass(frozen=True)
class Totals:
    """The numbers of one exercise, or of all."""

    mistakes: int
    caught: int
    named: int
    false: int

    @classmethod
    def of(cls, rows: Collection[Caught]) -> Totals:
        """Count."""
        return cls(len(rows), sum(r.caught for r in rows), sum(r.named for r in rows),
                   sum(r.misnamed for r in rows))

    def worse(self, before: Totals) -> list[str]:
        """Say in what these numbers are worse than earlier ones."""
        pairs = {"mistakes are planted": (self.mistakes, before.mistakes),
                 "are caught": (self.caught, before.caught),
                 "are called by their name": (self.named, before.named)}
        found = [f"only {now} {what}, {then} before" for what, (now, then) in pairs.items()
                 if now < then]
        more = self.false > before.false
        return found + [f"{self.false} diagnoses are false, {before.false} before"] * more


def measure(jobs: int = 1) -> list[Caught]:
    """Grade every planted mistake of the course, in several processes."""
    with Workers(jobs) as workers:
        found = dict(workers.map(_measure, catalogue()))
    lost = {name: rows.reason for name, rows in found.items() if isinstance(rows, Lost)}
    if lost:
        raise RuntimeError("could not be measured: " + "; ".join(f"{n} ({r})" for n, r in
                                                                 lost.items()))
    return [row for name in catalogue() for row in found[name]]


def _measure(name: str) -> list[Caught]:
    return strength(catalogue()[name])


def published(rows: list[Caught]) -> str:
    """Write the page `docs/results/graders.md`: totals for each exercise, then every mistake."""
    every = Totals.of(rows)
    groups: dict[str, list[Caught]] = {}
    for row in rows:
        groups.setdefault(row.exercise, []).append(row)
    lines = [f"| {name} | {t.mistakes} | {t.caught} | {t.named} | {t.false} |"
             for name, t in ((name, Totals.of(group)) for name, group in groups.items())]
    return "\n".join([
        "# How strong the graders are", "",
        "Made by `minilearn teach strength`. Each planted mistake is a wrong version that people "
        "really write,", "graded with 60 examples of each property as a learner's code is. A "
        "diagnosis is right if it names the", "mistake, and false if it names only others.", "",
        f"**{every.caught} of {every.mistakes} mistakes are caught, {every.named} called by their "
        f"name; {every.false} diagnoses are false.**", "",
        "| exercise | mistakes | caught | named | false |", RULE * 5 + "|", *lines, "",
        "## Every mistake", "", "\"After\" is the number of cases until it was found, and the "
        "smallest case with it.", "", table(rows), ""])


def read_totals(page: str) -> dict[str, Totals]:
    """Read the totals of each exercise from such a page."""
    found = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    return {name: Totals(*map(int, numbers)) for name, *numbers in found}


def drops(before: str, now: str) -> list[str]:
    """Say in what the second page is worse than the first, exercise by exercise."""
    old, new = read_totals(before), read_totals(now)
    gone = [f"{name} is no longer there" for name in old if name not in new]
    return gone + [f"{name}: {sentence}" for name, totals in new.items() if name in old
                   for sentence in totals.worse(old[name])]
