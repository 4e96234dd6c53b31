"""``python -m cyclegan.translate``: the translator, pictures of any kind and size, files and videos."""
