"""Whether a function is right, and what to say of it, in four rooms, each built on those before.

isolation: run a function that nobody trusts. checking: put it to its contract, say what is wrong.
learn: the learner's commands. teach: the course checked, a class graded, the results handed on.
"""
