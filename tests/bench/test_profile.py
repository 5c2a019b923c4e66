"""The profile: all of the time is accounted for, and the numbers stay what they are."""

import pytest

from minilearn import autograd, bench
from minilearn.bench import ours
from minilearn.bench.profile import Profile, table
from minilearn.op import OPS


def test_a_profile_counts_calls_and_accounts_for_all_of_the_time():
    workload = ours.critic_step(2, 16, 3)
    with Profile() as profile:
        workload.step()
        workload.step()
    rows = profile.rows()
    assert sum(r["share"] for r in rows) == pytest.approx(1)
    assert all(r["forward_ms"] >= 0 and r["backward_ms"] >= 0 for r in rows)
    assert [r["share"] for r in rows] == sorted((r["share"] for r in rows), reverse=True)
    calls = {(r["op"], r["layer"][:12]): r["calls"] for r in rows}
    assert calls["conv2d", "Conv2d(3, 2,"] == 6  # in each step: between, fake and real
    assert calls["Adam.step", "-"] == 2
    first = next(r for r in rows if r["layer"].startswith("Conv2d(3, 2,") and r["op"] == "conv2d")
    assert first["bytes"] == 6 * 3 * 2 * 8 * 8 * 4 and first["backward_ms"] > 0


def test_a_profile_changes_no_number_and_leaves_nothing_behind():
    before = OPS["conv2d"].forward, autograd.pull_back
    plain, watched = ours.critic_step(2, 16, 3), ours.critic_step(2, 16, 3)
    watched.load(plain.weights())
    with Profile():
        numbers = watched.step()
    assert numbers == plain.step()
    assert (OPS["conv2d"].forward, autograd.pull_back) == before


def test_the_table_of_a_profile_puts_the_small_ones_together():
    rows = [{"op": f"op{i}", "layer": "-", "calls": 1, "forward_ms": 1.0, "backward_ms": 0.0,
             "bytes": 2**20, "share": 0.25} for i in range(4)]
    lines = table(rows, most=2)
    assert len(lines) == 4 and lines[-1] == "... and 2 smaller ones: 50.0%"
    assert "1.0 MiB" in lines[1]


def test_the_profile_of_a_workload_comes_from_its_own_process():
    lines = []
    rows = bench.profile("autograd-overhead", steps=1, echo=lines.append)
    assert {"mul", "add"} <= {r["op"] for r in rows}
    assert lines[0].startswith("autograd-overhead") and "share" in lines[1]
