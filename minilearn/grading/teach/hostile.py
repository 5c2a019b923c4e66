"""Hostile and broken submissions, and the verdict that each must get.

Most are a `conv2d` written instead of the right one; that one is there as `right`, so that some
are right in all but one thing. `whole` replaces the whole file.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..verdicts import Status

HEAD = "def conv2d(x, w, b, stride=1, padding=0):\n"
RIGHT = "right(x, w, b, stride, padding)"
PASS, VALUE, SHAPE, TYPE = Status.PASS, Status.WRONG_VALUE, Status.WRONG_SHAPE, Status.WRONG_TYPE
EXCEPTION, EXITED, CHANCE = Status.EXCEPTION, Status.EXITED, Status.NONDETERMINISTIC
IMPORT, FORBIDDEN = Status.IMPORT_ERROR, Status.FORBIDDEN


@dataclass(frozen=True)
class Attack:
    """One submission, and what must be said of it.

    status: any of these. says: texts of the message. points: "none", "some" or "all".
    whole: whether `code` is the whole file; None is no file at all. neighbour: the status of
    another exercise of the file, which must not suffer. flag: what the instructor is told.
    """

    number: str
    what: str
    code: str | None
    status: tuple[Status, ...]
    says: tuple[str, ...] = ()
    points: str = "none"
    whole: bool = False
    exercise: str = "conv2d"
    neighbour: Status = PASS
    flag: str = ""
    truncated: bool = False


def body(text: str) -> str:
    """Write a `conv2d` with this body."""
    return HEAD + "".join(f"    {line}\n" for line in text.strip("\n").splitlines())


ATTACKS = (
    Attack("1", "the starter, unchanged", "STARTER", (Status.NOT_IMPLEMENTED,),
           ("minilearn hint conv2d",), whole=True, neighbour=Status.NOT_IMPLEMENTED),
    Attack("2", "a syntax error", "def conv2d(x:", (IMPORT,), ("line 1",), whole=True,
           neighbour=IMPORT),
    Attack("3", "no file", None, (Status.MISSING,), ("03_convolution.py", "02_training.py"),
           whole=True, neighbour=Status.MISSING),
    Attack("4", "a wrong name", f"def conv_2d(x, w, b, stride=1, padding=0):\n    return {RIGHT}\n",
           (Status.MISSING,), ("conv_2d",)),
    Attack("5", "a parameter is missing",
           "def conv2d(x, w, b, stride=1):\n    return right(x, w, b, stride)\n", (EXCEPTION,),
           ("TypeError", "padding")),
    Attack("6", "a nested list", body(f"return {RIGHT}.tolist()"), (TYPE,), ("list",)),
    Attack("7a", "shape (F, 1) for (F,)",
           "def conv2d_grad_bias(g):\n    return g.sum(axis=(0, 2, 3))[:, None]\n", (SHAPE,),
           exercise="conv2d_grad_bias"),
    Attack("7b", "shape (1,), which would broadcast", body("return np.ones(1)"), (SHAPE,)),
    Attack("8a", "an empty array", body("return np.empty((0,))"), (SHAPE,)),
    Attack("8b", "no rows", body(f"return {RIGHT}[:, :, :0]"), (SHAPE,)),
    Attack("9a", "all nan", body(f"return {RIGHT} * np.nan"), (VALUE,), ("nan",)),
    Attack("9b", "one nan, at the end",
           body(f"y = {RIGHT}\ny[-1, -1, -1, -1] = np.nan\nreturn y"), (VALUE,), ("nan",)),
    Attack("10", "a softmax that overflows",
           "def log_softmax(x):\n    return x - np.log(np.exp(x).sum(-1, keepdims=True))\n",
           (VALUE, SHAPE), ("inf",), points="some", exercise="log_softmax"),
    Attack("11", "never ends when padding is 2",
           body(f"while padding == 2: pass\nreturn {RIGHT}"), (Status.TIMEOUT,), ("padding = 2",),
           points="some"),
    Attack("12a", "ends the process", body("import os\nos._exit(0)"), (EXITED,), ("0",)),
    Attack("12b", "ends Python at import", "import sys\nsys.exit(0)\n", (IMPORT, EXITED),
           whole=True, neighbour=IMPORT),
    Attack("13", "wrong, and hides the exit code",
           "import atexit, os\natexit.register(os._exit, 0)\n" + body(f"return {RIGHT} + 1"),
           (VALUE,)),
    Attack("14", "an object that equals everything",
           "class Same:\n    def __eq__(self, other): return True\n"
           "    def __sub__(self, other): return 0\n"
           "    def __array__(self, *a, **k): return np.zeros(1)\n" + body("return Same()"),
           (TYPE,), ("Same",)),
    Attack("15", "an array that always agrees",
           "class Mine(np.ndarray):\n    def __array_function__(self, *a): return True\n"
           "    def __array_ufunc__(self, *a, **k): return True\n"
           + body(f"return {RIGHT}.view(Mine)"), (TYPE,), ("Mine",)),
    Attack("16", "replaces what compares",
           "import builtins\nnp.testing.assert_allclose = np.allclose = lambda *a, **k: True\n"
           "np.abs = builtins.abs = lambda x: 0\n"
           + body(f"return np.zeros_like({RIGHT})"), (VALUE,)),
    Attack("17", "looks for the answer in memory",
           "import gc, sys\n" + body(f"""
frame = sys._getframe()
while frame:
    for name in ("expected", "due", "reference"):
        if name in frame.f_locals: return frame.f_locals[name]
    frame = frame.f_back
for thing in gc.get_objects():
    if isinstance(thing, dict) and "expected" in thing: return thing["expected"]
return np.zeros_like({RIGHT})"""), (VALUE, TYPE)),
    Attack("18a", "imports torch", "import numpy as np\n\nimport torch\n" + body("return x"),
           (FORBIDDEN,), ("line 3", "torch"), whole=True, neighbour=FORBIDDEN),
    Attack("18b", "imports torch in secret",
           body("return __import__('to' + 'rch').nn.functional.conv2d(x, w, b)"),
           (FORBIDDEN, EXCEPTION)),
    Attack("19", "reads the solutions", body("""
text = open("SOLUTIONS/03_convolution.py").read()
space = {}
exec(compile(text, "solution", "exec"), space)
return space["conv2d"](x, w, b, stride, padding)"""), (EXCEPTION,), flag="read_outside"),
    Attack("20", "right, and prints 100 MB",
           "import sys, warnings\nfor _ in range(100):\n    print('x' * 1_000_000)\n"
           "print('a warning', file=sys.stderr)\n" + body(f"return {RIGHT}"), (PASS,),
           points="all", truncated=True),
    Attack("21", "writes junk everywhere",
           "import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'junk' * 100)\n"
           "    except OSError: pass\n" + body("return x"), (Status.PROTOCOL,),
           neighbour=Status.PROTOCOL),
    Attack("22a", "asks for 8 GiB", body("return np.ones(2**30)"), (Status.MEMORY,)),
    Attack("22b", "a list that grows for ever",
           body("grows = []\nwhile True: grows.append([0] * 1000)"),
           (Status.MEMORY, Status.TIMEOUT)),
    Attack("23a", "recursion without end", body("return conv2d(x, w, b, stride, padding)"),
           (EXCEPTION,), ("RecursionError",)),
    Attack("23b", "reads address 0", "import ctypes\n" + body("return ctypes.string_at(0)"),
           (Status.CRASHED, FORBIDDEN)),
    Attack("24a", "wrong by chance", "import random\n"
           + body(f"return {RIGHT} + (random.random() < 0.3)"), (CHANCE, VALUE)),
    Attack("24b", "wrong on every 17th call", "calls = [0]\n" + body(f"""
calls[0] += 1
return {RIGHT} + (calls[0] % 17 == 0)"""), (CHANCE, VALUE)),
    Attack("25", "right, in an odd file", "ODD", (PASS,), points="all", whole=True),
)
