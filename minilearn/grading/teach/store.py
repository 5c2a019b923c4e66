"""The folder of a graded class: what was graded, and a file of outcomes for each submission.

`batch.json` says what was graded and how, `results/STUDENT.json` what came of it. Every table and
page is made of these, so that they can be made anew at any time.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...train.files import write_whole

SCHEMA = 1


class GradingError(RuntimeError):
    """The class cannot be graded or reported like this: why, and what to do."""


@dataclass(frozen=True)
class Store:
    """A folder of outcomes."""

    folder: Path

    @property
    def exists(self) -> bool:
        """Whether anything has been graded into it."""
        return (self.folder / "batch.json").is_file()

    def file(self, student: str) -> Path:
        """Return where the outcomes of a submission are kept."""
        return self.folder / "results" / f"{student}.json"

    def batch(self) -> dict[str, Any]:
        """Return what was graded and how. Raises GradingError where there is nothing."""
        if not self.exists:
            raise GradingError(f"{self.folder} holds no results: there is no batch.json in it. "
                               "Make them with `minilearn teach grade DIR --out DIR`.")
        return read_json(self.folder / "batch.json")

    def write_batch(self, batch: dict[str, Any]) -> None:
        """Keep what is graded and how."""
        write_json(self.folder / "batch.json", batch)

    def result(self, student: str) -> dict[str, Any]:
        """Return the outcomes of one submission, or an empty dict if it has none."""
        file = self.file(student)
        return read_json(file) if file.is_file() else {}

    def write_result(self, result: dict[str, Any]) -> None:
        """Keep the outcomes of one submission: the file is whole, or not there."""
        write_json(self.file(result["student_id"]), result)

    def all(self) -> list[dict[str, Any]]:
        """Return the outcomes of every submission, by student."""
        found = [read_json(file) for file in (self.folder / "results").glob("*.json")]
        return sorted(found, key=lambda result: result["student_id"])


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a file of ours, whole. Raises GradingError when that is not possible."""
    write(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


def write(path: Path, content: bytes) -> None:
    """Write a file, whole. Raises GradingError when that is not possible."""
    try:
        write_whole(path, content)
    except OSError as error:
        raise GradingError(f"cannot write {path}: {error.strerror}; what was written before is "
                           "whole") from error


def read_json(path: Path) -> dict[str, Any]:
    """Read a file of ours. Raises GradingError when it is none, or of a later version."""
    try:
        found = json.loads(path.read_text("utf-8"))
        schema = found["schema"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GradingError(f"{path} cannot be read ({error}); delete it and grade again with "
                           "--resume, which grades only what is not there") from None
    if schema != SCHEMA:
        raise GradingError(f"{path} was written in format {schema}, this version reads format "
                           f"{SCHEMA}; grade into a new folder")
    return found


def read_roster(path: Path) -> list[dict[str, str]]:
    """Read a class list: a CSV with `student_id`, and perhaps `name`, `email`, `late_seconds`
    and `late_penalty` (in points). Raises GradingError.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = [{k: (v or "").strip() for k, v in row.items() if k}
                    for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise GradingError(f"the roster {path} cannot be read: {error}") from None
    if not rows or "student_id" not in rows[0]:
        raise GradingError(f"the roster {path} must be a CSV whose first line names the columns, "
                           "student_id among them (then name, email)")
    for row in rows:
        for column in ("late_seconds", "late_penalty"):
            _number(path, row, column)
    ids = [row["student_id"] for row in rows if row["student_id"]]
    if twice := sorted({i for i in ids if ids.count(i) > 1}):
        raise GradingError(f"the roster {path} lists {', '.join(twice)} more than once")
    return [row for row in rows if row["student_id"]]


def _number(path: Path, row: dict[str, str], column: str) -> None:
    try:
        good = 0 <= float(row.get(column) or 0) < float("inf")
    except ValueError:
        good = False
    if not good:
        raise GradingError(f"the roster {path} gives {row['student_id']} the {column} "
                           f"{row[column]!r}; it must be a number, not below 0")
