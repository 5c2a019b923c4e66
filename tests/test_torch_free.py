"""PyTorch is an array library here and nothing more: its autograd and its layers are never called.

Twice: by reading every module that is not made for torch, and by running a tour of the framework on
torch's arrays with torch's autograd and layers replaced by functions that raise.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MADE_FOR_TORCH = {"weights", "bench", "contracts"}
FORBIDDEN = ("torch.autograd", "torch.nn", "torch.func")
ON_ARRAYS = {"requires_grad_", "backward", "grad_fn"}  # of a torch tensor, in the door

# ---------------------------------------------------------------- read


def dotted(node):
    """Write `torch.nn.functional` as a text; "" for anything that is no chain of names."""
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return node.id if isinstance(node, ast.Name) else ""


def touched(tree):
    """Yield (line, what) for each name of torch that a module imports, reads or looks up."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Attribute):
            yield node.lineno, dotted(node)
        elif isinstance(node, ast.Call):  # import_module("torch.nn"), getattr(torch, "nn")
            texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
            names = [dotted(a) for a in node.args]
            for text in (t for t in texts if isinstance(t, str)):
                yield node.lineno, text
                yield from ((node.lineno, f"{name}.{text}") for name in names if name)


def breaches(source):
    """List the (line, name) of torch's autograd and layers that a source touches."""
    return [(line, name) for line, name in touched(ast.parse(source))
            if any(name == bad or name.startswith(bad + ".") for bad in FORBIDDEN)]


def modules():
    """Every module of minilearn that has no business with torch's autograd."""
    package = ROOT / "minilearn"
    for path in sorted(package.rglob("*.py")):
        if path.relative_to(package).with_suffix("").parts[0] not in MADE_FOR_TORCH:
            yield path


def test_no_module_names_torch_s_autograd_or_layers():
    paths = list(modules())
    assert len(paths) > 50 and ROOT / "minilearn" / "xp.py" in paths
    found = [f"{path.relative_to(ROOT)}:{line}: {name}" for path in paths
             for line, name in breaches(path.read_text(encoding="utf-8"))]
    assert not found, "\n" + "\n".join(found)


def test_the_door_uses_no_torch_tensor_s_history():
    """`xp.py` alone handles torch's tensors: there, no attribute of autograd but `detach`."""
    tree = ast.parse((ROOT / "minilearn" / "xp.py").read_text(encoding="utf-8"))
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert "detach" in names and not names & (ON_ARRAYS | {"grad", "requires_grad", "retain_grad"})


@pytest.mark.parametrize("source", [
    "import torch.nn", "import torch.nn.functional as F", "from torch import nn",
    "from torch.autograd import grad", "from torch import autograd as a",
    "torch.autograd.grad(y, x)", "class F(torch.autograd.Function): pass",
    "def f():\n    return torch.nn.functional.relu(x)",
    "m = importlib.import_module('torch.nn')", "getattr(torch, 'nn')", "torch.func.grad(f)",
])
def test_planted_breaches_are_found(source):
    assert breaches(source)


@pytest.mark.parametrize("source", [
    "from .. import nn", "from ..autograd import grad", "import torch", "torch.cuda.is_available()",
    '"""As in torch.nn.functional."""', "x.autograd.nn", "from . import torch", "torchy.nn.relu()",
])
def test_other_uses_are_not(source):
    assert not breaches(source)


# ---------------------------------------------------------------- run

FORBID = '''
import torch, torch.nn.functional

calls = []

def forbidden(name):
    def raiser(*args, **kwargs):
        calls.append(name)
        raise AssertionError(f"torch's {name} was called")
    return raiser

def public(place):
    return [n for n in dir(place) if not n.startswith("_") and callable(getattr(place, n))]

layers = {n for n in public(torch.nn.functional) if n[0].islower()}
for name in layers:
    setattr(torch.nn.functional, name, forbidden(f"nn.functional.{name}"))
    if hasattr(torch, name) and name != "tanh":  # that one is in the standard of array libraries
        setattr(torch, name, forbidden(name))  # torch.conv2d, torch.relu, ...
for name in ("backward", "grad"):
    setattr(torch.autograd, name, forbidden(f"autograd.{name}"))
torch.Tensor.backward = forbidden("Tensor.backward")
torch.Tensor.requires_grad_ = forbidden("Tensor.requires_grad_")
torch.autograd.Function.apply = classmethod(forbidden("autograd.Function.apply"))
torch.nn.Module.__init__ = forbidden("nn.Module")
torch.optim.Optimizer.__init__ = forbidden("optim.Optimizer")
'''

TOUR = '''
import minilearn as ml
from minilearn import functional as F, nn, optim, xp

ml.use("torch:cpu")
ml.manual_seed(0)

def finish(*parameters):
    """Every gradient is there, is torch's array, and torch has recorded nothing."""
    for p in parameters:
        assert isinstance(p.data, torch.Tensor) and not p.data.requires_grad
        assert p.grad is not None and p.grad.data.grad_fn is None and not p.grad.data.requires_grad

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
            nn.ConvTranspose2d(4, 4, 2, 2, groups=2), nn.GroupNorm(2, 4), nn.GELU(),
            nn.Upsample(scale_factor=0.5, mode="bilinear"), nn.Dropout(0.1),
            nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.LayerNorm(16), nn.SiLU())
        self.head = nn.Linear(16, 3)
    def forward(self, x):
        return self.head(self.body(x))

images, labels = ml.randn(12, 1, 8, 8), ml.randint(0, 3, (12,))
net = Net()
opt = optim.AdamW(net.parameters(), lr=0.02)
losses = []
for step in range(15):
    loss = F.cross_entropy(net(images), labels, label_smoothing=0.1)
    opt.zero_grad()
    loss.backward()
    opt.step()
    losses.append(loss.item())
assert losses[-1] < 0.8 * losses[0], losses
finish(*net.parameters())

# Gradients of gradients: the penalty of WGAN-GP.
x = ml.randn(4, 1, 8, 8, requires_grad=True)
(g,) = ml.grad(net.eval()(x).sum(), x, create_graph=True)
net.zero_grad()
((g.flatten(1).norm(dim=1) - 1) ** 2).mean().backward()
finish(net.head.weight)

# A language model: embedding, recurrence, attention.
table, gru = nn.Embedding(9, 6), nn.GRU(6, 8, batch_first=True)
attention = nn.MultiheadAttention(8, 2)
y, _ = gru(table(ml.randint(0, 9, (3, 5))))
z, _ = attention(y, y, y)
F.log_softmax(z, -1).sum().backward()
finish(*table.parameters(), *gru.parameters(), attention.in_proj_weight)

# Losses, resampling, padding, indexing, sorting, statistics.
w = ml.randn(2, 3, 6, 6, requires_grad=True)
parts = [
    F.mse_loss(w, w.detach() * 0), F.smooth_l1_loss(w, w.detach() * 0), F.softplus(w).mean(),
    F.binary_cross_entropy_with_logits(w, (w.detach() > 0).float()), F.instance_norm(w).sum(),
    F.interpolate(w, size=(9, 4), mode="bicubic").sum(),
    F.pad(w, (1, 2, 0, 1), mode="reflect").sum(), F.unfold(w, 2).sum(), F.avg_pool2d(w, 2).sum(),
    F.pixel_shuffle(w.reshape(2, 12, 3, 3), 2).sum(), w[:, [0, 2]].sum(),
    w.sort(-1)[0][..., 0].sum(), w.var(), F.softmax(w, 1).max(), w.cumsum(0).sum(),
    F.grid_sample(w, F.affine_grid(ml.randn(2, 2, 3), (2, 3, 4, 4)).tanh()).sum(),
    F.cosine_similarity(w[0], w[1], 0).sum(), F.normalize(w).sum(), w.gather(0, ml.zeros(1, 3, 6, 6,
    dtype="int64")).sum(), (w.flatten(1) @ w.flatten(1).T).logsumexp(0).sum(),
]
sum(part * (i + 1) for i, part in enumerate(parts)).backward()
finish(w)
assert calls == [], calls
'''

PLANTED = '''
for attempt in (lambda: torch.nn.functional.relu(torch.ones(1)), lambda: torch.conv2d(0, 0),
                lambda: torch.autograd.grad(0, 0), lambda: torch.nn.Linear(1, 1),
                lambda: torch.ones(1).backward()):
    try:
        attempt()
    except AssertionError:
        continue
    raise SystemExit("torch's own could still be called")
print("caught", len(calls))
'''


def fresh_python(code):
    """Run code in a new interpreter, with warnings as errors, and return what it printed."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, env=environment,
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_training_calls_nothing_of_torch_s():
    fresh_python(FORBID + TOUR)


def test_calling_it_would_be_noticed():
    assert fresh_python(FORBID + PLANTED).strip() == "caught 5"
