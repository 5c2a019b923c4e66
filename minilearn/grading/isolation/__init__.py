"""Run a function that nobody trusts, in a process of its own: arrays in, arrays out."""
