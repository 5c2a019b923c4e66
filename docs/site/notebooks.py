"""From a lesson in percent format to an executed notebook."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
COMMAND = re.compile(r"(```sh\nminilearn check (\w+)\n```)")
INSTALL = """try:
    import minilearn
except ImportError:
    %pip install --quiet "minilearn[learn] @ git+https://github.com/{}"
"""


def made_from(lesson: Path, quick: bool) -> str:
    """Return a mark that changes when the lesson or the framework does."""
    texts = [path.read_bytes() for path in (lesson, *sorted((ROOT / "minilearn").rglob("*.py")))]
    repository = os.environ.get("GITHUB_REPOSITORY", "")
    return hashlib.sha256(b"".join(texts) + f"{quick} {repository}".encode()).hexdigest()


def notebook(lesson: Path) -> nbformat.NotebookNode:
    """Read a lesson; give each exercise a link to its page, and Colab a cell that installs."""
    made = jupytext.read(lesson, fmt="py:percent")
    for cell in made.cells:
        if cell.cell_type == "markdown":
            cell.source = COMMAND.sub(r"\1\n\n[Its task and its hints](#exercise-\2)", cell.source)
    repository = os.environ.get("GITHUB_REPOSITORY", "")
    if repository:
        install = nbformat.v4.new_code_cell(INSTALL.format(repository))
        install.metadata["tags"] = ["remove-cell"]
        made.cells.insert(1, install)
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3",
                                   "language": "python"}
    return made


def describe_pictures(made: nbformat.NotebookNode, name: str) -> None:
    """Tell the site each picture's width and text. Raises ValueError where it has no text."""
    for cell in made.cells:
        for output in cell.get("outputs", ()):
            if "image/png" not in output.get("data", {}):
                continue
            told = output.metadata.get("image/png", {})
            if not told.get("alt"):
                raise ValueError(f"{name}: a picture without a text; show it with viz.show, in the "
                                 f"cell:\n{cell.source}")
            cell.metadata["mystnb"] = {"image": {"alt": told["alt"],
                                                 "width": f"{told['width']}px"}}


def execute(lesson: Path, target: Path, quick: bool) -> str:
    """Run a lesson from top to bottom and write it as a notebook with its outputs.

    Nothing is run where the notebook is there and was made from the same sources. Returns a line
    that says what was done. Raises nbclient's CellExecutionError where a cell fails.
    """
    mark = made_from(lesson, quick)
    if target.exists() and nbformat.read(target, 4).metadata.get("made_from") == mark:
        return f"{lesson.stem}: as it was"
    made = notebook(lesson)
    os.environ |= {"MINILEARN_QUICK": "1" if quick else "0", "OMP_NUM_THREADS": "1"}
    # Every kernel warns that it talks over TCP; it does so to this machine alone.
    client = NotebookClient(made, timeout=900 if quick else None, startup_timeout=300,
                            extra_arguments=["--IPKernelApp.log_level=40"],
                            resources={"metadata": {"path": str(target.parent)}})
    target.parent.mkdir(parents=True, exist_ok=True)
    client.execute()
    describe_pictures(made, lesson.stem)
    made.metadata["made_from"] = mark
    nbformat.write(made, target)
    return f"{lesson.stem}: executed"
