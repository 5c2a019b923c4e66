"""What the commands of a learner do: a folder of work, checking, watching, progress."""
