"""The learner's commands: start, check, watch, hint, replay, list, status, show, reset."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import WorkOption, opened

if TYPE_CHECKING:
    from ..contracts import Exercise

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME...", help="Exercises, or lessons such as 03 (default: the next).")
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="An exercise; `list` shows them.")]


def one(name: str) -> Exercise:
    """Find the one exercise of this name."""
    from ..grading.learn.work import WorkError, select

    found = select([name])
    if len(found) > 1:
        raise WorkError(f"{name} is a lesson; name one of its exercises: "
                        + ", ".join(e.name for e in found))
    return found[0]


def say(text: str, end: str = "\n") -> None:
    """Print a message, with colours where somebody sees them."""
    from ..grading.checking.message import styled

    print(styled(text, sys.stdout.isatty()), end=end)


def start(
    folder: Annotated[Path, typer.Argument(help="Made if it does not exist.")] = Path("course"),
) -> None:
    """Copy the exercises to a folder of your own. Files that are there already stay as they are."""
    try:
        from ..grading.learn.work import Work
    except ImportError as error:
        raise RuntimeError(f"the course needs {error.name}, which is not installed: "
                           "pip install 'minilearn[learn]'") from None
    work, new = Work.start(folder)
    first = work.next()
    print(f"{len(new)} new files in {folder}" if new else f"{folder} is complete; nothing changed.")
    if first:
        print(f"Begin with {first.name} in {folder / (first.lesson + '.py')}:")
        print(f"  cd {folder}")
        print("  minilearn watch          checks whenever you save")
        print(f"  minilearn check {first.name:<9} checks once")


def check(
    names: Names = None,
    every: Annotated[bool, typer.Option("--all", help="Check all exercises anew.")] = False,
    out: Annotated[Path | None, typer.Option("--json", help="Also write the results here.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Draw these cases.")] = None,
    work: WorkOption = None,
) -> None:
    """Check exercises, and say precisely what is wrong. Exit status 0 if all of them pass."""
    folder = opened(work)
    from ..contracts import catalogue
    from ..grading.isolation.child import probe
    from ..grading.learn import learner
    from ..grading.learn.work import select

    upcoming = folder.next()
    if names and every:
        raise typer.BadParameter("give names or --all, not both")
    chosen = select(names) if names else list(catalogue().values()) if every else [upcoming]
    results = []
    for exercise in filter(None, chosen):
        results.append(learner.check(folder, exercise, seed))
        say(learner.report(results[-1]), end="\n\n" if len(chosen) > 1 else "\n")
    if out:
        out.write_text(json.dumps(learner.as_json(results, probe()), indent=1) + "\n", "utf-8")
    if len(chosen) > 1 or not results:
        print("\n".join(learner.picture(folder)))
    if not all(r.passed for r in results):
        raise typer.Exit(1)
    upcoming = folder.next()
    if upcoming and len(chosen) == 1:
        print(f"Next: {upcoming.name}, {upcoming.title} ({upcoming.lesson}.py)")


def watch(
    poll: Annotated[bool, typer.Option("--poll", help="Where saving goes unnoticed.")] = False,
    work: WorkOption = None,
) -> None:
    """Check whenever you save a file; after a pass, go on to the next exercise."""
    folder = opened(work)
    from ..grading.learn.watch import watch as watching

    watching(folder, poll)


def hint(name: Name, work: WorkOption = None) -> None:
    """Show the next of an exercise's three hints."""
    folder = opened(work)
    from ..grading.learn import learner

    print(learner.hint(folder, one(name)))


def listed(work: WorkOption = None) -> None:
    """List all exercises, and which are done."""
    folder = opened(work)
    from ..grading.learn import learner

    for line in learner.listing(folder):
        print(line)


def status(
    html: Annotated[Path | None, typer.Option("--html", help="Write a page instead.")] = None,
    work: WorkOption = None,
) -> None:
    """Show your progress."""
    folder = opened(work)
    from ..grading.learn import learner
    from ..grading.learn.pages import progress_page

    if html:
        html.write_text(progress_page(folder), "utf-8")
        print(f"Written: {html}")
        return
    for line in learner.picture(folder):
        print(line)


def show(
    name: Name,
    stuck: Annotated[bool, typer.Option("--i-am-stuck", help="Even before it passes.")] = False,
    work: WorkOption = None,
) -> None:
    """Show an exercise's solution, once yours passes."""
    folder = opened(work)
    from ..grading.learn import learner

    print(learner.solution(folder, one(name), stuck), end="")


def reset(name: Name, work: WorkOption = None) -> None:
    """Put the blank exercise back; your version is kept in a backup."""
    saved = opened(work).reset(one(name))
    print(f"{name} is blank again. Your file as it was: {saved}")


def replay(
    case: Annotated[str, typer.Argument(metavar="CASE", help="EXERCISE#ID, or a case file.")],
    pdb: Annotated[bool, typer.Option("--pdb", help="Step through it in the debugger.")] = False,
    work: WorkOption = None,
) -> None:
    """Try your code again on one input of an earlier failure."""
    folder = opened(work)
    from ..grading.learn.replay import replay as again

    say(again(folder, case, pdb))


COMMANDS: dict[str, Callable[..., None]] = {
    "start": start, "check": check, "watch": watch, "hint": hint, "replay": replay, "list": listed,
    "status": status, "show": show, "reset": reset}
