"""The page that ``python app.py`` opens. ``shelf`` and ``desk`` know nothing of gradio; ``page`` puts it together."""
