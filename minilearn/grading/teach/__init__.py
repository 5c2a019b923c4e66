"""What the commands of an instructor do: hand out, verify the course, grade, report."""
