"""Algorithms: what one training step is, one paper a file; and what they share (players, losses, pool)."""
