"""An autograder for Gradescope: the zip, and what runs in it.

`python -m minilearn.grading.teach.gradescope /autograder` grades the one submission there.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import sys
import time
import zipfile
from importlib.metadata import requires
from pathlib import Path
from typing import Any

from ...contracts import catalogue, course
from ..checking.runner import Settings
from .batch import seed_of, source_of
from .grade import grade_submission, installed
from .intake import take_in
from .release import numbers
from .store import GradingError, write

SECONDS = 8 * 60  # Gradescope's default limit is 10 minutes
EXAMPLES = 100
LONGEST, LONGEST_ALL = 8 * 1024, 512 * 1024  # characters of output, of a test and of all
SETUP = """#!/usr/bin/env bash
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
apt-get update
for version in 3.12 3.11; do
    apt-get install -y "python$version" "python$version-venv" && break
done
"$(command -v python3.12 || command -v python3.11)" -m venv /autograder/venv
export PIP_EXTRA_INDEX_URL={index}
/autograder/venv/bin/python -m pip install --no-cache-dir -r /autograder/source/requirements.txt
chmod -R o= /autograder/source/solutions /autograder/source/minilearn/contracts
chmod o= /autograder/source/seed.txt
"""
RUN = """#!/usr/bin/env bash
chmod o= /autograder/results
export PYTHONPATH=/autograder/source OMP_NUM_THREADS=1
exec /autograder/venv/bin/python -m minilearn.grading.teach.gradescope /autograder
"""


# ---------------------------------------------------------------- the zip


def pack(path: Path, names: list[str] | None, seed_file: Path | None, index: str = "") -> int:
    """Write the zip that is uploaded; return the points that the assignment must have.

    index: the address of PyTorch's wheels for CPUs; the usual ones are several GB larger.
    """
    setup = SETUP.replace("{index}", shlex.quote(index))
    files = {**_package(), "setup.sh": setup.encode(), "run_autograder": RUN.encode(),
             "requirements.txt": "".join(f"{r}\n" for r in pinned()).encode(),
             "seed.txt": _seed(seed_file), "settings.json": json.dumps(
                 {"schema": 1, "exercises": names or [*catalogue()]}).encode()}
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in sorted(files.items()):
                entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
                script = name in ("setup.sh", "run_autograder")
                entry.external_attr = (0o100755 if script else 0o100644) << 16
                archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
        os.replace(part, path)
    except OSError as error:
        raise GradingError(f"cannot write {path}: {error.strerror}") from error
    return sum(catalogue()[name].points for name in names or catalogue())


def _package() -> dict[str, bytes]:
    """Return what grading needs: the package and the solutions."""
    package = {f"minilearn/{p.relative_to(course.PACKAGE).as_posix()}": p.read_bytes()
               for p in course.PACKAGE.rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    solutions = {f"solutions/{p.name}": p.read_bytes()
                 for p in course.folder("solutions").glob("*.py")}
    return package | solutions


def pinned() -> list[str]:
    """Pin what minilearn needs to the versions that are installed here.

    The grader then computes what it computes here.
    """
    found = []
    for requirement in requires("minilearn") or ():
        wanted, _, extra = requirement.partition(";")
        name = re.split(r"[^\w.-]", wanted.strip())[0]
        if not extra or "learn" in re.findall(r"extra == ['\"](\w+)['\"]", extra):
            found.append(f"{name}=={installed(name).partition('+')[0]}")
    return sorted(r for r in found if not r.endswith("==?"))


def _seed(file: Path | None) -> bytes:
    if file is None:
        return f"{secrets.token_hex(16)}\n".encode()
    seed_of(file)  # says what is wrong with it
    return file.read_bytes()


# ---------------------------------------------------------------- in the container


def main(root: Path) -> int:
    """Grade what lies in `submission`, and write `results/results.json`."""
    results, source = root / "results" / "results.json", root / "source"
    _write(results, {"score": 0, "output": "Grading did not finish. This is not your fault; hand "
                     "in again, or tell your instructor.", "output_format": "text"})
    started = time.monotonic()
    names = json.loads((source / "settings.json").read_text("utf-8"))["exercises"]
    taken = take_in(source_of(root / "submission"))
    settings = Settings(EXAMPLES, seed_of(source / "seed.txt"))
    graded = grade_submission(taken.files, settings, names, unreadable=taken.unreadable,
                              near=taken.near, seconds=SECONDS)
    _write(results, results_json(graded, time.monotonic() - started))
    return 0


def _write(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, allow_nan=False)
    write(path, text.encode())
    if path.read_text("utf-8") != text:
        raise GradingError(f"{path} does not hold what was written")


def results_json(graded: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Return a graded submission in Gradescope's form: a test for each property."""
    entries = graded["exercises"]
    tests = [_test(name, i, prop, entry) for name, entry in entries.items()
             for i, prop in enumerate(entry["properties"], 1)]
    room = LONGEST_ALL // max(len(tests), 1)
    for test in tests:
        test["output"] = test["output"][: min(LONGEST, room)]
    facts = {"version": graded["grader_version"], "seed_id": graded["seed_id"],
             "tier": graded["tier"], "versions": graded["versions"],
             "content_sha256": graded["content_sha256"],
             "statuses": {name: entry["status"] for name, entry in entries.items()},
             "flags": sorted({f for entry in entries.values() for f in entry["flags"]})}
    head = f"minilearn {graded['grader_version']}, seed {graded['seed_id']}, " \
           f"isolation tier {graded['tier']}"
    return {"output": head, "output_format": "text", "stdout_visibility": "hidden",
            "execution_time": round(seconds, 1), "tests": tests,
            "extra_data": {"minilearn": facts}}


def _test(name: str, i: int, prop: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    """Return one property; without a score where the grader itself failed."""
    failed = prop["status"] != "pass"
    first = next((p for p in entry["properties"] if p["status"] != "pass"), None)
    text = entry["message"] if prop is first else prop["message"]
    score = {} if prop["points_earned"] is None else {"score": round(prop["points_earned"], 5)}
    return {"number": f"{numbers()[name]}.{i}", "name": f"{name}: {prop['name']}", **score,
            "max_score": prop["points_possible"], "status": "failed" if failed else "passed",
            "output": _plain(text) if failed else "", "output_format": "text",
            "visibility": "visible", "tags": [name, prop["status"]],
            "extra_data": {"case": prop["case"]}}


def _plain(text: str) -> str:
    return "".join(c for c in text.replace("**", "") if c.isprintable() or c == "\n")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
