"""Composites of ops with the names of torch.nn.functional; none has a gradient rule of its own."""
