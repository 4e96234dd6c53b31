"""``python -m cyclegan.evaluate``: metrics, reports, contact sheets."""
