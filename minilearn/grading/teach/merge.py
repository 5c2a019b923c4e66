"""Puts the results of shards together, once it is sure that their grades can be compared."""

from __future__ import annotations

from pathlib import Path

from .report import write_all
from .store import GradingError, Store

SAME = ("seed_id", "grader_version", "examples", "exercises", "sealed")


def merge(parts: list[Path], out: Path, roster: list[dict[str, str]]) -> int:
    """Copy the outcomes of all parts to one folder and write its reports.

    Returns how many outcomes the grader failed to find. Raises GradingError.
    """
    stores, store = [Store(part) for part in parts], Store(out)
    if store.exists:
        raise GradingError(f"{out} already holds results; choose another --out")
    batches = [s.batch() for s in stores]
    for part, batch in zip(parts, batches, strict=True):
        _comparable(parts[0], batches[0], part, batch)
    _complete([batch["shard"] for batch in batches])
    owners: dict[str, Path] = {}
    for shard in stores:
        for result in shard.all():
            other = owners.setdefault(result["student_id"], shard.folder)
            if other != shard.folder:
                raise GradingError(f"{result['student_id']} is in {other} and in {shard.folder}; "
                                   "remove one of the two results")
            store.write_result(result)
    store.write_batch(_joined(batches, roster))
    return write_all(store)


def _joined(batches: list[dict], roster: list[dict[str, str]]) -> dict:
    checks = {f"{when} ({batch['shard']})": found for batch in batches
              for when, found in batch["self_check"].items()}
    people = {row["student_id"]: row for batch in batches for row in batch["roster"]}
    return {**batches[0], "shard": "1/1", "self_check": checks,
            "problems": sorted({p for batch in batches for p in batch["problems"]}),
            "roster": roster or [*people.values()]}


def _comparable(first: Path, batch: dict, part: Path, other: dict) -> None:
    for fact in SAME:
        if batch[fact] != other[fact]:
            raise GradingError(f"{first} and {part} differ in {fact.replace('_', ' ')}: their "
                               "grades cannot be compared. Grade one of them again.")
    checks = other["self_check"]
    if checks.get("before") != "passed" or checks.get("after") != "passed":
        raise GradingError(f"{part} is not finished, or its self-check failed; run it again with "
                           "--resume")


def _complete(shards: list[str]) -> None:
    of = shards[0].partition("/")[2]
    missing = [f"{i}/{of}" for i in range(1, int(of) + 1) if f"{i}/{of}" not in shards]
    if missing:
        raise GradingError(f"the results of shard {', '.join(missing)} are missing; name the "
                           "folders of all shards")
