"""minilearn: a deep-learning framework small enough to read in a weekend."""

from . import methods
from .autograd import grad
from .creation import tensor
from .tensor import Tensor, enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .xp import manual_seed, use

__version__ = "0.1.0"
