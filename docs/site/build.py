"""Build the course site: run the lessons, make the other pages, let Sphinx put them together.

    python docs/site/build.py [--full] [--only NN] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import inspect_site
import notebooks
import pages

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Run the lessons and build the course site.")
    parser.add_argument("--full", action="store_true", help="the real trainings (hours)")
    parser.add_argument("--only", action="append", default=[], metavar="NN",
                        help="run and show these lessons only, such as 03")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site")
    parser.add_argument("--jobs", type=int, default=2, help="lessons run at a time")
    return parser.parse_args()


def chosen(only: list[str]) -> list[Path]:
    """Return the lessons to be built. Ends the program where there is none of that number."""
    found = sorted((ROOT / "lessons").glob("[0-9][0-9]_*.py"))
    unknown = [o for o in only if not any(p.stem.startswith(o) for p in found)]
    if unknown:
        sys.exit(f"no lesson {unknown[0]}; there are {', '.join(p.stem for p in found)}")
    return [p for p in found if not only or any(p.stem.startswith(o) for o in only)]


def run_lessons(lessons: list[Path], folder: Path, quick: bool, jobs: int) -> None:
    """Execute lessons into notebooks. Ends the program with the failing cell where one fails."""
    with ProcessPoolExecutor(jobs) as pool:
        running = [pool.submit(notebooks.execute, p, folder / f"{p.stem}.ipynb", quick)
                   for p in lessons]
        for lesson, future in zip(lessons, running, strict=True):
            try:
                print(f"  {future.result()}", flush=True)
            except Exception as error:
                plain = re.sub(r"\x1b\[[\d;]*m", "", str(error))  # without a terminal's colours
                sys.exit(f"lessons/{lesson.name} failed:\n{plain}")


def prepare(source: Path, lessons: list[Path], kept: Path) -> None:
    """Lay out what Sphinx reads: settings, notebooks, pages."""
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(HERE / "static", source / "_static")
    shutil.copy(HERE / "conf.py", source)
    (source / "lessons").mkdir()
    for lesson in lessons:
        shutil.copy(kept / f"{lesson.stem}.ipynb", source / "lessons")
    pages.write(source, [p.stem for p in lessons])


def sphinx(source: Path, html: Path) -> None:
    """Let Sphinx build the pages; a warning is an error. Ends the program where it fails."""
    shutil.rmtree(html, ignore_errors=True)
    environment = os.environ | {"MINILEARN_SITE_CODE": str(HERE)}
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html",
               "-d", str(source.parent / "doctrees"), str(source), str(html)]
    if subprocess.run(command, env=environment).returncode:
        sys.exit("the site was not built; what is wrong is said above")


def main() -> None:
    """Build, inspect, and say where the site lies."""
    options, start = arguments(), time.perf_counter()
    lessons = chosen(options.only)
    kept, source, html = (options.out / name for name in ("notebooks", "source", "html"))
    print(f"Running {len(lessons)} lessons{'' if options.full else ' in quick mode'}")
    run_lessons(lessons, kept, not options.full, options.jobs)
    prepare(source, lessons, kept)
    sphinx(source, html)
    found = list(inspect_site.faults(html))
    if found:
        sys.exit("\n".join(["the site has faults:", *found]))
    minutes = (time.perf_counter() - start) / 60
    print(f"Built in {minutes:.1f} minutes: open {html / 'index.html'}")


if __name__ == "__main__":
    main()
