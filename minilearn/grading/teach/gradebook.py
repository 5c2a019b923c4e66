"""A class as rows: a student each, from the outcomes and the roster."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..verdicts import Status
from .store import Store

AFTER = ("points_earned", "points_possible", "percent", "late_seconds", "late_penalty",
         "final_points", "status", "n_grader_errors", "flags", "sealed", "content_sha256",
         "graded_at", "grader_version", "seed_id")
LONG = ("student_id", "exercise", "property", "status", "points_earned", "points_possible",
        "seconds", "case_id", "message")
POINTS = ("exercise", "property", "points", "title")
OURS = (Status.GRADER_ERROR, Status.NOT_RUN)


class Gradebook:
    """All that is known of a class, read once."""

    def __init__(self, store: Store, assignment: str | None = None):
        self.batch = store.batch()
        self.assignment = assignment or self.batch["assignment"]
        self.results = {r["student_id"]: r for r in store.all()}
        self.roster = {row["student_id"]: row for row in self.batch["roster"]}
        self.exercises: list[dict[str, Any]] = self.batch["exercises"]
        self.possible = sum(e["points"] for e in self.exercises)

    @property
    def students(self) -> list[str]:
        """Everyone on the roster, and everyone who handed something in."""
        return sorted({*self.results, *self.roster})

    def columns(self) -> list[str]:
        """Name the columns of the wide table."""
        names = [e["name"] for e in self.exercises]
        return ["student_id", "display_name", "submission", *names, *AFTER]

    def rows(self) -> list[dict[str, Any]]:
        """Return the wide table: a row for each student."""
        return [self.row(student) for student in self.students]

    def row(self, student: str) -> dict[str, Any]:
        """Return one student's row. What the grader failed to grade stays empty."""
        result = self.results.get(student)
        points = {e["name"]: self.points(student, e["name"]) for e in self.exercises}
        missing = result is not None and None in points.values()
        earned = None if missing else sum(p or 0 for p in points.values())
        return {"student_id": student, **points, **self._person(student), **self._score(
            student, earned), **self._circumstances(result or {}),
            "status": self.status(student), "n_grader_errors": self.errors(student),
            "points_possible": self.possible}

    def points(self, student: str, exercise: str) -> int | None:
        """Return the points for one exercise; None if it was not, or could not be, graded."""
        entry = self.outcome(student, exercise)
        return entry["points_earned"] if entry else None

    def outcome(self, student: str, exercise: str) -> dict[str, Any] | None:
        """Return the outcome of one exercise, or None."""
        return self.results.get(student, {}).get("exercises", {}).get(exercise)

    def errors(self, student: str) -> int:
        """Count the exercises on which the grader itself failed."""
        outcomes = (self.outcome(student, e["name"]) for e in self.exercises)
        return sum(bool(o) and o["points_earned"] is None for o in outcomes)

    def status(self, student: str) -> str:
        """Say how far a submission is graded."""
        if student not in self.results:
            return "missing"
        if self.errors(student):
            return "grader_error"
        outcomes = [self.outcome(student, e["name"]) for e in self.exercises]
        if None in outcomes:
            return "partial"
        kinds = {o["status"] for o in outcomes if o}
        return kinds.pop() if kinds in ({Status.MISSING}, {Status.UNREADABLE}) else "graded"

    def _person(self, student: str) -> dict[str, Any]:
        person = self.roster.get(student, {})
        return {"display_name": person.get("name") or "",
                "submission": self.results.get(student, {}).get("submission", "")}

    def _score(self, student: str, earned: int | None) -> dict[str, Any]:
        person = self.roster.get(student, {})
        penalty = float(person.get("late_penalty") or 0)
        known = earned is not None
        return {"points_earned": earned, "late_penalty": penalty,
                "late_seconds": float(person.get("late_seconds") or 0),
                "percent": round(100 * earned / max(self.possible, 1), 2) if known else None,
                "final_points": max(0.0, earned - penalty) if known else None}

    def _circumstances(self, result: dict[str, Any]) -> dict[str, Any]:
        flags = {f for e in result.get("exercises", {}).values() for f in e["flags"]}
        sealed = ("yes" if result["sealed"] else "no") if result else ""
        return {"flags": " ".join(sorted(flags)), "sealed": sealed,
                **{k: result.get(k, "") for k in ("content_sha256", "graded_at", "grader_version",
                                                  "seed_id")}}

    # ------------------------------------------------------------ other tables

    def long_rows(self) -> list[dict[str, Any]]:
        """Return the long table: a row for each student, exercise and property."""
        return [{"student_id": student, "exercise": exercise, "property": p["name"],
                 "case_id": p["case"], **p}
                for student, result in sorted(self.results.items())
                for exercise, outcome in result["exercises"].items()
                for p in outcome["properties"]]

    def point_rows(self) -> list[dict[str, Any]]:
        """Return what every property is worth."""
        return [{"exercise": e["name"], "property": p["name"], "points": p["points"],
                 "title": e["title"]} for e in self.exercises for p in e["properties"]]

    def misconceptions(self) -> list[tuple[str, str, list[str]]]:
        """List (exercise, cause, students), the commonest first: what to teach again."""
        found: dict[tuple[str, str], list[str]] = {}
        for student, result in sorted(self.results.items()):
            for exercise, outcome in result["exercises"].items():
                for cause in outcome["causes"]:
                    found.setdefault((exercise, cause), []).append(student)
        order = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
        return [(exercise, cause, students) for (exercise, cause), students in order]

    def statuses(self, exercise: str) -> Counter[str]:
        """Count what became of an exercise."""
        outcomes = (self.outcome(student, exercise) for student in self.results)
        return Counter(o["status"] for o in outcomes if o)
