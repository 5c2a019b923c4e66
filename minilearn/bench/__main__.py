"""`python -m minilearn.bench [--only NAME] [--threads N] [--json FILE]`: compare with torch."""

from __future__ import annotations

import argparse

from .coordinator import RIVALS, profile, run
from .workloads import DEVICES, WORKLOADS


def main(arguments: list[str] | None = None) -> None:
    """Read the options, run the comparison, print its table."""
    parser = argparse.ArgumentParser(prog="python -m minilearn.bench", description=run.__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=list(WORKLOADS), help="a workload")
    parser.add_argument("--threads", type=int, default=1, help="for each contestant; default 1")
    parser.add_argument("--json", help="a file to write the measurements to")
    parser.add_argument("--against", action="append", choices=RIVALS, help="default torch")
    parser.add_argument("--device", choices=list(DEVICES), default="numpy", help="our arrays")
    parser.add_argument("--profile", choices=list(WORKLOADS), help="show where its time goes")
    parser.add_argument("--beside", type=int, help="repeat with so many threads, shown beside")
    parser.add_argument("--record", action="store_true", help="add the result to RESULTS.md")
    parser.add_argument("--rounds", type=int, default=10, help="bursts for each; default 10")
    parser.add_argument("--seconds", type=float, default=0.5, help="of one burst; default 0.5")
    given = parser.parse_args(arguments)
    if given.profile:
        profile(given.profile, given.threads, given.device)
        return
    run(given.only, given.threads, given.json, against=given.against or "torch",
        device=given.device, rounds=given.rounds, seconds=given.seconds, beside=given.beside,
        record=given.record)


if __name__ == "__main__":
    main()
