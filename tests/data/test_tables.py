"""Pictures as lists and tables name them: CSV, JSON, parquet, and what Hugging Face's save_to_disk leaves."""

import csv
import json
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from cyclegan.data.config import ImagesConfig, PicturesConfig
from cyclegan.data.datasets import locate
from cyclegan.data.source import Reading, images, paired, unpaired
from cyclegan.system.errors import UserError


def picture(shade):
    file = BytesIO()
    Image.fromarray(np.full((32, 32, 3), shade, np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Pictures 0.png … 5.png of that many shades of grey, in one folder; data sets are made beside it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for i in range(6):
        (tmp_path / "photos" / f"{i}.png").write_bytes(picture(40 * i))
    return tmp_path


def lines(path, *rows):
    with open(path, "w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, delimiter=";").writerows(rows)  # as Excel writes it in half of Europe


def shades(files):
    return [int(np.asarray(Image.open(path))[0, 0, 0]) // 40 for path in files]


def test_a_list_with_two_columns_and_splits_keeps_its_pairs(photos):
    rows = [[f"photos/{i}.png", f"{photos}/photos/{i + 3}.png", "val" if i == 2 else ""] for i in range(3)]
    lines("sketches.csv", ["sketch", "photo", "split"], *rows)
    found = locate("sketches.csv")
    assert found.domains == ("sketch", "photo") and found.name == "sketches"
    assert [shades(side) for side in (*found.training(), *found.test())] == [[0, 1], [3, 4], [2], [5]]
    source = paired("sketches.csv", None, PicturesConfig(size=32, load=32), Reading())
    assert all((b.max() - a.max()) // 40 == 3 for a, b in map(source.samples.sample, range(4)))
    lines("sketches.csv", ["sketch", "photo"], *[row[:2] for row in rows])
    with pytest.raises(UserError, match=r"there already and was not made from sketches.csv as it is now"):
        locate("sketches.csv")


def test_a_label_names_the_domain_and_two_lists_do(photos):
    with open("marked.jsonl", "w") as file:
        for i in range(6):
            file.write(json.dumps({"file": f"photos/{i}.png", "label": "dusk" if i < 4 else "dawn", "by": "me"}) + "\n")
    found = locate("marked.jsonl")
    assert found.domains == ("dawn", "dusk") and [shades(side) for side in found.training()] == [[4, 5], [0, 1, 2, 3]]
    only = images("marked.jsonl", None, ImagesConfig(size=32, category="dawn"), Reading())
    assert len(only.samples) == 2 and only.domains == ("dawn",)
    content = {"summer": ["photos/0.png"], "winter": ["photos/1.png", "photos/2.png", "photos/3.png"]}
    (photos / "two.json").write_text(json.dumps(content))
    source = unpaired("two.json", None, PicturesConfig(size=32, load=32), Reading())
    assert source.described == "1 pictures of summer, 3 of winter"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([["a", "b"], ["photos/0.png", "photos/none.png"]], r"bad\.csv, row 1: there is no file photos/none\.png"),
        ([["a", "b"], ["1", "2"]], r"has the columns a, b, and none of them holds pictures"),
        ([["a", "b"]], "holds no rows"),
    ],
)
def test_what_a_list_lacks_is_said_and_nothing_is_made(photos, rows, said):
    lines("bad.csv", *rows)
    with pytest.raises(UserError, match=said):
        locate("bad.csv")
    assert not list((photos / "datasets").glob("[!.]*"))


def test_data_sets_of_hugging_face(photos):
    """Two columns of pictures in parquet by split, and labels by number in the Arrow files of save_to_disk."""
    arrow = pytest.importorskip("pyarrow", reason="extra: tables")
    from pyarrow import ipc, parquet

    cells = [{"bytes": picture(40 * i), "path": None} for i in range(6)]
    (photos / "faces/data").mkdir(parents=True)
    for split, part in (("train", slice(0, 2)), ("validation", slice(2, 3))):
        table = arrow.table({"imageA": cells[part], "caption": ["x"] * len(cells[part]), "imageB": cells[3:][part]})
        parquet.write_table(table, photos / f"faces/data/{split}-00000-of-00001.parquet")
    found = locate("faces")
    assert found.domains == ("imageA", "imageB")
    assert [shades(side) for side in (*found.training(), *found.test())] == [[0, 1], [3, 4], [2], [5]]

    feature = {"label": {"names": ["zebra", "horse"], "_type": "ClassLabel"}, "image": {"_type": "Image"}}
    schema = arrow.table({"image": cells, "label": [0, 0, 1, 1, 1, 0]}).schema
    schema = schema.with_metadata({"huggingface": json.dumps({"info": {"features": feature}})})
    (photos / "saved/train").mkdir(parents=True)
    with ipc.new_stream(photos / "saved/train/data-00000-of-00001.arrow", schema) as file:
        file.write_table(arrow.table({"image": cells, "label": [0, 0, 1, 1, 1, 0]}, schema=schema))
    (photos / "saved/dataset_dict.json").write_text('{"splits": ["train"]}')
    found = locate("saved")
    assert found.domains == ("horse", "zebra") and [shades(side) for side in found.training()] == [[2, 3, 4], [0, 1, 5]]
    assert locate("saved").folder == found.folder, "made once"


def test_a_name_on_hugging_face_needs_a_network(photos, monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="there is no folder owner/pictures, and Hugging Face could not be reached"):
        locate("owner/pictures")
