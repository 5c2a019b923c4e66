"""`import minilearn` is fast and light: below 0.3 s, without anything that only some users need."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUDGET = 0.3  # seconds
HEAVY = ("torch", "hypothesis", "pytest", "matplotlib", "sklearn", "scipy", "rich", "typer")


def fresh_python(code):
    """Run code in a new interpreter at the root of the repository and return what it printed."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_is_fast():
    # Timed inside the new interpreter, so that its own start does not count. The best of five: the
    # others measure what else the machine was doing.
    code = "import time; t = time.perf_counter(); import minilearn; print(time.perf_counter() - t)"
    best = min(float(fresh_python(code)) for _ in range(5))
    print(f"\nimport minilearn: {best:.3f} s")
    assert best < BUDGET, "too slow; see python -X importtime -c 'import minilearn'"


def test_import_is_light():
    code = f"import sys, minilearn; print(*[m for m in {HEAVY} if m in sys.modules])"
    assert fresh_python(code).split() == []
