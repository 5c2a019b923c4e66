"""Memory that has been freed stays with the program: asking for it again is expensive."""

from __future__ import annotations

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # numbers from malloc.h


def keep_freed_memory(most: int = 2**30) -> None:
    """Keep up to `most` freed bytes, on Linux, where they would go back to the system at once.

    A training step frees all that it has asked for. When the next one asks again, the system hands
    out page after page of zeros, each at the cost of a fault: up to a third of the step's time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:  # it is there in the GNU C library
        mallopt(MMAP_THRESHOLD, 2**25)  # the most it allows: larger arrays go back all the same
        mallopt(TRIM_THRESHOLD, most)
