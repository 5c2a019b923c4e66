"""Submissions of every kind, each in a child of its own: the exact status, in time, nothing left.

The kinds are those of people who make mistakes and of people who try to fool a grader.
"""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from minilearn.grading.isolation import child as child_module
from minilearn.grading.isolation import launch
from minilearn.grading.isolation.child import Child, Limits, Local

QUICK = Limits(call=0.5, load=0.7)
ROOT = Path(__file__).parents[3]


def source(text):
    return textwrap.dedent(text).encode()


def ask(text, *args, function="f", driver=None, **kwargs):
    with Child(source(text), "03_convolution.py", QUICK) as child:
        return child.call(function, args, kwargs, driver)


def alive(pid):
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pid, seconds=5.0):
    """Whether a process ends in time."""
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not alive(pid)


# ---------------------------------------------------------------- honest work


@pytest.mark.parametrize("kind", [Child, Local])
def test_a_call_takes_and_returns_values(kind):
    text = source("def f(x, by=1):\n    x *= by\n    return x, {'sum': x.sum()}")
    x = np.arange(3.0)
    with kind(text, "a.py") as child:
        reply = child.call("f", (x,), {"by": 2})
    assert reply.status == "ok" and reply.value[1] == {"sum": 6.0}
    np.testing.assert_array_equal(reply.value[0], [0, 2, 4])
    np.testing.assert_array_equal(x, [0, 1, 2])


@pytest.mark.parametrize("kind", [Child, Local])
def test_a_driver_speaks_with_objects(kind):
    text = "class Counter:\n    def __init__(self, start): self.n = start\n" \
           "    def up(self): self.n += 1\n"
    driver = """
    def drive(module, function, start):
        made = function(start)
        made.up()
        return made.n, module.Counter is function, np.ones(made.n)
    """
    with kind(text.encode(), "a.py") as child:
        for start in (1, 2):
            reply = child.call("Counter", (start,), {}, textwrap.dedent(driver))
            assert reply.status == "ok"
            assert reply.value[:2] == (start + 1, True) and reply.value[2].shape == (start + 1,)


@pytest.mark.parametrize("kind", [Child, Local])
def test_an_unusual_file_is_read(kind):
    text = "\ufeffimport numpy as np\r\n# gr\u00fc\u00dfe\r\ndef f(x):\r\n\treturn x\r\n\r\n" \
           "if __name__ == '__main__':\r\n\timport matplotlib\r\n\tf(1 / 0)\r\n"
    with kind(text.encode(), "a.py") as child:
        assert child.call("f", (1,), {}).value == 1


def test_dataclasses_work_with_deferred_annotations():
    reply = ask("""
        from __future__ import annotations
        from dataclasses import dataclass, field
        from typing import ClassVar
        @dataclass
        class Node:
            value: float
            parents: list[Node] = field(default_factory=list)
            count: ClassVar[int] = 0
        def f(x):
            @dataclass
            class Inner:
                a: ClassVar[int] = 1
                b: int = 2
            return Node(x, [Node(1.0)]).parents[0].value + Inner().b
        """, 2.0)
    assert reply.value == 3.0


def test_a_child_answers_hundreds_of_calls_without_leaks():
    open_files = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    with Child(b"def f(x): return x + 1", "a.py") as child:
        started = time.monotonic()
        assert [child.call("f", (i,), {}).value for i in range(500)] == list(range(1, 501))
        assert time.monotonic() - started < 2.5
        pid = child.channel.process.pid
        with child.fresh() as other:
            assert other.call("f", (1,), {}).value == 2
            assert other.channel.process.pid != pid
    assert not alive(pid)
    if open_files:
        assert len(os.listdir("/proc/self/fd")) <= open_files + 2  # the zygote's


def test_a_closed_child_starts_again():
    child = Child(b"def f(x): return x", "a.py")
    for _ in range(2):
        assert child.call("f", (1,), {}).status == "ok"
        child.close()
        child.close()


def test_fresh_children_draw_other_random_numbers():
    text = b"import numpy as np\ndef f(): return np.random.rand()"
    with Child(text, "a.py") as child, child.fresh() as other:
        assert child.call("f", (), {}).value != other.call("f", (), {}).value


# ---------------------------------------------------------------- what goes wrong in a call


@pytest.mark.parametrize("kind", [Child, Local])
def test_an_exception_names_the_last_own_line(kind):
    text = source("""
        import numpy as np
        def helper(x):
            return np.reshape(x, (7, 7))  # here
        def f(x):
            return helper(x)
        """)
    with kind(text, "03_convolution.py") as child:
        reply = child.call("f", (np.ones(3),), {})
    assert (reply.status, reply.error) == ("exception", "ValueError")
    assert "reshape" in reply.message and reply.value is None
    assert reply.line == (4, "return np.reshape(x, (7, 7))  # here")


@pytest.mark.parametrize("kind", [Child, Local])
@pytest.mark.parametrize("body, status, error, message", [
    ("raise NotImplementedError('conv2d')", "not_implemented", "NotImplementedError", "conv2d"),
    ("return undefined", "exception", "NameError", "undefined"),
    ("return f()", "exception", "TypeError", "argument"),
    ("return f(x)", "exception", "RecursionError", "recursion"),
    ("raise SystemExit(3)", "exited", "3", "3"),
    ("raise SystemExit", "exited", "0", ""),
    ("return np.ones(1).view(type('My', (np.ndarray,), {}))", "wrong_type", "",
     "My, a subclass of ndarray"),
    ("return np.array([x, None])", "wrong_type", "", "object array"),
    ("return type('Agree', (), {'__eq__': lambda a, b: True})()", "wrong_type", "", "Agree"),
    ("return lambda: 0", "wrong_type", "", "function"),
    ("return np.zeros((1000, 1000))", "wrong_type", "", "(1000, 1000)"),
    ("return {1, 2}", "wrong_type", "", "set"),
    ("return open('/etc/passwd').read()", "exception", "PermissionError", "/etc/passwd"),
])
def test_what_a_call_may_come_to(kind, body, status, error, message):
    if kind is Local and "passwd" in body:
        pytest.skip("nothing is refused in this process")
    text = f"import numpy as np\ndef f(x):\n    {body}\n".encode()
    with kind(text, "a.py", *([QUICK] if kind is Child else [])) as child:
        reply = child.call("f", (1,), {})
    assert (reply.status, reply.error) == (status, error)
    assert message in reply.message


def test_a_message_cannot_disturb_the_terminal():
    reply = ask("def f(): raise type('A\\x1b[31m', (Exception,), {})('\\x1b[2J\\n' + 'x' * 9999)")
    assert reply.status == "exception" and len(reply.message) <= 500
    assert (reply.error + reply.message).isprintable()


def test_an_exception_that_cannot_be_printed_is_still_named():
    reply = ask("""
        class Odd(Exception):
            def __str__(self): raise SystemExit
        def f(): raise Odd
        """)
    assert (reply.status, reply.error, reply.message) == ("exception", "Odd", "")


@pytest.mark.parametrize("kind", [Child, Local])
def test_a_missing_name_is_told_with_one_that_is_near(kind):
    with kind(b"def conv_2d(x): pass\nscale = 3", "a.py") as child:
        reply = child.call("conv2d", (1,), {})
        assert reply.status == "missing" and "did you mean conv_2d?" in reply.message
        assert "neither a function" in child.call("scale", (), {}).message
        assert "mean" not in child.call("zzz", (), {}).message


def test_local_lets_exceptions_through_for_a_debugger():
    with pytest.raises(ZeroDivisionError):
        Local(b"def f(x): return 1 / x", "a.py", raising=True).call("f", (0,), {})


# ---------------------------------------------------------------- what goes wrong at import


@pytest.mark.parametrize("kind", [Child, Local])
@pytest.mark.parametrize("text, status, line, message", [
    (b"def f(x:", "import_error", 1, "never closed"),
    (b"x = 1\n\x0c\nif x\n  y", "import_error", 3, "expected ':'"),
    (b"def f():\n\treturn 1\n        return 2", "import_error", 3, "inconsistent use of tabs"),
    (b"import numpy\nimport numpie", "import_error", 2, "numpie"),
    (b"import sys\nsys.exit(0)", "import_error", 2, "0"),
    (b"def f(): pass\nprint(f() + 1)", "import_error", 2, "unsupported operand"),
    (b"x = 1\0", "import_error", None, "null byte"),
    (b"x = '\xff'", "unreadable", None, "UTF-8"),
    (b"x = " + b"-" * 200_000 + b"1", "import_error", None, ""),
    (b"x = " + b"(" * 5000, "import_error", None, "nested"),
])
def test_a_file_that_cannot_be_imported(kind, text, status, line, message):
    if kind is Child and b"numpie" in text:
        status, message = "forbidden", "numpie"
    with kind(text, "a.py") as child:
        reply = child.call("f", (), {})
        assert reply.status == status and message in reply.message
        if line:
            own = text.decode().split("\n")[line - 1].strip()
            assert reply.line == (line, own)
        assert child.fresh().call("f", (), {}) == child.call("f", (), {}) == reply


def test_a_long_import_is_no_import():
    reply = ask("while True: pass")
    assert reply.status == "import_error" and "longer than 0.7 s to import" in reply.message


# ---------------------------------------------------------------- the process dies or hangs


@pytest.mark.parametrize("body, status, error", [
    ("os._exit(0)", "exited", "0"),
    ("os._exit(9)", "exited", "9"),
    ("ctypes.string_at(0)", "crashed", "SIGSEGV"),
    ("os.abort()", "crashed", "SIGABRT"),
    ("os.close(4); os.close(3); time.sleep(60)", "protocol", ""),
    ("os.write(4, b'junk' * 99)", "protocol", ""),
    ("os.write(4, b'\\xff' * 8)", "protocol", ""),
    ("[write(fd, b'x' * 64) for fd in range(3, 64)]", "protocol", ""),
    ("while True: pass", "timeout", ""),
    ("time.sleep(60)", "timeout", ""),
    ("signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()", "timeout", ""),
    ("np.ones(2**30)", "memory", "MemoryError"),
    ("x = []\n    while True: x.append(np.zeros(2**20))", "memory", "MemoryError"),
    ("import atexit; atexit.register(os._exit, 0); return 5", "ok", ""),
])
@pytest.mark.skipif(sys.platform != "linux", reason="limits and numbers of files differ")
def test_a_process_that_ends_badly(body, status, error):
    started = time.monotonic()
    with Child(source(f"""
import ctypes, os, signal, time
import numpy as np
def write(fd, data):
    try: os.write(fd, data)
    except OSError: pass
def g(): return 7
def f():
    {body}
"""), "a.py", QUICK, watch=False) as child:
        reply = child.call("f", (), {})
        assert (reply.status, reply.error) == (status, error)
        assert reply.message or status == "ok"
        assert time.monotonic() - started < 4
        assert child.call("g", (), {}).value == 7  # the next question is answered


FORGE = """
import os, sys
sys.path[:0] = []
from isolation.protocol import encode
def f(): return 1
def forge(number): os.write(4, encode({{"id": number, "status": "ok"}}, 42))
{when}
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the number of the pipe")
def test_frames_before_their_request_are_refused():
    for when in ("for n in range(9): forge(n)", "forge(0); forge(1)", "forge(0); forge(0)"):
        with Child(FORGE.format(when=when).encode(), "a.py", watch=False) as child:
            assert child.tier >= 0  # it runs
            time.sleep(0.1)
            assert child.call("f", (), {}).status == "protocol"
    for number, first in ((1, "ok"), (2, "protocol")):
        text = FORGE.format(when=f"def g(): forge({number}); return 0").encode()
        with Child(text, "a.py", watch=False) as child:
            assert child.call("g", (), {}).status == first  # it may answer itself, but once
            assert child.call("f", (), {}).status == ("protocol" if first == "ok" else "ok")
            assert child.call("f", (), {}).value == 1


def test_a_child_is_restarted_a_few_times_only():
    limits = Limits(restarts=2)
    with Child(b"import os\ndef f(): os._exit(1)\ndef g(): return 2", "a.py", limits) as child:
        started = []
        original, child_module.launch = child_module.launch, lambda: started.append(1) or original()
        try:
            replies = [child.call("f", (), {}).status for _ in range(9)]
        finally:
            child_module.launch = original
        assert replies == ["exited"] * 9 and len(started) == 3
        assert child.call("g", (), {}).value == 2  # another exercise has its own chances


def test_timeouts_do_not_use_up_the_restarts():
    text = b"def f(x):\n    while x: pass\n    return x"
    with Child(text, "a.py", Limits(call=0.1, restarts=0)) as child:
        assert [child.call("f", (x,), {}).status for x in (1, 1, 0)] == ["timeout", "timeout", "ok"]


def test_processor_time_is_limited():
    text = b"def f():\n    while True: pass"
    with Child(text, "a.py", Limits(call=20.0, cpu=1)) as child:
        reply = child.call("f", (), {})
    assert reply.status == "timeout" and reply.seconds < 10


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory")
@pytest.mark.parametrize("item", ["object()", "[0]", "'x' * 1000", "float(len(x))"])
def test_memory_full_of_small_things_is_told(item):
    text = f"def f():\n    x = []\n    while True: x.append({item})"
    with Child(text.encode(), "a.py", Limits(call=20.0, memory=200 * 2**20)) as child:
        assert child.call("f", (), {}).status == "memory"
        assert child.call("f", (), {}).status == "memory"  # it lives on


def test_a_broken_line_shows_no_fault_of_ours():
    text = source("""
        import os
        def f():
            os.close(4)
            return 1
        """)
    with Child(text, "a.py") as child:
        assert child.call("f", (), {}).status in ("exited", "protocol")
        assert "agent" not in child.output and "Traceback" not in child.output


def test_a_busy_machine_gets_more_time(monkeypatch):
    from minilearn.grading.isolation import channel

    text = b"import time\ndef f(): time.sleep(0.8); return 1"
    with Child(text, "a.py", QUICK) as child:
        assert child.call("f", (), {}).status == "timeout"  # it slept: nobody kept it waiting
        monkeypatch.setattr(channel, "usage", lambda pid: (True, 0.0))
        assert child.call("f", (), {}).status == "ok"
        monkeypatch.setattr(channel, "usage", lambda pid: (True, time.monotonic()))
        assert child.call("f", (), {}).status == "timeout"


def test_an_interrupted_call_leaves_nothing_behind():
    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with Child(b"def f(x):\n    while x: pass\n    return x", "a.py") as child:
            child.call("f", (0,), {})
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(KeyboardInterrupt):
                child.call("f", (1,), {})
            assert child.channel is None and child.call("f", (0,), {}).value == 0
    finally:
        signal.signal(signal.SIGALRM, before)


# ---------------------------------------------------------------- what it prints


def test_printing_is_kept_shown_and_cut():
    text = source("""
        import sys
        def f(n):
            print("h\\x1b[31mello")
            print("warn", file=sys.stderr)
            sys.stdout.write("x" * n)
            return n
        """)
    with Child(text, "a.py", Limits(output=100)) as child:
        assert child.call("f", (3,), {}).status == "ok"
        assert "h[31mello" in child.output and "warn" in child.output and not child.truncated
        assert child.call("f", (10**8,), {}).status == "ok"
        assert len(child.output) <= 100 and child.truncated
        assert len(child.channel.printed) <= 100


def test_printing_at_import_and_before_death_is_kept():
    with Child(b"import os\nprint('start')\ndef f(): print('end', flush=True); os._exit(1)",
               "a.py") as child:
        assert child.call("f", (), {}).status == "exited"
        assert child.output.split() == ["start", "end"]


def test_closed_streams_do_no_harm():
    assert ask("import sys\nsys.stdout.close()\nsys.stderr = None\ndef f(): return 1").value == 1


# ---------------------------------------------------------------- no process survives


DETACHED = """
import os, time
def f():
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(writing, str(os.getpid()).encode())
            time.sleep(60)
        os._exit(0)
    return int(os.read(reading, 99))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the zygote")
@pytest.mark.parametrize("tier", [0, None])
def test_a_detached_grandchild_is_ended(tier):
    with Child(DETACHED.encode(), "a.py", tier=tier, watch=False) as child:
        reply = child.call("f", (), {})
        if tier is None and child.tier >= 2:
            assert (reply.status, reply.error) == ("exception", "PermissionError")
            return
        assert alive(reply.value)
    assert not alive(reply.value)


@pytest.mark.skipif(sys.platform != "linux", reason="the zygote")
def test_a_bounded_fork_bomb_is_swept_up():
    text = source("""
        import os, time
        def f():
            for _ in range(4):
                if os.fork() == 0:
                    os.setsid()
            time.sleep(60)
        """)
    with Child(text, "a.py", QUICK, tier=0, watch=False) as child:
        assert child.call("f", (), {}).status == "timeout"
        zygote = launch._zygote.popen.pid
        kept = Path(f"/proc/{zygote}/task/{zygote}/children")
        assert kept.read_text().split() == []


@pytest.mark.skipif(sys.platform != "linux", reason="the zygote")
def test_all_end_when_the_grader_is_killed():
    program = """
import sys
from minilearn.grading.isolation.child import Child
child = Child(sys.argv[1].encode(), "a.py", tier=0, watch=False)
print(child.call("f", (), {}).value, child.channel.process.pid, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", program, DETACHED], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, cwd=ROOT, text=True) as grader:
        pids = [int(pid) for pid in grader.stdout.readline().split()]
        assert all(map(alive, pids)) and len(pids) == 2
        os.kill(grader.pid, signal.SIGKILL)
    assert all(map(gone, pids))


@pytest.mark.skipif(sys.platform != "linux", reason="the zygote")
@pytest.mark.parametrize("tier", [0, None])
def test_a_zygote_that_was_killed_is_replaced(tier):
    with Child(b"def f(x): return x", "a.py", tier=tier) as child:
        assert child.call("f", (1,), {}).value == 1
        os.kill(launch._zygote.popen.pid, signal.SIGKILL)
        assert gone(child.channel.process.pid)
        assert child.call("f", (1,), {}).status in ("crashed", "protocol")
        assert child.call("f", (2,), {}).value == 2


@pytest.mark.parametrize("reader", [launch.Reader, launch.PumpedReader])
def test_without_a_zygote_the_same_holds(monkeypatch, reader):
    monkeypatch.setattr(launch.Process, "reader", reader)
    monkeypatch.setattr(child_module, "launch", launch.Started)
    text = source("""
        import os
        def f(x): print(x); return x
        def die(): os._exit(4)
        def hang():
            while True: pass
        """)
    with Child(text, "a.py", QUICK, tier=0) as child:
        assert child.call("f", (np.ones((100, 100)),), {}).value.shape == (100, 100)
        assert child.call("die", (), {}).error == "4"
        assert child.call("hang", (), {}).status == "timeout"
        assert child.call("f", (7,), {}).value == 7
        pid = child.channel.process.pid
    assert "7" in child.output and not alive(pid)


def test_the_package_can_be_imported_where_there_is_no_posix():
    program = """
    import os, sys, signal
    for name in ("resource", "fcntl", "pwd"):
        sys.modules[name] = None
    import subprocess, socket, selectors, tempfile, numpy.testing
    sys.platform = "win32"
    for module, name in ((os, "register_at_fork"), (os, "set_blocking"), (os, "getuid"),
                         (signal, "SIGKILL"), (socket, "AF_UNIX")):
        delattr(module, name)
    from minilearn.grading.isolation import child, jail, lint
    from minilearn.grading.teach import intake
    assert jail.enter([], 3, 2**30, 60) == []
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
