"""Reading a lesson: its cells, without the extra that makes notebooks of them."""

import re
from dataclasses import dataclass
from pathlib import Path

LESSONS = Path(__file__).parents[2] / "lessons"
NAMES = sorted(path.stem for path in LESSONS.glob("*.py"))


@dataclass
class Cell:
    """A cell: the line it begins at, its kind ("markdown" or "code") and its text."""

    line: int
    kind: str
    text: str


def cells(source):
    """Cut a source in percent format into its cells."""
    found = []
    for number, line in enumerate(source.splitlines(), 1):
        if line.startswith("# %%"):
            found.append(Cell(number, "markdown" if "[markdown]" in line else "code", ""))
        elif found:
            found[-1].text += line + "\n"
        elif line.strip():
            raise ValueError(f"line {number} stands before the first cell")
    for cell in found:
        if cell.kind == "markdown":
            cell.text = re.sub(r"^# ?", "", cell.text, flags=re.M)
    return found


def read(name):
    """Return a lesson's source."""
    return (LESSONS / f"{name}.py").read_text(encoding="utf-8")


def prose(source):
    """Return a lesson's text, with every run of spaces and line ends as one space."""
    text = "\n\n".join(cell.text for cell in cells(source) if cell.kind == "markdown")
    return re.sub(r"\s+", " ", text)
