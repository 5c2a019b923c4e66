"""Work survives the death of workers."""

import os
import time

import pytest

from minilearn.grading.teach.workers import Lost, Workers


def double(x):
    return 2 * x


def die_once(path):
    if not os.path.exists(path):
        with open(path, "w"):
            pass
        os._exit(7)
    return "survived"


def die(x):
    os._exit(x)


def hang(x):
    time.sleep(100 if x else 0)
    return x


def fail(x):
    raise ValueError(f"no {x}")


@pytest.fixture(scope="module")
def workers():
    with Workers(2) as pool:
        yield pool


def test_all_tasks_are_done(workers):
    assert dict(workers.map(double, range(20))) == {i: 2 * i for i in range(20)}
    assert len(workers.workers) == 2
    assert list(workers.map(double, [])) == []


def test_a_death_is_tried_again_and_others_do_not_notice(workers, tmp_path):
    assert list(workers.map(die_once, [str(tmp_path / "mark")])) == [
        (str(tmp_path / "mark"), "survived")]
    assert dict(workers.map(double, range(5))) == {i: 2 * i for i in range(5)}


def test_a_task_that_always_kills_is_lost_and_says_why(workers):
    (task, result), = workers.map(die, [3])
    assert task == 3 and isinstance(result, Lost) and "code 3" in result.reason
    assert dict(workers.map(double, range(3))) == {0: 0, 1: 2, 2: 4}


def test_a_task_without_end_is_lost_and_the_others_are_done(workers):
    found = dict(workers.map(hang, [1, 0], patience=1.0))
    assert found[0] == 0 and "not finished within 1 s" in found[1].reason


def test_an_exception_is_lost_with_its_text(workers):
    (_, result), = workers.map(fail, ["x"])
    assert "ValueError: no x" in result.reason


def test_the_processes_end_with_the_block():
    with Workers(1) as pool:
        list(pool.map(double, [1]))
        process = pool.workers[0].process
        assert process.is_alive()
    assert not process.is_alive()
