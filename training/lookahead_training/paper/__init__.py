"""Architectures of the paper at their published size. Weights are the user's own; nothing here is trained or shipped."""
