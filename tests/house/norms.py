"""The size norms of the design, measured: `python tests/house/norms.py` prints the table."""

import ast
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).parents[2]

BODY_MEDIAN, BODY_P90, BODY_MAX = 8, 20, 40  # lines of a function without its docstring
FILE_NORM, FILE_MAX = 250, 400
LINE_MAX = 100
LEARNER_MAX = 80
MODEL_MAX = 150
TESTS_TO_CODE = 0.8


@dataclass
class Sizes:
    """What was measured; every dictionary maps a place to a number of lines."""

    bodies: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    classes: dict[str, int] = field(default_factory=dict)
    long_lines: dict[str, int] = field(default_factory=dict)
    test_lines: int = 0

    @property
    def body_median(self):
        """Half of the function bodies are no longer than this."""
        return median(self.bodies.values()) if self.bodies else 0

    @property
    def body_p90(self):
        """Nine of ten function bodies are no longer than this."""
        lengths = list(self.bodies.values())
        return quantiles(lengths, n=10, method="inclusive")[-1] if len(lengths) > 1 else 0

    @property
    def tests_to_code(self):
        """Lines of tests for each line of code; contracts are tests of what learners write."""
        contracts = sum(n for place, n in self.files.items() if is_contract(place))
        code = sum(self.files.values()) - contracts
        return (self.test_lines + contracts) / max(1, code)


def is_contract(place):
    """Say whether a file holds the contracts of a lesson: properties against torch."""
    folder, _, name = place.rpartition("/")
    return folder == "minilearn/contracts" and name not in (
        "__init__.py", "contract.py", "course.py", "strategies.py")


def span(nodes):
    """Lines from the first node to the last."""
    return nodes[-1].end_lineno - nodes[0].lineno + 1 if nodes else 0


def body_lines(function):
    """Length of a function's body, from the first line after its docstring to the last."""
    return span(function.body[1:] if ast.get_docstring(function) else function.body)


def named(tree, prefix=""):
    """Yield ("Class.method", node) for every function and class, at any depth."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield prefix + node.name, node
            yield from named(node, f"{prefix}{node.name}.")
        else:
            yield from named(node, prefix)


def measure(root=ROOT):
    """Measure the package under `root/minilearn` and count the lines of `root/tests`."""
    sizes = Sizes()
    for path in sorted((root / "minilearn").rglob("*.py")):
        text, place = path.read_text(encoding="utf-8"), path.relative_to(root).as_posix()
        lines = text.splitlines()
        sizes.files[place] = len(lines)
        for number, line in enumerate(lines, 1):
            if len(line) > LINE_MAX:
                sizes.long_lines[f"{place}:{number}"] = len(line)
        for name, node in named(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                sizes.classes[f"{place}::{name}"] = span([node])
            else:
                sizes.bodies[f"{place}::{name}"] = body_lines(node)
    tests = (root / "tests").rglob("*.py")
    sizes.test_lines = sum(len(p.read_text(encoding="utf-8").splitlines()) for p in tests)
    return sizes


def over_limit(sizes):
    """Map each place that breaks a hard limit to a sentence."""
    found = {}
    for place, n in sizes.bodies.items():
        if n > BODY_MAX:
            found[place] = f"a body of {n} lines; the limit is {BODY_MAX}"
    for place, n in sizes.files.items():
        limit = MODEL_MAX if place.startswith("minilearn/models/") else FILE_MAX
        if n > limit:
            found[place] = f"a file of {n} lines; the limit is {limit}"
    for place, n in sizes.classes.items():
        if place == "minilearn/train/learner.py::Learner" and n > LEARNER_MAX:
            found[place] = f"a class of {n} lines; the limit is {LEARNER_MAX}"
    for place, n in sizes.long_lines.items():
        found[place] = f"a line of {n} characters; the limit is {LINE_MAX}"
    return found


def longest(lengths):
    """The largest of some lengths, or 0 where there are none."""
    return max(lengths, default=0)


def largest(places, count=3):
    """Write the largest entries as "40 minilearn/x.py::f, 38 ..."."""
    rows = sorted(places.items(), key=lambda item: -item[1])[:count]
    return ", ".join(f"{n} {place.removeprefix('minilearn/')}" for place, n in rows)


def table(sizes):
    """Write what was measured beside its norm."""
    learner = sizes.classes.get("minilearn/train/learner.py::Learner", 0)
    models = {p: n for p, n in sizes.files.items() if p.startswith("minilearn/models/")}
    big = {p: n for p, n in sizes.files.items() if n > FILE_NORM}
    lengths = sizes.bodies.values()
    rows = [
        ("function body, median", f"{sizes.body_median:g}", f"<= {BODY_MEDIAN}",
         f"{len(lengths)} functions"),
        ("function body, 90 %", f"{sizes.body_p90:g}", f"<= {BODY_P90}", ""),
        ("function body, longest", longest(lengths), f"<= {BODY_MAX}", largest(sizes.bodies)),
        ("file, longest", longest(sizes.files.values()), f"<= {FILE_MAX}",
         largest(sizes.files)),
        (f"files above {FILE_NORM} lines", len(big), "few", f"{len(sizes.files)} files"),
        (f"lines above {LINE_MAX} characters", len(sizes.long_lines), "0", ""),
        ("class Learner", learner, f"<= {LEARNER_MAX}", ""),
        ("model file, longest", longest(models.values()), f"<= {MODEL_MAX}", largest(models)),
        ("code", sum(sizes.files.values()), "", "lines in minilearn/"),
        ("tests / code", f"{sizes.tests_to_code:.2f}", f">= {TESTS_TO_CODE}",
         f"{sizes.test_lines} lines in tests/"),
    ]
    return "\n".join(f"{what:<28} {value!s:>6}  {norm:<7} {note}".rstrip()
                     for what, value, norm, note in rows)


if __name__ == "__main__":
    measured = measure()
    print(table(measured))
    for spot, what in over_limit(measured).items():
        print(f"over the limit: {spot}: {what}")
