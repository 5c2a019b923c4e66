"""Tables for spreadsheets: CSV that no cell can break or turn into a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

FORMULA = "=", "+", "-", "@", "\t", "\r"


def cell(value: Any) -> str:
    """Write one value: numbers as they are, text on one line and never as a formula.

    >>> cell(-1.5), cell("-1+2"), cell(None), cell("two\\nlines")
    ('-1.5', "'-1+2", '', 'two / lines')
    """
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.10g}"
    text = str(value)
    if text.startswith(FORMULA):
        text = f"'{text}"
    text = " / ".join(part.strip() for part in text.splitlines()) if "\n" in text else text
    return "".join(c for c in text if c.isprintable())


def to_csv(columns: Iterable[str], rows: Iterable[dict[str, Any]], excel: bool = False) -> bytes:
    """Write rows as CSV in UTF-8; `excel` adds the mark by which that program knows UTF-8."""
    columns, text = list(columns), io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n" if excel else "\n")
    writer.writerow([cell(column) for column in columns])
    writer.writerows([cell(row.get(column)) for column in columns] for row in rows)
    return text.getvalue().encode("utf-8-sig" if excel else "utf-8")
