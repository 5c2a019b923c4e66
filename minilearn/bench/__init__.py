"""Side by side with torch: the same numbers first, then time and memory."""

from .coordinator import profile, run
from .growth import scaling
from .workloads import WORKLOADS

__all__ = ["WORKLOADS", "profile", "run", "scaling"]
