"""What any implementation of an exercise must do: properties against torch, planted mistakes."""

from .contract import Case, Exercise, Mistake, Property, Raises, catalogue, exercise
