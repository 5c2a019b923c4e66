"""As with torch, infinities and nan arise in silence; and only inside the framework."""

import subprocess
import sys

import pytest

INSIDE = """
import warnings
import numpy as np
import minilearn as ml
from minilearn import functional as F

warnings.filterwarnings("error")                       # whatever is not silenced is an error ...
warnings.filterwarnings("ignore", category=RuntimeWarning,
                        module=r"(minilearn|array_api_compat)\\.")
big = ml.tensor([1e38, -1e38], requires_grad=True)
zero = ml.zeros(2)
for result in (big * big, big * 10 - big * 10, big / zero, zero / zero, zero.log(), big.exp(),
               big @ big, big.softmax(0), F.mse_loss(big, zero), big.var(), (big * big) ** 0.5):
    result.sum().backward() if result.requires_grad else None
"""
OUTSIDE = """
import warnings
warnings.simplefilter("error")
import numpy as np
import minilearn
np.array([1e38], np.float32) * np.float32(10)
"""


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


def test_the_framework_is_silent():
    done = run(INSIDE)
    assert done.returncode == 0, done.stderr


def test_the_users_own_numpy_still_warns():
    done = run(OUTSIDE)
    assert "RuntimeWarning: overflow" in done.stderr


@pytest.mark.parametrize("expression", ["ml.tensor([1e38]) * 1e38", "ml.zeros(1) / 0",
                                        "ml.zeros(1).log()"])
def test_nothing_is_printed_by_default(expression):
    done = run(f"import minilearn as ml; {expression}")
    assert done.stderr == "" and done.returncode == 0
