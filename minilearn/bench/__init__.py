"""Side by side with torch: the same numbers first, then time and memory."""

from .coordinator import run
from .workloads import WORKLOADS

__all__ = ["WORKLOADS", "run"]
