"""``python -m cyclegan.sample``: pictures and solids from noise."""
