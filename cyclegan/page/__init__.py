"""The page in the browser, which ``python app.py`` opens."""
