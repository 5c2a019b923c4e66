"""The isolation holds where this machine offers it, and the attempts that prove it can succeed.

Every attempt bypasses the audit hook, so that it is the kernel that refuses; a second set of tests
looks at the hook alone.
"""

import glob
import importlib.util
import os
import socket
import sys
import textwrap

import numpy as np
import pytest

from minilearn.grading.isolation import calls, jail
from minilearn.grading.isolation.child import ATTEMPTS, Child, Limits, probe

LINUX = sys.platform == "linux"
# Asked of the kernel, not of `probe`: a hole in the jail must fail here, and not skip.
OFFERED = LINUX and os.uname().machine in calls.ARCHITECTURES \
    and jail.libc.syscall(jail.CREATE_RULESET, None, 0, 1) >= 1
sealed = pytest.mark.skipif(not OFFERED, reason="this machine offers no such isolation")
QUICK = Limits(call=1.0)


def run(text, *args, tier=None, watch=False, function="f"):
    with Child(textwrap.dedent(text).encode(), "a.py", QUICK, tier, watch) as child:
        reply = child.call(function, args, {})
        return reply, child


def attempt(body, tier, **options):
    """Run statements in a jailed child; return the name of the exception that stopped them."""
    lines = textwrap.indent(textwrap.dedent(body), "    ")
    reply, _ = run(f"import ctypes, os, signal, socket, sys, threading\n"
                   f"libc = ctypes.CDLL(None, use_errno=True)\n"
                   f"def check(result):\n"
                   f"    if result < 0: raise OSError(ctypes.get_errno(), 'refused')\n"
                   f"def f(*args):\n{lines}\n", tier=tier, **options)
    return reply.error if reply.status == "exception" else reply.status


@pytest.mark.skipif(not LINUX, reason="numbers of signals and limits")
def test_the_attempts_succeed_where_nothing_holds_them(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("42")
    with socket.create_server(("127.0.0.1", 0)) as server, \
            Child(ATTEMPTS.read_bytes(), "a.py", tier=0, watch=False) as child:
        place = (str(secret), server.getsockname()[1], os.getpid())
        assert set(child.call("escapes", place, {}).value) == {
            "read", "change", "leave_a_file", "connect", "signal", "fork", "run"}
        assert child.tier == 0


@sealed
def test_every_attempt_fails_at_the_tier_that_is_claimed(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("42")
    assert probe() >= 2
    for tier in range(2, probe() + 1):
        with socket.create_server(("127.0.0.1", 0)) as server, \
                Child(ATTEMPTS.read_bytes(), "a.py", tier=tier, watch=False) as child:
            place = (str(secret), server.getsockname()[1], os.getpid())
            assert child.call("escapes", place, {}).value == []
            assert child.tier == tier
    assert sorted(os.listdir(tmp_path)) == ["secret"]


def test_the_tier_is_what_the_measures_amount_to():
    assert jail.tier_of([]) == jail.tier_of(["files", "user"]) == 0
    assert jail.tier_of(["limits", "files", "network", "processes"]) == 1
    assert jail.tier_of({"limits", *jail.SEALED}) == 2
    assert jail.tier_of({"limits", "user", *jail.SEALED}) == 3


# ---------------------------------------------------------------- what the kernel refuses


@sealed
@pytest.mark.parametrize("body", [
    "os.open('/etc/passwd', os.O_RDONLY)",
    "check(libc.open(b'/etc/passwd', 0))",
    "os.open(f'/proc/{os.getppid()}/environ', os.O_RDONLY)",
    "os.open(f'/proc/{os.getppid()}/mem', os.O_RDWR)",
    "os.open('/proc/self/environ', os.O_RDONLY)",
    "os.listdir('/')",
    "open('left', 'w')",
    "open('/tmp/left', 'w')",
    "open('/dev/shm/left', 'w')",
    "os.mkdir('/tmp/left')",
    "os.symlink('/etc', '/tmp/left')",
    "os.mkfifo('/tmp/left')",
    "os.memfd_create('x')",
    "os.remove(args[0])",
    "os.rename(args[0], args[0] + 'x')",
    "os.link(args[0], args[0] + 'x')",
    "os.truncate(args[0], 0)",
    "os.chmod(args[0], 0o777)",
    "os.utime(args[0])",
    "os.chown(args[0], os.getuid(), -1)",
    "os.setxattr(args[0], 'user.x', b'1')",
])
def test_no_file_is_reached(body, tmp_path):
    mine = tmp_path / "mine"
    mine.write_text("mine")
    before = mine.stat()
    lines = f"import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n" \
            f"def check(n):\n    if n < 0: raise OSError(ctypes.get_errno(), '')\n" \
            f"def f(*args):\n    {body}\n"
    with Child(lines.encode(), "a.py", tier=2, watch=False) as child:
        reply = child.call("f", (str(mine),), {})
    assert reply.status == "exception" and reply.error in ("PermissionError", "OSError"), reply
    after = mine.stat()
    assert (before.st_mtime_ns, before.st_mode, before.st_size) == \
        (after.st_mtime_ns, after.st_mode, after.st_size)
    assert os.listdir(tmp_path) == ["mine"]
    assert not any(os.path.lexists(f"{place}/left") for place in ("/tmp", "/dev/shm", ""))


@sealed
@pytest.mark.parametrize("body", [
    "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', (b'127.0.0.1', 9))",
    "socket.socket(socket.AF_UNIX).connect('/run/docker.sock')",
    "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).connect((b'::1', 9))",
    "check(libc.socket(2, 1, 0))",
    "os.kill(os.getppid(), signal.SIGKILL)",
    "os.kill(1, 0)",
    "os.kill(-1, 0)",
    "os.killpg(0, 0)",
    "check(libc.syscall(234, os.getppid(), os.getppid(), 0))",
    "check(libc.ptrace(16, os.getppid(), 0, 0))",
    "import resource; resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))",
    "os.sched_setaffinity(os.getppid(), {0})",
    "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
    "check(libc.unshare(0x10000000))",
    "check(libc.mount(b'none', b'/mnt', b'tmpfs', 0, None))",
    "check(libc.shmget(0, 4096, 0o1600))",
    "os.fork()",
    "check(libc.fork())",
    "check(libc.vfork())",
    "os.posix_spawn('/bin/sh', ['sh'], {})",
    "os.execv(sys.executable, ['x'])",
    "import subprocess; subprocess.run(['true'])",
    "check(libc.syscall(425, 8, ctypes.create_string_buffer(512)))",
])
@pytest.mark.parametrize("tier", [2, 3])
def test_no_network_and_no_other_process_is_reached(body, tier):
    if "syscall" in body and os.uname().machine != "x86_64":
        pytest.skip("the number is x86_64's")
    assert attempt(body, tier) in ("PermissionError", "OSError", "BlockingIOError")


@sealed
def test_no_package_is_readable_but_numpy():
    library = os.path.dirname(os.__file__)
    closed = [calls.__file__, pytest.__file__, importlib.util.find_spec("hypothesis").origin,
              *glob.glob(f"{library}/site-packages/*")[:3], f"{library}/site-packages"]
    opened = [np.__file__, textwrap.__file__]
    reply, _ = run("""
        import os
        def f(*paths):
            found = []
            for path in paths:
                try: found.append(bool(os.open(path, os.O_RDONLY)))
                except OSError: found.append(False)
            return found
        """, *closed, *opened, tier=2)
    assert reply.value == [False] * len(closed) + [True] * len(opened)


@sealed
def test_no_thread_is_started():
    assert attempt("threading.Thread(target=print).start()", 2) == "RuntimeError"


@sealed
def test_limits_cannot_be_raised_again():
    assert attempt("import resource\n"
                   "resource.setrlimit(resource.RLIMIT_CPU, (99, 99))", 2) == "ValueError"


@sealed
def test_numpy_and_the_standard_library_still_work():
    reply, _ = run("""
        import numpy as np, random, time, textwrap, copy
        def f():
            x = np.random.default_rng(0).normal(size=(9, 9))
            np.testing.assert_allclose(np.linalg.inv(x) @ x, np.eye(9), atol=1e-9)
            np.fft.fft2(x), np.einsum("ij,jk", x, x), np.linalg.svd(x), np.array2string(x)
            np.lib.stride_tricks.sliding_window_view(x, (3, 3)), np.polynomial.Polynomial([1, 2])(3)
            np.seterr(all="warn"); np.log(np.zeros(1)); "ä".encode("latin-1")
            return float(np.ma.masked_array(x).sum() - x.sum())
        """, watch=True)
    assert reply.status == "ok" and abs(reply.value) < 1e-9


@pytest.mark.skipif(not LINUX or os.getuid() != 0, reason="only the superuser can")
def test_the_superuser_becomes_nobody():
    reply, child = run("import os\ndef f(): return (os.getuid(), os.geteuid(), os.getgroups())")
    if probe() < 3:
        pytest.skip("not in this container")
    assert reply.value[0] == reply.value[1] >= 1000 and reply.value[2] == []


def test_the_limits_are_in_force():
    reply, _ = run("""
        import resource
        def f():
            return [resource.getrlimit(getattr(resource, "RLIMIT_" + name))[1]
                    for name in ("CPU", "FSIZE", "NOFILE", "CORE", "AS", "NPROC")]
        """, tier=1)
    assert reply.value == [61, 0, 64, 0, 2**30, 0]


def test_only_its_pipes_are_open():
    reply, _ = run("""
        import os
        def f():
            found = []
            for fd in range(256):
                try: found.append((fd, os.fstat(fd).st_mode & 0o170000))
                except OSError: pass
            return found
        """)
    kinds = dict(reply.value)
    assert len([fd for fd in kinds if kinds[fd] == 0o10000]) == 4  # pipes: 1 and 2 are the same
    assert len(kinds) == 5  # and an empty input


# ---------------------------------------------------------------- the filter program


@pytest.mark.parametrize("machine", calls.ARCHITECTURES)
def test_no_jump_of_the_filter_leads_out_of_it(machine):
    program = calls.program(machine, 1234)
    assert 50 < len(program) < 4096
    for place, step in enumerate(program):
        code, yes, no = step[0], step[2], step[3]
        if code in (calls.EQUAL, calls.AT_LEAST):
            assert place + 1 + max(yes, no) < len(program)
    assert program[-1][4:] == calls.ALLOW.to_bytes(4, "little")


def test_an_unknown_machine_has_no_filter():
    assert calls.program("pdp11", 1) == []


@pytest.mark.parametrize("column, header", [
    (0, "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), (1, "/usr/include/asm-generic/unistd.h"),
])
def test_the_numbers_of_calls_are_those_of_the_system(column, header):
    """Compare with the kernel's headers, where they are installed; aarch64's are the generic."""
    if not os.path.exists(header):
        pytest.skip("no kernel headers")
    with open(header) as file:
        defined = {words[1].removeprefix("__NR_").removeprefix("__NR3264_"): int(words[2])
                   for words in map(str.split, file)
                   if len(words) >= 3 and words[1].startswith("__NR") and words[2].isdigit()}
    table = {name: row[column] for name, row in (calls.REFUSED | calls.ON_ITSELF).items()}
    assert {name: number for name, number in table.items()
            if number is not None and defined.get(name, number) != number} == {}
    newer = {name for name, number in table.items() if number and name not in defined}
    assert newer <= {"fchmodat2", "setxattrat", "removexattrat", "file_setattr"}
    assert not {name for name, number in table.items() if number is None and name in defined}


# ---------------------------------------------------------------- the audit hook, on any tier


@pytest.mark.parametrize("body, flag, message", [
    ("open('../solutions/03_convolution.py')", "read_outside", "'../solutions/03_convolution.py'"),
    ("open('notes.txt', 'w')", "write", "may not change files"),
    ("import os; os.remove('x')", "write", "os.remove"),
    ("import os; os.listdir('/')", "read_outside", "may not read files"),
    ("import os; os.system('true')", "process", "may not start"),
    ("import os; os.kill(os.getppid(), 9)", "process", "may not start or signal"),
    ("import subprocess; subprocess.Popen(['true'])", "process", "may not start"),
    ("import socket; socket.socket()", "network", "may not use the network"),
    ("import ctypes; ctypes.CDLL(None)", "ctypes", "may not load C libraries"),
])
@pytest.mark.parametrize("tier", [0, None])
def test_attempts_are_flagged_and_refused_with_a_sentence(body, flag, message, tier):
    reply, child = run(f"def f(): {body}", tier=tier, watch=True)
    assert (reply.status, reply.error) == ("exception", "PermissionError")
    assert message in reply.message and flag in child.flags
    assert reply.line == (1, f"def f(): {body}")


def test_a_hidden_import_fails_and_is_flagged():
    reply, child = run("def f(): return __import__('to' + 'rch')", watch=True)
    assert (reply.status, reply.error) == ("exception", "ModuleNotFoundError")
    assert "import" in child.flags


def test_honest_work_raises_no_flag():
    _, child = run("import numpy as np\ndef f(): return np.linalg.norm(np.random.rand(3))",
                   watch=True)
    assert child.flags == []


def test_only_known_flags_are_believed():
    reply, child = run("""
        import gc
        def f():
            for found in gc.get_objects():
                if type(found).__name__ == "Agent":
                    found.flags += ["import", "\\x1b[2J", 7, ["x"]]
            return 1
        """, watch=True)
    assert reply.value == 1 and child.flags == ["gc:2", "import"]
