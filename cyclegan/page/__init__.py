"""The page that ``python app.py`` opens. ``page`` puts it together; ``choices`` and ``one_picture`` know no gradio."""
