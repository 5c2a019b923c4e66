"""The gradebook in the forms that other systems read; their column names, to the letter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .gradebook import LONG, POINTS, Gradebook
from .table import to_csv

NBGRADER = ("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
            "raw_score", "late_submission_penalty", "score", "max_score")
GRADESCOPE = ("First Name", "Last Name", "SID", "Email", "Sections", "Total Score", "Max Points",
              "Status", "Submission ID", "Submission Time", "Lateness (H:M:S)", "View Count",
              "Submission Count")
CANVAS = "Student", "ID", "SIS User ID", "SIS Login ID", "Section"
CLASSROOM = ("assignment_name", "assignment_url", "starter_code_url", "github_username",
             "roster_identifier", "student_repository_name", "student_repository_url",
             "submission_timestamp", "points_awarded", "points_available")
POINTS_POSSIBLE = "    Points Possible"

Table = tuple[list[str], list[dict[str, Any]]]


def export(book: Gradebook, form: str, excel: bool = False) -> dict[str, bytes]:
    """Return the files of one of `FORMATS`, by name.

    excel: mark the files as UTF-8 in the way that program understands.
    """
    return {name: to_csv(*table, excel=excel) for name, table in FORMATS[form](book).items()}


def _csv(book: Gradebook) -> dict[str, Table]:
    return {"gradebook.csv": (book.columns(), book.rows()),
            "results.csv": ([*LONG], book.long_rows()),
            "points.csv": ([*POINTS], book.point_rows())}


def _nbgrader(book: Gradebook) -> dict[str, Table]:
    rows = []
    for row in book.rows():
        first, last = names(row["display_name"])
        rows.append({"assignment": book.assignment, "duedate": "",
                     "timestamp": row["graded_at"], "student_id": row["student_id"],
                     "last_name": last, "first_name": first, "email": _email(book, row),
                     "raw_score": _score(row["points_earned"], row),
                     "late_submission_penalty": row["late_penalty"],
                     "score": _score(row["final_points"], row), "max_score": book.possible})
    return {"nbgrader.csv": ([*NBGRADER], rows)}


def _gradescope(book: Gradebook) -> dict[str, Table]:
    questions = {e["name"]: f"{e['number']}: {e['name']} ({e['points']} pts)"
                 for e in book.exercises}
    rows = []
    for row in book.rows():
        first, last = names(row["display_name"])
        there = row["status"] != "missing"
        rows.append({"First Name": first, "Last Name": last, "SID": row["student_id"],
                     "Email": _email(book, row), "Total Score": row["final_points"] if there
                     else None, "Max Points": book.possible,
                     "Status": "Graded" if there else "Missing",
                     "Submission Time": row["graded_at"], "Submission Count": int(there),
                     "Lateness (H:M:S)": _clock(row["late_seconds"]),
                     **{title: row[name] for name, title in questions.items()}})
    return {"gradescope.csv": ([*GRADESCOPE, *questions.values()], rows)}


def _canvas(book: Gradebook) -> dict[str, Table]:
    column = book.assignment
    rows: list[dict[str, Any]] = [{"Student": POINTS_POSSIBLE, column: book.possible}]
    for row in book.rows():
        rows.append({"Student": row["display_name"] or row["student_id"],
                     "SIS User ID": row["student_id"], "SIS Login ID": _email(book, row),
                     column: row["final_points"]})
    return {"canvas.csv": ([*CANVAS, column], rows)}


def _classroom(book: Gradebook) -> dict[str, Table]:
    rows = [{"assignment_name": book.assignment, "github_username": row["student_id"],
             "roster_identifier": row["display_name"] or row["student_id"],
             "student_repository_name": row["submission"],
             "submission_timestamp": row["graded_at"], "points_awarded": row["final_points"],
             "points_available": book.possible} for row in book.rows()]
    return {"classroom.csv": ([*CLASSROOM], rows)}


FORMATS: dict[str, Callable[[Gradebook], dict[str, Table]]] = {
    "csv": _csv, "nbgrader": _nbgrader, "gradescope": _gradescope, "canvas": _canvas,
    "classroom": _classroom}


def names(display_name: str) -> tuple[str, str]:
    """Split a name into first and last.

    >>> names("Ada King Lovelace"), names("Lovelace, Ada"), names("Ada")
    (('Ada King', 'Lovelace'), ('Ada', 'Lovelace'), ('Ada', ''))
    """
    if "," in display_name:
        last, _, first = display_name.partition(",")
    elif " " in display_name.strip():
        first, _, last = display_name.strip().rpartition(" ")
    else:
        first, last = display_name, ""
    return first.strip(), last.strip()


def _email(book: Gradebook, row: dict[str, Any]) -> str:
    return book.roster.get(row["student_id"], {}).get("email") or ""


def _score(points: float | None, row: dict[str, Any]) -> float | None:
    """Who handed in nothing has 0; what the grader failed to grade stays empty."""
    return 0.0 if row["status"] == "missing" else points


def _clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{second:02}"
