"""What a student reads: one page, with every verdict and the way on."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..learn.pages import bar, page
from .gradebook import Gradebook
from .report import emphasised
from .store import write

STYLE = """
body { max-width: 60rem }
pre { overflow-x: auto; padding: .6rem .8rem; font-size: 13px; line-height: 1.35;
      background: #f4f4f4; border-radius: 4px }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem }
@media (prefers-color-scheme: dark) { pre { background: #242424 } a { color: #8ab4f8 } }
"""
UNTOUCHED = ("not_implemented", "missing", "unreadable", "import_error")


def write_feedback(book: Gradebook, folder: Path) -> list[Path]:
    """Write a page for everyone who handed something in; return the files."""
    written = []
    for student in book.results:
        written.append(folder / f"{student}.html")
        write(written[-1], feedback(book, student).encode())
    return written


def feedback(book: Gradebook, student: str) -> str:
    """Return the page of one student."""
    row, result = book.row(student), book.results[student]
    name = row["display_name"] or student
    outcomes = [(e, book.outcome(student, e["name"])) for e in book.exercises]
    body = [_score(book, row), _files(result)]
    lesson = ""
    for exercise, outcome in outcomes:
        if exercise["lesson"] != lesson:
            lesson = exercise["lesson"]
            body.append(f"<h2>{escape(lesson)}</h2>")
        body.append(_exercise(exercise, outcome))
    body.append(_foot(result))
    return page(f"{book.assignment}: {name}", "\n".join(body), STYLE)


def _score(book: Gradebook, row: dict[str, Any]) -> str:
    if row["points_earned"] is None:
        return ("<p><strong>The grader failed on a part of this submission.</strong> That is not "
                "your fault, and costs no points; your instructor will run it again.</p>")
    late = f", less {row['late_penalty']:g} for lateness: {row['final_points']:g}" \
        if row["late_penalty"] else ""
    return (f"<p><strong>{row['points_earned']} of {book.possible} points</strong>{late}.</p>"
            f"{bar(row['points_earned'], book.possible)}")


def _files(result: dict[str, Any]) -> str:
    """Say which files could not be read, and which were not looked at."""
    lines = [f"{name}: {why}" for name, why in result["unreadable"].items()]
    if result["ignored"]:
        lines.append(f"Not graded: {', '.join(map(str, result['ignored'][:20]))}.")
    return "".join(f"<p class=seen>{escape(line)}</p>" for line in lines)


def _exercise(exercise: dict[str, Any], outcome: dict[str, Any] | None) -> str:
    title = f"{exercise['number']} <code>{escape(exercise['name'])}</code>, " \
            f"{escape(exercise['title'])}"
    if outcome is None:
        return f"<h3>{title}: not graded</h3>"
    earned = "?" if outcome["points_earned"] is None else outcome["points_earned"]
    good = outcome["status"] == "pass"
    head = f"<h3>{'✓' if good else '✗'} {title}: {earned} of {exercise['points']}</h3>"
    return head if good else head + _properties(outcome) + _explanation(outcome)


def _properties(outcome: dict[str, Any]) -> str:
    if outcome["status"] in UNTOUCHED:
        return ""
    rows = "".join(f"<tr><td>{'✓' if p['status'] == 'pass' else '✗'}</td>"
                   f"<td>{escape(p['name'])}</td><td class=seen>{escape(_words(p['status']))}</td>"
                   f"<td class=n>{_earned(p)} of {p['points_possible']}</td></tr>"
                   for p in outcome["properties"])
    return f"<table>{rows}</table>"


def _earned(outcome: dict[str, Any]) -> str:
    return "?" if outcome["points_earned"] is None else str(outcome["points_earned"])


def _words(status: str) -> str:
    return status.replace("_", " ")


def _explanation(outcome: dict[str, Any]) -> str:
    """Show the message, and the case as a file that `minilearn replay` reads."""
    text = f"<pre>{emphasised(outcome['message'])}</pre>"
    case = outcome["case"]
    if not case or not case["text"]:
        return text
    name = f"{case['exercise']}-{case['id']}.json"
    content = json.dumps({"exercise": case["exercise"], "property": case["property"],
                          "case": json.loads(case["text"])})
    return (f"{text}<p><small><a download='{escape(name)}' href='data:application/json,"
            f"{quote(content)}'>Save this input</a> into the folder of your work, then: "
            f"<code>minilearn replay {escape(name)}</code></small></p>")


def _foot(result: dict[str, Any]) -> str:
    return (f"<p class=seen><small>Graded {escape(result['graded_at'])} by minilearn "
            f"{escape(result['grader_version'])}, with other inputs than <code>minilearn check"
            "</code> draws, of the same kinds.</small></p>")
