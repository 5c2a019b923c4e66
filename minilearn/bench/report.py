"""How the measurements are shown: a table as they are made, and a page of them to keep."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .ratios import geometric_mean, load

RESULTS = Path(__file__).with_name("RESULTS.md")
PACKAGES = ("numpy", "torch", "tinygrad", "mygrad", "autograd")
HEADER = (f"{'workload':<20}{'against':<10}{'ours':>11}{'theirs':>11}{'ratio':>8}  "
          f"{'quartiles':<12}{'memory':>18}")
WIDTH = 24  # of the column of another number of threads
UNSURE = "? The times vary too much for this ratio: repeat it on a machine with nothing else to do."


def header(beside: int | None = None) -> str:
    """Return the line above the table."""
    return HEADER + (f"{f'{beside} threads: ratio':>{WIDTH}}" if beside else "")


def line(row: dict[str, Any]) -> str:
    """Return the line of one workload; a question mark stands behind a ratio that is unsure."""
    return _line(row) + (f"{_short(row['beside']):>{WIDTH}}" if "beside" in row else "")


def _short(row: dict[str, Any]) -> str:
    low, high = row["ratio_spread"]
    return f"{row['ratio']:.2f}{'?' * row['unsure']} ({low:.2f}-{high:.2f})"


def _line(row: dict[str, Any]) -> str:
    rival, (low, high) = row["against"], row["ratio_spread"]
    return (f"{row['name']:<20}{rival:<10}{row['ours_ms']:>8.2f} ms{row[f'{rival}_ms']:>8.2f} ms"
            f"{row['ratio']:>7.2f}{'?' if row['unsure'] else ' '}  "
            f"{f'{low:.2f}-{high:.2f}':<12}"
            f"{row['ours_mib']:>6.0f} /{row[f'{rival}_mib']:>4.0f} MiB {row['ratio_memory']:.2f}")


def summary(rows: list[dict[str, Any]]) -> list[str]:
    """Return the lines under the table: the geometric mean against each rival."""
    lines = []
    for rival in dict.fromkeys(row["against"] for row in rows):
        ratios = {row["name"]: row["ratio"] for row in rows if row["against"] == rival}
        lines.append(f"geometric mean of {len(ratios)} against {rival}: "
                     f"{geometric_mean(ratios.values()):.2f} (below 1: minilearn is faster)")
        if ratios.pop("dataloader", None) and ratios:  # which is no arithmetic, and far ahead
            lines[-1] += f"; without the dataloader: {geometric_mean(ratios.values()):.2f}"
    return lines + [UNSURE] * any(row["unsure"] for row in rows)


def machine() -> dict[str, Any]:
    """Say what the numbers were measured on, in general words."""
    versions = {package: known for package in PACKAGES if (known := _version(package))}
    return {"platform": platform.system(), "cores": os.cpu_count(), "cpu": _cpu(), "load": load(),
            "python": platform.python_version(), **versions}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    """Return the maker's name of the processor where the system tells it, else its kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (text.partition(":")[2].strip() for text in lines if text.startswith("model name"))
    return next(named, platform.machine())


def record(result: dict[str, Any], path: Path = RESULTS) -> None:
    """Put the measurements at the top of the page of results, above the earlier ones."""
    before = path.read_text(encoding="utf-8") if path.exists() else TITLE
    title, _, earlier = before.partition("\n## ")
    earlier = f"\n## {earlier}" if earlier else ""
    path.write_text(f"{title.rstrip()}\n\n{section(result)}{earlier}", encoding="utf-8")


def section(result: dict[str, Any]) -> str:
    """Return one run of the command as a section of the page."""
    on, rows = result["machine"], result["workloads"]
    versions = ", ".join(f"{p} {on[p]}" for p in ("python", *PACKAGES) if p in on)
    busy = "" if on["load"] is None else f", load {on['load']:.1f} at the end"
    beside = result.get("beside")
    more = (f" {beside} threads: ratio |", "---|") if beside else ("", "")
    lines = [
        f"## {datetime.now(UTC):%Y-%m-%d}: {result['threads']} thread(s), {result['device']}", "",
        f"{on['cpu']}, {on['cores']} cores, {on['platform']}{busy}; {versions}.", "",
        f"| workload | against | ours | theirs | ratio | quartiles | peak memory |{more[0]}",
        f"|---|---|---|---|---|---|---|{more[1]}"]
    for row in rows:
        rival, (low, high) = row["against"], row["ratio_spread"]
        lines.append(
            f"| {row['name']} | {rival} | {row['ours_ms']:.1f} ms | {row[f'{rival}_ms']:.1f} ms "
            f"| **{row['ratio']:.2f}**{' (unsure)' * row['unsure']} | {low:.2f}-{high:.2f} "
            f"| {row['ratio_memory']:.2f} |"
            + (f" {_short(row['beside'])} |" if "beside" in row else ""))
    return "\n".join([*lines, "", *(f"{text[0].upper()}{text[1:]}" for text in summary(rows)), ""])


TITLE = """# How fast it is

Written by `minilearn bench --record`, newest first. A ratio is our time by theirs: below 1,
minilearn is faster. Each contestant ran in a process of its own with as many threads as the other,
in short bursts by turns, after both had computed the same numbers from the same weights. The ratio
is the median over the rounds, its quartiles say how sure it is; milliseconds change from machine to
machine, and on a shared one from minute to minute. Peak memory is what a step needs beyond what the
imports took, as a ratio too.
"""
