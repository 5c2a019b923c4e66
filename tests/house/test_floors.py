"""The floor rule of the design: which module may import which, read from the syntax trees.

Imports inside functions and under TYPE_CHECKING count like any other. `minilearn/__init__.py` and
`__main__.py` stand on top of everything and are exempt.
"""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "minilearn"
FLOORS = {
    "xp": 0, "memory": 0, "errors": 0, "arrays": 0, "slots": 0, "files": 0, "processes": 0,
    "tensor": 1, "op": 1, "autograd": 1, "hooks": 1,
    "ops": 2, "creation": 2,
    "functional": 3, "derivatives": 3, "check": 3, "conversion": 3, "methods": 3,
    "nn": 4, "optim": 4, "data": 4,
    "train": 5,
    "models": 6, "weights": 6, "viz": 6, "contracts": 6, "interpret": 6,
    "mine": 6,
    "grading": 7, "recipes": 7,
    "bench": 8,
    "cli": 9,
}
# The rooms of the grader, each built on those before it.
ROOMS = {"grading.isolation": 0, "grading.checking": 1, "grading.learn": 2, "grading.teach": 3}
TOP = {"", "__main__"}
OUTSIDE = {"tests", "lessons", "exercises", "solutions"}  # they import minilearn, never the reverse
# `processes` is the door to torch.distributed, which joins processes, as `xp` is to arrays.
TORCH = {"xp", "processes", "weights", "bench", "contracts"}
COMPAT = {"xp", "bench", "contracts"}
# The arithmetic of the framework goes through `xp`, or a GPU would not be reached.
NO_NUMPY = {"errors", "slots", "tensor", "autograd", "creation", "ops", "functional", "methods",
            "nn", "optim", "models"}


def module_name(path, package):
    """`ops/conv.py` -> "ops.conv", `ops/__init__.py` -> "ops", `__init__.py` -> ""."""
    parts = path.relative_to(package).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def absolute(node, path, package):
    """What a `from` import names, in full: `from ..ops import conv2d` -> "minilearn.ops"."""
    if not node.level:
        return node.module or ""
    folder = [package.name, *path.parent.relative_to(package).parts]
    base = folder[: len(folder) - node.level + 1]
    return ".".join(base + ([node.module] if node.module else []))


def imports(path, package, modules):
    """Yield (line, dotted name, names imported from it, or None for a plain import)."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                # `import minilearn.ops` binds the root; `import minilearn.ops as ops` does not.
                rooted = alias.asname is None and alias.name.startswith(f"{package.name}.")
                yield node.lineno, package.name if rooted else alias.name, None
        elif isinstance(node, ast.ImportFrom):
            source = absolute(node, path, package)
            names = [alias.name for alias in node.names]
            own = source.split(".")[0] == package.name
            inner = source.removeprefix(package.name).lstrip(".")
            # `from .. import xp` names a module: that is an import of the module, not of the root.
            found = {n for n in names if own and (f"{inner}.{n}" if inner else n) in modules}
            for name in sorted(found):
                yield node.lineno, f"{source}.{name}", []
            if found != set(names):
                yield node.lineno, source, [n for n in names if n not in found]


def same_folder(a, b, modules):
    """Whether two modules share a folder, so that a shared floor is no obstacle."""
    return a.split(".")[0] == b.split(".")[0] or modules[a].parent == modules[b].parent


def problem(module, target, names, package, modules):
    """Say what is wrong with one import, or return None."""
    unit = module.split(".")[0]
    library = target.split(".")[0]
    if names is not None and "*" in names:
        return f"star import from {target}"
    if library in OUTSIDE:
        return f"imports {target}, from outside the package"
    if library != package.name:
        return foreign(unit, library)
    inner = target.removeprefix(package.name).lstrip(".")
    if unit in TOP:
        return None
    if not inner:
        return "imports the package root"
    if inner not in modules or inner.split(".")[0] not in FLOORS:
        return f"imports {target}, which has no floor or does not exist"
    here, there = FLOORS[unit], FLOORS[inner.split(".")[0]]
    if there < here or (there == here and same_folder(module, inner, modules)):
        return wrong_room(module, inner)
    return f"floor {here} imports {target} on floor {there}"


def wrong_room(module, target):
    """Say what is wrong where a room of the grader imports a later one, or return None."""
    here, there = (ROOMS.get(".".join(name.split(".")[:2])) for name in (module, target))
    if here is not None and there is not None and there > here:
        return f"room {module.split('.')[1]} imports {target}, of a later room"
    return None


def foreign(unit, library):
    """Say what is wrong with the import of another library, or return None."""
    if library == "torch" and unit not in TORCH:
        return "imports torch, which only xp, processes, weights, bench and contracts may"
    if library == "array_api_compat" and unit not in COMPAT:
        return "imports array_api_compat: use minilearn.xp"
    if library == "numpy" and unit in NO_NUMPY:
        return "imports numpy: use minilearn.xp"
    return None


def violations(package):
    """List every breach of the floor rule in a package folder, as "file:line: what"."""
    modules = {module_name(path, package): path for path in sorted(package.rglob("*.py"))}
    found, graph = [], {}
    for module, path in modules.items():
        place = path.relative_to(package.parent)
        if module.split(".")[0] not in FLOORS.keys() | TOP:
            found.append(f"{place}: has no floor; give it one in {Path(__file__).name}")
            continue
        graph[module] = set()
        for line, target, names in imports(path, package, modules):
            if wrong := problem(module, target, names, package, modules):
                found.append(f"{place}:{line}: {wrong}")
            if target.startswith(f"{package.name}."):
                graph[module].add(target.removeprefix(f"{package.name}."))
    return found + cycles(graph)


def cycles(graph):
    """Name one import cycle, if there is any."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return ["import cycle: " + " <- ".join(error.args[1])]
    return []


def test_floor_rule_holds():
    assert PACKAGE.is_dir()
    found = violations(PACKAGE)
    assert not found, "\n" + "\n".join(found)


# ---------------------------------------------------------------- the rule itself is tested

GOOD = {
    "__init__.py": "from .tensor import Tensor\nfrom . import nn",
    "__main__.py": "from minilearn.cli import main",
    "errors.py": "import math",
    "xp.py": "import numpy\nimport array_api_compat\nfrom .errors import ShapeError",
    "tensor.py": "from . import xp\nfrom .errors import ShapeError",
    "ops/__init__.py": "from .conv import conv2d",
    "ops/conv.py": "from .. import xp\nfrom ..tensor import Op\nfrom .reduce import sum",
    "ops/reduce.py": "from minilearn.tensor import Op",
    "nn/__init__.py": "",
    "grading/__init__.py": "",
    "grading/isolation/__init__.py": "",
    "grading/teach/__init__.py": "from ..isolation import child",
    "grading/isolation/child.py": "",
    "data/__init__.py": "import numpy as np",
    "weights.py": "def load():\n    import torch",
    "cli/__init__.py": "import minilearn.nn as nn",
}
PLANTED = {
    "upwards": ("tensor.py", "from .ops import conv2d", "floor 1 imports minilearn.ops on floor 2"),
    "in a function": ("ops/conv.py", "def f():\n    from ..nn import Module", "on floor 4"),
    "for types only": ("ops/conv.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
                       "    from minilearn.nn import Module", "on floor 4"),
    "module upwards": ("tensor.py", "from . import nn", "on floor 4"),
    "beside": ("nn/__init__.py", "from ..data import DataLoader", "floor 4 imports minilearn.data"),
    "folder beside file": ("weights.py", "from .viz import show", "no floor or does not exist"),
    "root": ("nn/__init__.py", "import minilearn", "package root"),
    "root by name": ("nn/__init__.py", "from .. import Tensor", "package root"),
    "root by submodule": ("nn/__init__.py", "import minilearn.tensor", "package root"),
    "star": ("nn/__init__.py", "from ..tensor import *", "star import"),
    "star on top": ("__init__.py", "from .tensor import *", "star import"),
    "torch": ("nn/__init__.py", "def f():\n    import torch.nn", "imports torch"),
    "torch from": ("data/__init__.py", "from torch.utils import data", "imports torch"),
    "numpy": ("ops/reduce.py", "import numpy.linalg", "imports numpy"),
    "compat": ("ops/reduce.py", "from array_api_compat import size", "array_api_compat"),
    "outside": ("ops/reduce.py", "from tests.house import norms", "from outside"),
    "no floor": ("utils.py", "", "has no floor"),
    "later room": ("grading/isolation/child.py", "from ..teach import grade", "of a later room"),
    "cycle": ("ops/reduce.py", "def f():\n    from .conv import conv2d", "import cycle"),
    "cycle through files": ("errors.py", "from . import xp", "import cycle"),
}


def house(folder, files):
    for name, text in files.items():
        path = folder / "minilearn" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "minilearn"


def test_a_good_house_passes(tmp_path):
    assert violations(house(tmp_path, GOOD)) == []


@pytest.mark.parametrize("case", PLANTED)
def test_a_planted_violation_is_caught(case, tmp_path):
    file, text, message = PLANTED[case]
    found = violations(house(tmp_path, GOOD | {file: text}))
    assert any(message in line and ("cycle" in line or file in line) for line in found), found
