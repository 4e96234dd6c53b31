"""The notebook, cell by cell: it trains, and its translator turns red squares blue."""

import json
from pathlib import Path

import numpy as np

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "quick_start.ipynb"


def test_its_cells_run_in_order_and_red_becomes_blue(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4 and len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    names: dict = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert not cell["outputs"], "nothing of an earlier run is kept in it"
            exec(compile("".join(cell["source"]), f"cell {cell['id']}", "exec"), names)
    given, made, _ = np.split(np.asarray(names["sheet"]).astype(float), 3)
    square = given[..., 0] > 200
    assert square.any() and made[square][:, 2].mean() > 160 > 100 > made[square][:, 0].mean()
