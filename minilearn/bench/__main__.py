"""`python -m minilearn.bench [--only NAME] [--threads N] [--json FILE]`: compare with torch."""

from __future__ import annotations

import argparse

from .coordinator import run
from .workloads import WORKLOADS


def main(arguments: list[str] | None = None) -> None:
    """Read the options, run the comparison, print its table."""
    parser = argparse.ArgumentParser(prog="python -m minilearn.bench", description=run.__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=list(WORKLOADS), help="a workload")
    parser.add_argument("--threads", type=int, default=1, help="for each contestant; default 1")
    parser.add_argument("--json", help="a file to write the measurements to")
    parser.add_argument("--rounds", type=int, default=10, help="bursts for each; default 10")
    parser.add_argument("--seconds", type=float, default=0.5, help="of one burst; default 0.5")
    given = parser.parse_args(arguments)
    run(given.only, given.threads, given.json, rounds=given.rounds, seconds=given.seconds)


if __name__ == "__main__":
    main()
