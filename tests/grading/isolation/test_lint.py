"""What a text says before it runs: imports, an exercise's forbidden names, things to look at."""

import textwrap
import time

import pytest

from minilearn.grading.isolation import lint
from minilearn.grading.isolation.child import Child, Local


def examine(text):
    return lint.examine(textwrap.dedent(text).encode())


def forbidden(text, *names, function="conv"):
    return lint.forbidden(examine(text), function, names)


# ---------------------------------------------------------------- imports


@pytest.mark.parametrize("text, line", [
    ("import torch", 1), ("import numpy as np, torch.nn as nn", 1), ("\n\nfrom jax import grad", 3),
    ("def f():\n    import scipy.signal", 2), ("from . import helper", 1),
    ("try:\n    import torch\nexcept ImportError:\n    torch = None", 2),
    ("from minilearn.functional import conv2d", 1), ("import numpy.linalg\nimport numpyx", 2),
])
def test_another_library_is_forbidden_with_its_line(text, line):
    found = examine(text)["forbidden"]
    assert found["status"] == "forbidden" and found["line"][0] == line
    assert "import" in found["line"][1] and "not available in exercises" in found["message"]


@pytest.mark.parametrize("text", [
    "import numpy as np\nimport numpy.linalg as la\nfrom numpy.typing import NDArray",
    "from __future__ import annotations\nimport math, typing, dataclasses, functools",
    "import itertools, collections.abc, enum", "import os, sys, time",
    "if __name__ == '__main__':\n    import matplotlib.pyplot as plt", "x = 'import torch'",
])
def test_python_and_numpy_are_allowed(text):
    assert examine(text)["forbidden"] == {}


def test_a_forbidden_import_runs_nothing():
    text = b"print('ran')\nimport torch\ndef f(): return 1"
    with Child(text, "a.py") as child:
        reply = child.call("f", (), {})
        assert reply.status == "forbidden" and reply.line == (2, "import torch")
        assert child.output == ""


@pytest.mark.parametrize("text", ["def f(:", "\0", "x = " + "-" * 100_000 + "1", "\udcff"])
def test_what_cannot_be_parsed_is_left_to_the_import(text):
    found = lint.examine(text.encode(errors="surrogateescape"))
    assert found == {"forbidden": {}, "flags": [], "uses": {}}


# ---------------------------------------------------------------- names an exercise forbids

CONVOLVE = [
    "import numpy as np\ndef conv(x):\n    return np.convolve(x, x)",
    "import numpy\ndef conv(x):\n    return numpy.convolve(x, x)",
    "from numpy import convolve\ndef conv(x):\n    return convolve(x, x)",
    "from numpy import convolve as c\ndef conv(x):\n    return c(x, x)",
    "from numpy import *\ndef conv(x):\n    return convolve(x, x)",
    "import numpy as np\nc = np.convolve\ndef conv(x):\n    return c(x, x)",
    "import numpy as np\nn = np\ndef conv(x):\n    return n.convolve(x, x)",
    "import numpy as np\na, b = 1, np\ndef conv(x):\n    return b.convolve(x, x)",
    "import numpy as np\ndef conv(x):\n    c = np\n    return c.convolve(x, x)",
    "import numpy as np\ndef conv(x):\n    return getattr(np, 'convolve')(x, x)",
    "import numpy as np\ndef conv(x, c=np.convolve):\n    return c(x, x)",
    "import numpy as np\ndef conv(x):\n    return (c := np.convolve)(x, x)",
    "import numpy as np\ndef conv(x):\n    return np.core.numeric.convolve(x, x)",
    "def conv(x):\n    import numpy as np\n    return np.convolve(x, x)",
    "import numpy as np\ndef _h(x): return np.convolve(x, x)\ndef conv(x):\n    return _h(x)",
    "import numpy as np\nclass H:\n    def g(self): return np.convolve\n"
    "def _i(): return H()\ndef conv(x):\n    return _i().g()(x, x)",
    "import numpy as np\nconv = lambda x: np.convolve(x, x)",
    "import numpy as np\ndef conv(x): return x\nif True:\n    conv = np.convolve",
    "import numpy as np\n@np.convolve\ndef conv(x): return x",
]


@pytest.mark.parametrize("text", CONVOLVE)
def test_a_forbidden_name_is_found(text):
    found = forbidden(text, "numpy.convolve")
    assert found["status"] == "forbidden" and "`numpy.convolve`" in found["message"]
    assert "convolve" in text.splitlines()[found["line"][0] - 1] or "c(" in text


@pytest.mark.parametrize("text", [
    "import numpy as np\ndef conv(x): return np.correlate(x, x)",
    "import numpy as np\ndef conv(x): return x\ndef other(x): return np.convolve(x, x)",
    "import numpy as np\ndef conv(x): return 'np.convolve'  # np.convolve",
    "def convolve(x): return x\ndef conv(x): return convolve(x)",
    "import numpy as np\ndef conv(x):\n    return x.convolve",
    "from numpy import convolve\ndef conv(x): return x",
])
def test_other_names_are_left_alone(text):
    assert forbidden(text, "numpy.convolve") == {}


@pytest.mark.parametrize("rule, body", [
    ("numpy.linalg", "np.linalg.inv(x)"), ("np.linalg.inv", "np.linalg.inv(x)"),
    (".dot", "x.dot(x)"), ("@", "x @ x"), ("numpy.lib.stride_tricks.sliding_window_view",
                                         "np.lib._stride_tricks_impl.sliding_window_view(x, 2)"),
])
def test_modules_methods_and_operators_can_be_forbidden(rule, body):
    text = f"import numpy as np\ndef conv(x): return {body}\n"
    assert forbidden(text, rule)["line"][0] == 2
    assert forbidden(text, "numpy.einsum", ".sum") == {}


def test_the_innocent_bystanders_of_a_rule():
    text = "def conv(x): return conv(x)\ndef g(): return h()\ndef h(): return g()"
    assert forbidden(text, "numpy.convolve") == forbidden(text, "x", function="none") == {}


@pytest.mark.parametrize("kind", [Child, Local])
def test_a_child_is_asked_about_an_exercise(kind):
    with kind(CONVOLVE[0].encode(), "a.py") as child:
        reply = child.forbidden("conv", ("numpy.convolve",))
        assert reply.status == "forbidden" and reply.line[0] == 3
        assert child.forbidden("conv", ("numpy.correlate",)).status == "ok"
        assert child.call("conv", ([1.0],), {}).status == "ok"  # the rule is the caller's


# ---------------------------------------------------------------- things to look at


@pytest.mark.parametrize("text, flag", [
    ("def f(): exec('x')", "exec:1"), ("\nopen('x')", "open:2"),
    ("__import__('x')", "__import__:1"),
    ("import gc", "gc:1"), ("from os import path", "os:1"), ("f.__globals__", "__globals__:1"),
    ("().__class__.__mro__", "__mro__:1"), ("import numpy as np\nnp.ctypeslib", "ctypeslib:2"),
])
def test_what_is_odd_is_flagged_but_not_forbidden(text, flag):
    found = examine(text)
    assert found["flags"] == [flag] and found["forbidden"] == {}


def test_ordinary_code_has_no_flags():
    assert examine("""
        from __future__ import annotations
        import numpy as np
        class Tensor:
            def __init__(self, data): self.data = data
            def __add__(self, other): return Tensor(self.data + other.data)
            @property
            def opened(self): return self.compile
        if __name__ == "__main__": open("x"), eval("1")
        """)["flags"] == []


# ---------------------------------------------------------------- texts made to be slow


@pytest.mark.parametrize("text", [
    "x" + ".a" * 3000, "\n".join(f"a{i} = b{i}.c" for i in range(4000)),
    "import numpy as a0\n" + "\n".join(f"a{i + 1} = a{i}.x" for i in range(3000)),
    "import numpy as a, numpy as b\n" + "a = b = a.x\nb = a.y\n" * 500,
    "def f(x): return " + " + ".join(["x"] * 3000),
])
def test_no_text_takes_long(text):
    started = time.monotonic()
    examine(text)
    assert time.monotonic() - started < 5


def test_a_file_of_too_many_names_is_refused():
    text = "import numpy as np\n" + "\n".join(f"np.x{i}" for i in range(9000))
    assert examine(f"{text}\ndef f(): pass")["forbidden"] == {}  # outside of any definition
    text = "import numpy as np\ndef f():\n" + "\n".join(f"    np.x{i}" for i in range(9000))
    assert "names" in examine(text)["forbidden"]["message"]


def test_called_follows_the_calls_of_a_file():
    found = examine("""
        def a(): return b() + c.d
        def b(): return a() + e()
        c = 1
        def e(): return sum([1])
        def f(): return a()
    """)
    assert set(lint.called(found, "a")) == {"a", "b", "c", "e"}
    assert lint.called(found, "e") == ["e"] and lint.called(found, "nothing") == []
