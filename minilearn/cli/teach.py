"""`minilearn teach ...`: the instructor's commands."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Hand out exercises, grade a class, report on it.", no_args_is_help=True)


class Form(StrEnum):
    """What a gradebook can be exported as."""

    csv = "csv"
    gradescope = "gradescope"
    canvas = "canvas"
    nbgrader = "nbgrader"
    classroom = "classroom"


Out = Annotated[Path, typer.Option("--out", help="The folder of the results.")]
Graded = Annotated[Path, typer.Argument(metavar="RESULTS", help="What `teach grade` made.")]
Only = Annotated[list[str] | None, typer.Option("--only", help="An exercise, or a lesson like 03.")]
Jobs = Annotated[int, typer.Option("--jobs", min=1, help="How many processes.")]
Roster = Annotated[Path | None, typer.Option("--roster", help="CSV: student_id, name, email.")]
SeedFile = Annotated[Path | None, typer.Option("--seed-file", help="Holds a secret text.")]
Submissions = Annotated[Path, typer.Argument(metavar="DIR", help="A folder or zip per student.")]


def course_needs() -> None:
    """Say in one sentence what is not installed."""
    try:
        from .. import contracts  # noqa: F401
    except ImportError as error:
        raise RuntimeError(f"the course needs {error.name}, which is not installed: "
                           "pip install 'minilearn[learn]'") from None


@app.callback()
def group() -> None:
    """Hand out exercises, grade a class, report on it."""


@app.command()
def release(
    out: Annotated[Path | None, typer.Option("--out", help="Where the starters go.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only say which are stale.")] = False,
) -> None:
    """Make the starters from the solutions. With --check: exit status 1 if any is stale."""
    course_needs()
    from ..contracts import course
    from ..grading.teach.release import release as write
    from ..grading.teach.release import stale

    folder = out or course.folder("exercises")
    if check:
        for name in (old := stale(folder)):
            print(f"{folder / name} is stale; run `minilearn teach release`")
        raise typer.Exit(1 if old else 0)
    written = write(folder)
    for path in written:
        print(f"Written: {path}")
    if not written:
        print(f"{folder} is up to date.")


@app.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...")] = None,
    examples: Annotated[int, typer.Option(min=1, help="Of each property, on five seeds.")] = 200,
    jobs: Jobs = 1,
) -> None:
    """Check the course itself: solutions, starters, mistakes, hints, messages, times."""
    course_needs()
    from ..grading.learn.work import select
    from ..grading.teach.verify import verify as check

    found = check([e.name for e in select(names)] if names else None, examples, jobs, print)
    for problem in found:
        print(f"✗ {problem}")
    print(f"{len(found)} problems." if found else "All is well.")
    raise typer.Exit(1 if found else 0)


@app.command()
def grade(
    folder: Submissions,
    out: Out,
    jobs: Jobs = 1,
    only: Only = None,
    resume: Annotated[bool, typer.Option("--resume", help="Grade what has changed.")] = False,
    seed_file: SeedFile = None,
    shard: Annotated[str, typer.Option("--shard", help="I/N: the I-th of N parts.")] = "1/1",
    roster: Roster = None,
    unsealed: Annotated[bool, typer.Option("--unsealed", help="Even where nothing is hidden from "
                                           "submissions.")] = False,
) -> None:
    """Grade a class. Exit status: 0 all graded, 2 the grader failed on some, 3 self-check failed.
    """
    course_needs()
    from ..grading.learn.work import select
    from ..grading.teach.batch import Order, grade_batch
    from ..grading.teach.store import read_roster

    names = tuple(e.name for e in select(only)) if only else ()
    rows = tuple(read_roster(roster)) if roster else ()
    order = Order(folder, out, jobs, names, resume, seed_file, _shard(shard), rows, unsealed)
    raise typer.Exit(grade_batch(order, lambda line: print(line, flush=True)))


def _shard(text: str) -> tuple[int, int]:
    number, _, of = text.partition("/")
    if not (number.isdigit() and of.isdigit() and 1 <= int(number) <= int(of)):
        raise typer.BadParameter(f"{text!r} must be I/N with I from 1 to N, such as 2/4")
    return int(number), int(of)


@app.command()
def merge(
    parts: Annotated[list[Path], typer.Argument(metavar="RESULTS...", help="Of all shards.")],
    out: Out,
    roster: Roster = None,
) -> None:
    """Put the results of several shards together."""
    from ..grading.teach.merge import merge as together
    from ..grading.teach.store import read_roster

    trouble = together(parts, out, read_roster(roster) if roster else [])
    print(f"Results: {out / 'gradebook.csv'}, {out / 'summary.html'}")
    raise typer.Exit(2 if trouble else 0)


@app.command()
def export(
    results: Graded,
    form: Annotated[Form, typer.Option("--format", help="For which system.")] = Form.csv,
    out: Annotated[Path | None, typer.Option("--out", help="A folder (default: RESULTS).")] = None,
    assignment: Annotated[str | None, typer.Option(
        "--assignment", help='Its name there; Canvas: "Homework 3 (4711)".')] = None,
    excel: Annotated[bool, typer.Option("--excel", help="Mark the files as UTF-8.")] = False,
) -> None:
    """Write the gradebook as another system reads it."""
    from ..grading.teach.export import export as forms
    from ..grading.teach.gradebook import Gradebook
    from ..grading.teach.store import Store, write

    for name, content in forms(Gradebook(Store(results), assignment), form, excel).items():
        path = (out or results) / name
        write(path, content)
        print(f"Written: {path}")


@app.command("gradescope-zip")
def gradescope_zip(
    out: Annotated[Path, typer.Argument(metavar="ZIP")] = Path("autograder.zip"),
    only: Only = None,
    seed_file: SeedFile = None,
    torch_index: Annotated[str, typer.Option(
        "--torch-index", help="Address of PyTorch's CPU wheels, from its site (smaller).")] = "",
) -> None:
    """Pack an autograder for Gradescope."""
    course_needs()
    from ..grading.learn.work import select
    from ..grading.teach.gradescope import pack

    names = [e.name for e in select(only)] if only else None
    points = pack(out, names, seed_file, torch_index)
    print(f"Written: {out}. Give the assignment {points} points.")


@app.command()
def feedback(
    results: Graded,
    out: Annotated[Path | None, typer.Option("--out", help="(default: RESULTS/feedback)")] = None,
) -> None:
    """Write a page for each student."""
    from ..grading.teach.feedback import write_feedback
    from ..grading.teach.gradebook import Gradebook
    from ..grading.teach.store import Store

    folder = out or results / "feedback"
    written = write_feedback(Gradebook(Store(results)), folder)
    print(f"{len(written)} pages in {folder}")


@app.command()
def similar(
    folder: Submissions,
    least: Annotated[float, typer.Option("--least", min=0, max=1, help="Shown from here on.")] = .5,
    export_to: Annotated[Path | None, typer.Option(
        "--export", help="Also copy the files as MOSS, JPlag and Dolos expect them.")] = None,
) -> None:
    """List pairs of submissions with much code in common that is not the starter's. A hint to look,
    never a verdict.
    """
    course_needs()
    from ..grading.teach.similar import lay_out, table
    from ..grading.teach.similar import similar as pairs

    print(table(pairs(folder, least)))
    if export_to:
        print(f"{lay_out(folder, export_to)} submissions in {export_to}")


@app.command()
def selftest(
    only: Annotated[list[str] | None, typer.Argument(metavar="CASE...", help="Numbers.")] = None,
) -> None:
    """Grade hostile and broken submissions, each of which must get its exact verdict."""
    course_needs()
    from ..grading.teach.selftest import selftest as run

    raise typer.Exit(run(only or None, lambda line: print(line, flush=True)))


@app.command()
def strength(
    out: Annotated[Path | None, typer.Option("--out", help="Write the table here.")] = None,
    check: Annotated[Path | None, typer.Option("--check", help="Fail if worse than this.")] = None,
    jobs: Jobs = 1,
) -> None:
    """Measure the graders: planted mistakes caught, by what, and called by their name."""
    course_needs()
    from ..grading.teach.strength import drops, measure, published

    text = published(measure(jobs))
    if out:
        out.write_text(text, "utf-8")
    else:
        print(text, end="")
    worse = drops(check.read_text("utf-8"), text) if check else []
    for sentence in worse:
        print(f"✗ {sentence}")
    raise typer.Exit(1 if worse else 0)
