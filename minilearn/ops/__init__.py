"""The primitives: array functions with their gradient rules right under them."""
