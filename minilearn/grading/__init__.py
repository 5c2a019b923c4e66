"""The isolated runner, verdicts, messages, and the commands built on them."""
