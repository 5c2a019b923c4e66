"""Freed memory stays with the program: a second use of it costs no faults."""

import platform

import numpy as np
import pytest

from minilearn.memory import keep_freed_memory


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the GNU C library is asked to")
def test_memory_used_again_costs_no_faults():
    import resource

    def faults(step):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        step()
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    def step():  # 120 MiB at a time: more than the C library would keep by itself
        return len([np.ones(2**20, np.float32) for _ in range(30)])

    keep_freed_memory()
    step()
    pages = 30 * 2**22 // 4096
    assert min(faults(step) for _ in range(3)) < pages / 20


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("ctypes.CDLL", None)  # it would fail if it were called
    keep_freed_memory()
