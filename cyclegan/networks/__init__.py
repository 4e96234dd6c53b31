"""Modules of PyTorch, how they are built from an architecture, kept on disk, and found by name."""
