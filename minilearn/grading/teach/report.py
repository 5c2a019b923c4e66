"""What an instructor reads of a graded class: tables, and a page with what to teach again."""

from __future__ import annotations

import re
from html import escape
from statistics import median
from typing import Any

from ..learn.pages import bar, page
from .gradebook import LONG, POINTS, Gradebook
from .store import Store, write
from .table import to_csv

BINS = 10
COMMONEST = 20  # misconceptions on the page


def write_all(store: Store) -> int:
    """Write the tables and the summary; return how many outcomes the grader failed to find."""
    book = Gradebook(store)
    files = {"gradebook.csv": to_csv(book.columns(), book.rows()),
             "results.csv": to_csv(LONG, book.long_rows()),
             "points.csv": to_csv(POINTS, book.point_rows()),
             "summary.html": summary(book).encode()}
    for name, content in files.items():
        write(store.folder / name, content)
    return sum(book.errors(student) for student in book.students)


def line(result: dict[str, Any]) -> str:
    """Say what came of one submission, in one line."""
    exercises = result["exercises"].values()
    earned = sum(e["points_earned"] or 0 for e in exercises)
    possible = sum(e["points_possible"] for e in exercises)
    errors = sum(e["points_earned"] is None for e in exercises)
    trouble = f"   {errors} exercises could not be graded" if errors else ""
    seconds = sum(e["seconds"] for e in exercises)
    return f"{result['student_id']:<20} {earned:>4} of {possible} points {seconds:6.1f} s{trouble}"


# ---------------------------------------------------------------- the page


def summary(book: Gradebook) -> str:
    """Return the page about the class."""
    title = f"{book.assignment}: the class at a glance"
    return page(title, "\n".join([_head(book), _distribution(book), _misconceptions(book),
                                  _exercises(book), _attention(book), _foot(book)]))


def _head(book: Gradebook) -> str:
    handed_in = [book.row(student)["points_earned"] for student in book.results]
    points = [p for p in handed_in if p is not None]
    middle = f" The median is {median(points):g} of {book.possible} points." if points else ""
    absent = len(book.students) - len(book.results)
    missing = f" {absent} of the roster handed in nothing." if absent else ""
    return f"<p><strong>{len(book.results)}</strong> submissions.{middle}{missing}</p>"


def _distribution(book: Gradebook) -> str:
    """Draw how many submissions have reached each tenth of the points."""
    percents = [p for s in book.results if (p := book.row(s)["percent"]) is not None]
    counts = [0] * BINS
    for percent in percents:
        counts[min(int(percent / 100 * BINS), BINS - 1)] += 1
    rows = "".join(f"<tr><td class=n>{100 * i // BINS} to {100 * (i + 1) // BINS} %</td>"
                   f"<td style='width:80%'>{bar(n, max(*counts, 1))}</td><td class=n>{n}</td></tr>"
                   for i, n in reversed([*enumerate(counts)]))
    return f"<h2>Distribution</h2><table>{rows}</table>"


def _misconceptions(book: Gradebook) -> str:
    rows = "".join(
        f"<tr><td class=n>{len(students)}</td><td><code>{escape(exercise)}</code></td>"
        f"<td>{emphasised(cause)}<br><small class=seen>{escape(', '.join(students[:12]))}"
        f"{' ...' if len(students) > 12 else ''}</small></td></tr>"
        for exercise, cause, students in book.misconceptions()[:COMMONEST])
    body = f"<table>{rows}</table>" if rows else "<p>No failure could be explained.</p>"
    return f"<h2>What to teach again</h2>{body}"


def _exercises(book: Gradebook) -> str:
    rows = []
    for e in book.exercises:
        counts = book.statuses(e["name"])
        others = ", ".join(f"{n} {status.replace('_', ' ')}" for status, n in counts.most_common()
                           if status != "pass")
        rows.append(f"<tr><td>{e['number']}</td><td><code>{escape(e['name'])}</code></td>"
                    f"<td style='width:35%'>{bar(counts['pass'], counts.total())}</td>"
                    f"<td class=n>{counts['pass']} of {counts.total()}</td>"
                    f"<td><small>{escape(others)}</small></td></tr>")
    return f"<h2>Exercises</h2><table>{''.join(rows)}</table>"


def _attention(book: Gradebook) -> str:
    """List what an instructor should look at by hand."""
    items = [escape(problem) for problem in book.batch["problems"]]
    for row in book.rows():
        reasons = [row["status"]] if row["status"] != "graded" else []
        reasons += [f"flagged: {row['flags']}"] if row["flags"] else []
        if reasons:
            items.append(f"{escape(row['student_id'])}: {escape(', '.join(reasons))}")
    if not items:
        return ""
    return f"<h2>To look at</h2><ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"


def _foot(book: Gradebook) -> str:
    batch = book.batch
    sealed = "" if batch["sealed"] else " This machine cannot hide files from submissions; " \
        "results are protected, secrets are not."
    checks = "; ".join(f"{when}: {'passed' if found == 'passed' else 'FAILED'}"
                       for when, found in batch["self_check"].items())
    return (f"<p class=seen><small>Grader {escape(batch['grader_version'])}, seed "
            f"{batch['seed_id']}, isolation tier {batch['tier']}. Self-check {checks or 'not run'}."
            f"{sealed}</small></p>")


def emphasised(text: str) -> str:
    """Return text as HTML, with **words** in bold."""
    return re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", escape(text))
