"""The learner's own functions inside the framework: what `--mine` does."""

from . import blocks, engine, language, layers, training
from .table import ADAPTERS, PARTNERS, Functions, in_place_of_the_framework
