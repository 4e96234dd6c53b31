"""``python -m cyclegan.train``: settings, loop, run folder, log and judge."""
