"""What every test gets: hypothesis profiles, torch's device, the array library, no leaks."""

import os

# Two workers on two cores: more threads only fight. Read when numpy and torch are first imported.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("MPLBACKEND", "agg")  # no window is ever opened

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# ---------------------------------------------------------------- hypothesis

# No deadline and no complaint about slow drawing: the machine may be busy with other work.
patient = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "print_blob": True}
in_ci = bool(os.environ.get("CI"))  # there every run draws the same examples
settings.register_profile("default", max_examples=40, derandomize=in_ci, **patient)
settings.register_profile("quick", max_examples=8, **patient)
settings.register_profile("intense", max_examples=1000, **patient)
settings.load_profile("default")  # `--hypothesis-profile NAME` is read later and wins


# ---------------------------------------------------------------- options

LIBRARIES = ("numpy", "torch:cpu", "cuda", "array_api_strict")


def pytest_addoption(parser):
    """Add two choices: where torch, the reference, computes, and what minilearn computes with."""
    parser.addoption("--torch-device", choices=("auto", "cpu", "cuda"), default="auto",
                     help="device of the torch reference; auto takes a GPU where there is one")
    parser.addoption("--library", choices=LIBRARIES, default="numpy",
                     help="array library that minilearn computes with")


def pytest_collection_modifyitems(config, items):
    """Skip what needs real data where there is none; doc examples show numpy's output only."""
    folder = os.environ.get("MINILEARN_DATA", "")
    no_data = pytest.mark.skip(reason="needs real data: set MINILEARN_DATA to its folder")
    no_numpy = pytest.mark.skip(reason="doc examples are written for --library numpy")
    for item in items:
        if item.get_closest_marker("data") and not (folder and Path(folder).is_dir()):
            item.add_marker(no_data)
        if isinstance(item, pytest.DoctestItem) and config.getoption("--library") != "numpy":
            item.add_marker(no_numpy)


@pytest.fixture(scope="session")
def torch_device(request):
    """The device of the torch reference: "cuda" where there is a GPU, else "cpu"."""
    wanted = request.config.getoption("--torch-device")
    # A required GPU is never replaced by the CPU in silence.
    required = wanted == "cuda" or os.environ.get("MINILEARN_REQUIRE_CUDA") == "1"
    torch = import_module("torch")
    torch.set_num_threads(1)
    present = torch.cuda.is_available()
    if required and not present:
        pytest.fail("a GPU is required (--torch-device cuda or MINILEARN_REQUIRE_CUDA=1), "
                    "and torch finds none", pytrace=False)
    return "cpu" if wanted == "cpu" or not present else "cuda"


@pytest.fixture(scope="session", autouse=True)
def array_library(request):
    """The array library of this run, chosen once for the whole session."""
    name = request.config.getoption("--library")
    if name != "numpy":  # the default: minilearn need not be imported for it
        import_module("minilearn.xp").use(name)
    return name


@pytest.fixture(scope="session")
def on_numpy(array_library):
    """Skip a test of NumPy's own arrays where the run computes with another library."""
    if array_library != "numpy":
        pytest.skip("this is about NumPy's arrays")


@pytest.fixture(scope="session")
def beyond_the_standard(array_library):
    """Skip a test of what the array API standard leaves open, where the strict referee runs."""
    if array_library == "array_api_strict":
        pytest.skip("the standard does not mix these dtypes")


# ---------------------------------------------------------------- leaks


# Set by pytest, and by torch when its first optimizer steps.
NOT_OURS = {"PYTEST_CURRENT_TEST", "TORCHINDUCTOR_CACHE_DIR", "KMP_DUPLICATE_LIB_OK",
            "KMP_INIT_AT_FORK"}  # the last two are set by importing scikit-learn


def global_state():
    """Everything a test could leave changed for the next one, by name."""
    state = {
        "os.environ": {k: v for k, v in os.environ.items() if k not in NOT_OURS},
        "np.errstate": np.geterr(),
        "working directory": os.getcwd(),
    }
    if "minilearn.xp" in sys.modules:
        state["array library"] = sys.modules["minilearn.xp"].library()
    if "minilearn.op" in sys.modules:
        state["grad mode"] = sys.modules["minilearn.op"].is_grad_enabled()
    if hasattr(sys.modules.get("torch"), "get_default_dtype"):  # not half-way through its import
        state["torch default dtype"] = sys.modules["torch"].get_default_dtype()
    return state


def restore(state):
    """Put back what a leaking test changed, so that only the guilty test fails."""
    for name in set(os.environ) - set(state["os.environ"]) - NOT_OURS:
        del os.environ[name]
    os.environ.update(state["os.environ"])
    os.chdir(state["working directory"])
    np.seterr(**state["np.errstate"])
    if "array library" in state:
        sys.modules["minilearn.xp"].use(state["array library"])
    if "grad mode" in state:
        sys.modules["minilearn.op"]._recording = state["grad mode"]
    if "torch default dtype" in state:
        sys.modules["torch"].set_default_dtype(state["torch default dtype"])


def leaks(before, after):
    """Name what differs; what was not there before (a module imported meanwhile) does not count."""
    found = []
    for name, was in before.items():
        now = after[name]
        if isinstance(was, dict):  # only the keys: environments hold secrets
            keys = sorted(k for k in was.keys() | now.keys() if was.get(k) != now.get(k))
            found += [f"{name}[{key!r}]" for key in keys]
        elif was != now:
            found.append(f"{name} ({was} became {now})")
    return found


@pytest.fixture(autouse=True)
def no_leaks():
    """Fail a test that leaves global state changed."""
    before = global_state()
    yield
    found = leaks(before, global_state())
    if found:
        restore(before)
        pytest.fail("this test leaks global state: " + "; ".join(found), pytrace=False)
