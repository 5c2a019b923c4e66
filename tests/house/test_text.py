"""What the files say: no machine's paths, no package registry, a docstring on public names."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.house.norms import is_contract

ROOT = Path(__file__).parents[2]
# Written in pieces, so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.~)}])/(?:work|root|home|Users)/\w?")
HOSTS = ["pypi" + ".org", "python" + "hosted.org", "download.py" + "torch.org", "anaconda" + ".org",
         "anaconda" + ".com", "npmjs" + ".org", "conda-forge" + ".org", "docker" + ".io"]
REGISTRY = re.compile("|".join(re.escape(host) for host in HOSTS), re.I)


def committed_files(root=ROOT):
    """What git tracks, and new files it does not ignore; without git, all but hidden folders."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(listing, cwd=root, capture_output=True, text=True, timeout=60)
        names = done.stdout.split("\0") if done.returncode == 0 else []
    except FileNotFoundError:
        names = []
    if not names:
        names = [p.relative_to(root) for p in root.rglob("*")
                 if not any(part.startswith(".") for part in p.relative_to(root).parts)]
    return [root / name for name in names if name and (root / name).is_file()]


def forbidden(text):
    """List the (line number, what) of a text that must not be committed."""
    return [(number, match.group())
            for number, line in enumerate(text.splitlines(), 1)
            for pattern in (MACHINE_PATH, REGISTRY)
            for match in pattern.finditer(line)]


def text_of(path):
    """The text of a file, or "" if it is not text."""
    data = path.read_bytes()
    try:
        return "" if b"\0" in data else data.decode()
    except UnicodeDecodeError:
        return ""


def test_no_file_names_a_machine_or_a_registry():
    found = [f"{path.relative_to(ROOT)}:{number}: {what}"
             for path in committed_files() for number, what in forbidden(text_of(path))]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("text, count", [
    ("see /" + "work/main/x", 1),
    ("'/" + "home/ada/x'", 1),
    ("https://" + HOSTS[0] + "/simple", 1),
    ("../shared/data ~/" + "home/x and framework/" + "work/x", 0),
    ("minilearn/ops", 0),
])
def test_forbidden_text_is_caught(text, count):
    assert len(forbidden(text)) == count


# ---------------------------------------------------------------- docstrings


def is_public(name):
    """Whether a name is part of the public face."""
    return not name.startswith("_")


def is_simple_property(function):
    """A property, or its setter, of one line: its name says it all."""
    marks = [ast.unparse(d) for d in function.decorator_list]
    setter = any(mark.endswith((".setter", ".deleter")) for mark in marks)
    return setter or ("property" in marks and len(function.body) == 1)


def documents(class_node, method):
    """Whether a class has this method with a docstring."""
    return any(isinstance(n, ast.FunctionDef) and n.name == method and ast.get_docstring(n)
               for n in class_node.body)


def inherits_docstring(class_node, method, classes, seen=()):
    """Whether a base class, found by its name, documents the method that is overridden here."""
    names = [ast.unparse(base).split(".")[-1].split("[")[0] for base in class_node.bases]
    bases = [base for name in names if name not in seen for base in classes.get(name, [])]
    return any(documents(b, method) or inherits_docstring(b, method, classes, (*seen, *names))
               for b in bases)


def undocumented(trees):
    """List the public functions, classes and methods without a docstring, as "file:line: name"."""
    classes = {}
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                classes.setdefault(node.name, []).append(node)
    found = []
    for place, tree in trees.items():
        if not ast.get_docstring(tree) and tree.body:
            found.append(f"{place}:1: the module")
        for name, node, owner in public_definitions(tree):
            inherited = owner is not None and inherits_docstring(owner, node.name, classes)
            if not ast.get_docstring(node) and not inherited:
                found.append(f"{place}:{node.lineno}: {name}")
    return found


def public_definitions(tree):
    """Yield (name, node, class or None): module-level names, and the methods of public classes."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    for node in tree.body:
        if isinstance(node, kinds) and is_public(node.name):
            yield node.name, node, None
            for inner in node.body if isinstance(node, ast.ClassDef) else []:
                if isinstance(inner, kinds) and is_public(inner.name):
                    if isinstance(inner, ast.ClassDef) or not is_simple_property(inner):
                        yield f"{node.name}.{inner.name}", inner, node


def test_every_public_name_has_a_docstring():
    trees = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
             for path in sorted((ROOT / "minilearn").rglob("*.py"))
             if not is_contract(path.relative_to(ROOT).as_posix())}  # sentences say what it is
    assert trees
    found = undocumented(trees)
    assert not found, "\n" + "\n".join(found)


SAMPLE = '''
"""A module."""
def bare(): return 1
def _private(): return 1
class Layer:
    """Documented."""
    def forward(self):
        """Compute."""
    def __repr__(self): return ""
    @property
    def size(self): return 1
    def loose(self): return 1
class Linear(nn.Layer):
    """Documented."""
    def forward(self): return 1
class Deep(Linear):
    """Documented."""
    def forward(self): return 1
    def backward(self): return 1
'''


def test_missing_docstrings_are_caught():
    found = [line.split(": ")[1] for line in undocumented({"a.py": ast.parse(SAMPLE)})]
    assert found == ["bare", "Layer.loose", "Deep.backward"]
