"""`import minilearn` is fast and light: below 0.3 s, without anything that only some users need."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUDGET = 0.3  # seconds
HEAVY = ("torch", "hypothesis", "pytest", "matplotlib", "sklearn", "scipy", "rich", "typer")


def fresh_python(code, **variables):
    """Run code in a new interpreter at the root of the repository and return what it printed."""
    environment = os.environ | variables
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_is_fast(tmp_path):
    # Timed inside the new interpreter, so that its own start does not count, and in processor time,
    # so that a busy machine does not either. The best of six: the first also compiles.
    code = "import time; t = time.process_time(); import minilearn; print(time.process_time() - t)"
    best = min(float(fresh_python(code, PYTHONPYCACHEPREFIX=str(tmp_path))) for _ in range(6))
    print(f"\nimport minilearn: {best:.3f} s")
    assert best < BUDGET, "too slow; see python -X importtime -c 'import minilearn'"


def test_import_is_light():
    code = f"import sys, minilearn; print(*[m for m in {HEAVY} if m in sys.modules])"
    assert fresh_python(code).split() == []
