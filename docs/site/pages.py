"""The pages that are made of other things: exercises, results, the front page."""

from __future__ import annotations

import ast
import os
import re
import shutil
from pathlib import Path

import reference

from minilearn.contracts import Exercise, catalogue, course

ROOT = Path(__file__).parents[2]
STARS = {1: "★☆☆", 2: "★★☆", 3: "★★★"}


def write(folder: Path, lessons: list[str]) -> None:
    """Write every page that is not a lesson into the folder that Sphinx reads."""
    exercises(folder / "exercises")
    (folder / "reference").mkdir(exist_ok=True)
    for module, title in reference.PAGES.items():
        (folder / "reference" / f"{module}.md").write_text(reference.page(module, title), "utf-8")
    results(folder)
    (folder / "index.md").write_text(front(folder, lessons), "utf-8")


# ---------------------------------------------------------------- exercises


def exercises(folder: Path) -> None:
    """Write a page of exercises for each lesson that has some."""
    folder.mkdir(exist_ok=True)
    by_lesson: dict[str, list[Exercise]] = {}
    for exercise in catalogue().values():
        by_lesson.setdefault(exercise.lesson, []).append(exercise)
    for lesson, members in by_lesson.items():
        number, topic = lesson.split("_", 1)
        head = [f"# Exercises {int(number)}: {topic.replace('_', ' ')}", introduction(lesson)]
        text = "\n\n".join([*head, *map(exercise_text, members)])
        (folder / f"{lesson}.md").write_text(text + "\n", "utf-8")


def introduction(lesson: str) -> str:
    """Return what holds for all exercises of a lesson: the docstring of its file."""
    told = reference.prose(ast.get_docstring(ast.parse(course.solutions(lesson))) or "")
    return (f"{told}\n\nThe functions are in `{lesson}.py` of your own folder (`minilearn start`). "
            "Stars say how hard an exercise is.")


def exercise_text(exercise: Exercise) -> str:
    """Return one exercise: its task, what is checked, its hints folded away."""
    function, docstring = task(exercise)
    checked = "\n".join(f"* {p.name} ({p.points} point{'s' * (p.points > 1)})"
                        for p in exercise.properties)
    hints = "\n\n".join(f"<details><summary>Hint {i}</summary>\n\n{reference._plain(hint)}\n\n"
                        "</details>" for i, hint in enumerate(exercise.hints, 1))
    return "\n\n".join([
        f"(exercise-{exercise.name})=\n## `{exercise.name}`: {exercise.title}",
        f"{STARS[exercise.difficulty]} · about {exercise.minutes} minutes · "
        f"{exercise.points} points",
        f"```python\n{function}\n```", reference.prose(docstring),
        f"**What is checked.** Your function:\n\n{checked}",
        f"```sh\nminilearn check {exercise.name}\n```", hints])


def task(exercise: Exercise) -> tuple[str, str]:
    """Return an exercise's first lines (for a class, of its methods too) and its docstring."""
    _, body, _ = course.around(course.solutions(exercise.lesson), exercise.name)
    node = ast.parse(body).body[0]
    assert isinstance(node, ast.FunctionDef | ast.ClassDef)
    docstring, lines = ast.get_docstring(node) or "", [_head(node)]
    for method in node.body if isinstance(node, ast.ClassDef) else []:
        if isinstance(method, ast.FunctionDef):
            lines.append("    " + _head(method))
            docstring += f"\n\n`{method.name}`: {ast.get_docstring(method) or ''}"
    return "\n".join(lines), docstring


def _head(node: ast.FunctionDef | ast.ClassDef) -> str:
    if isinstance(node, ast.ClassDef):
        return f"class {node.name}:"
    return f"def {node.name}({ast.unparse(node.args)}):"


# ---------------------------------------------------------------- results and the front page


def results(folder: Path) -> None:
    """Copy the pages of results, and the record of the benchmark."""
    shutil.copytree(ROOT / "docs" / "results", folder / "results", dirs_exist_ok=True)
    for page in sorted((ROOT / "docs").glob("*.md")):
        (folder / page.name).write_text(inside(page.read_text(encoding="utf-8")), "utf-8")
    shutil.copy(ROOT / "minilearn" / "bench" / "RESULTS.md", folder / "results" / "speed.md")


def inside(text: str) -> str:
    """Let a page's links to other files of the repository lead somewhere from the site, too."""
    text = text.replace("../minilearn/bench/RESULTS.md", "results/speed.md")
    repository = os.environ.get("GITHUB_REPOSITORY", "")
    link = rf"[\1](https://github.com/{repository}/blob/main/\2)" if repository else r"\1 (`\2`)"
    return re.sub(r"\[([^\]]+)\]\(\.\./([^)]+)\)", link, text)


FRONT = """# minilearn

A deep-learning framework small enough to read in a weekend, and a course that rebuilds it. It looks
like PyTorch, and underneath there is nothing but NumPy and source meant to be read.

Read a lesson, write its functions, and see at once whether they are right. What you wrote can then
take the framework's place and train the lesson's nets.

```sh
minilearn start course      # the exercises, in a folder of your own
cd course
minilearn watch             # checks whenever you save, and goes on after a pass
```

Each lesson can be read here, or run: its download button gives the notebook{colab}.
"""


def front(folder: Path, lessons: list[str]) -> str:
    """Return the front page with the table of contents of the whole site."""
    colab = ", its rocket opens it in Colab" if os.environ.get("GITHUB_REPOSITORY") else ""
    made = sorted(p.stem for p in (folder / "exercises").glob("*.md"))
    extra = sorted(p.stem for p in folder.glob("*.md") if p.stem != "index")
    return "\n".join([
        FRONT.format(colab=colab),
        tree("Lessons", [f"lessons/{name}" for name in lessons]),
        tree("Exercises", [f"exercises/{name}" for name in made]),
        tree("Results", [f"results/{p.stem}" for p in sorted((folder / "results").glob("*.md"))]),
        tree("More", extra),
        tree("Reference", [f"reference/{module}" for module in reference.PAGES])])


def tree(caption: str, pages: list[str]) -> str:
    """Return a part of the table of contents; nothing where it has no pages."""
    if not pages:
        return ""
    listed = "\n".join(pages)
    return f"```{{toctree}}\n:maxdepth: 1\n:caption: {caption}\n\n{listed}\n```\n"
