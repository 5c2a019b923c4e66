"""How much memory this process has used at most."""

from __future__ import annotations

import sys
from pathlib import Path

MIB = 2**20


def restart_peak() -> None:
    """Forget the peak so far, where the system can (Linux: /proc/self/clear_refs)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def resident() -> float:
    """Return the memory in use now, in MiB; elsewhere than on Linux, the most so far."""
    return _status("VmRSS") or _peak_of_resource()


def peak() -> float:
    """Return the most that was in use since `restart_peak`, in MiB (or since the start)."""
    return _status("VmHWM") or _peak_of_resource()


def _status(field: str) -> float | None:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    found = (line.split()[1] for line in lines if line.startswith(f"{field}:"))
    kilobytes = next(found, None)
    return None if kilobytes is None else int(kilobytes) * 1024 / MIB


def _peak_of_resource() -> float:
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * (1 if sys.platform == "darwin" else 1024) / MIB
