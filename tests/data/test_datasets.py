"""Which folder is which domain, and what a card says; the cards that come with the package are whole."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from mirror import FOLDERS, picture

from cyclegan.data.dataset_cards import dataset_card, dataset_names
from cyclegan.data.datasets import locate
from cyclegan.models import load_model
from cyclegan.system.cards import package_folder
from cyclegan.system.errors import UserError
from cyclegan.train.config import config_class
from cyclegan.train.recipes import configure, defaults, parse

OFFICIAL = ["apple2orange", "cezanne2photo", "facades", "horse2zebra", "iphone2dslr_flower", "maps"]
OFFICIAL += ["monet2photo", "summer2winter_yosemite", "ukiyoe2photo", "vangogh2photo"]


@pytest.fixture(autouse=True)
def nothing_here(tmp_path, monkeypatch, root):
    """Whatever data sets this machine has, these tests see none."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def fill(folder: Path, *names: str) -> Path:
    """Two pictures in each of the named folders below `folder`."""
    for name in names:
        (folder / name).mkdir(parents=True)
        for number in (1, 2):
            (folder / name / f"{number}.png").write_bytes(picture(number))
    return folder


@pytest.mark.parametrize("name", OFFICIAL)
def test_the_official_cards_are_whole(name):
    card = dataset_card(name)
    assert card["name"] == name
    assert all(isinstance(card[key], str) and card[key] for key in ("title", "licence", "source"))
    assert len(card["domains"]) == 2 and card["channels"] == [3, 3]
    assert "arxiv" in card["source"].lower() or "CVPR" in card["source"]
    archive = card["archive"]
    assert archive["bytes"] > 1e7
    assert re.fullmatch("[0-9a-f]{64}", archive["sha256"])
    assert archive["urls"][0] == f"https://efrosgans.eecs.berkeley.edu/cyclegan/datasets/{name}.zip"
    assert all(url.startswith("https://") for url in archive["urls"])


def test_every_card_of_the_package_can_be_used():
    cards = {name: dataset_card(name) for name in dataset_names()}
    assert cards.keys() == {path.stem for path in package_folder("datasets").glob("*.toml")} >= set(OFFICIAL)
    for name, card in cards.items():
        assert card["name"] == name
        by_hand = "--data" in card["source"]  # nobody offers it with a checksum: the card says where to get it
        assert sum(origin in card for origin in ("archive", "maker", "reader")) == (0 if by_hand else 1), name
        for recipe in load_model("cyclegan").recipes:
            defaults(config_class("cyclegan")(name, recipe=recipe), lambda _, card=card: card.get("train", {})).check()
    hashes = [card["archive"]["sha256"] for card in cards.values() if "sha256" in card.get("archive", {})]
    assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize("name", ["facades", "maps", "edges2shoes", "edges2handbags", "night2day"])
def test_the_cards_of_pairs_are_whole_and_invent_no_checksums(name):
    """For pix2pix a name means its own archive, where CycleGAN has another of that name."""
    config = parse([name, "--model", "pix2pix"])
    assert config == configure(name, model="pix2pix") and config.run_name(config.dataset) == f"pix2pix_{name}"
    card = dataset_card(config.dataset)
    url = f"https://efrosgans.eecs.berkeley.edu/pix2pix/datasets/{name}.tar.gz"
    assert card["name"] == config.dataset and card["archive"] == {"urls": [url]} and card["licence"]
    assert len(card["domains"]) == 2 and card["channels"] == [3, 3]
    assert parse([name]).dataset == name


def test_an_unknown_name_gets_the_nearest_ones():
    with pytest.raises(UserError, match=r"'horse2zebr'.*did you mean horse2zebra\b.*trainA"):
        locate("horse2zebr")
    with pytest.raises(UserError, match=r"'qqq'.*there are apple2orange, .*vangogh2photo"):
        locate("qqq")
    with pytest.raises(UserError, match="no folder some/where"):
        locate("some/where")


def test_the_papers_layout(tmp_path):
    folder = fill(tmp_path / "cat2dog_small", *FOLDERS)
    found = locate(folder)
    assert (found.name, found.folder, found.card, found.defaults) == ("cat2dog_small", folder, {}, {})
    assert found.domains == ("cat", "dog") and found.channels == (3, 3)
    assert [found.train_A, found.train_B, found.test_A, found.test_B] == [folder / name for name in FOLDERS]
    assert not found.paired_test and found.test_pairs() == []


def test_spelling_a_wrapper_and_debris_do_not_matter(tmp_path):
    folder = fill(tmp_path / "mine" / "mine", "train_a", "TrainB", "testa")
    (tmp_path / "mine" / "__MACOSX").mkdir()
    (folder / "testB").mkdir()  # empty: no test pictures of B
    found = locate(tmp_path / "mine")
    assert (found.train_A, found.train_B) == (folder / "train_a", folder / "TrainB")
    assert (found.test_A, found.test_B) == (folder / "testa", None)
    assert found.domains == ("A", "B")


def test_two_domain_folders_in_alphabetical_order(tmp_path):
    folder = fill(tmp_path / "farm", "zebras", "Horses")
    found = locate(folder)
    assert found.domains == ("Horses", "zebras")
    assert (found.train_A, found.train_B, found.test_A) == (folder / "Horses", folder / "zebras", None)


@pytest.mark.parametrize("pattern", ["{split}/{domain}", "{domain}/{split}"])
def test_splits_above_or_below_the_domains(tmp_path, pattern):
    names = [pattern.format(split=s, domain=d) for s in ("train", "test") for d in ("horses", "zebras")]
    folder = fill(tmp_path / "farm", *names)
    found = locate(folder)
    assert found.domains == ("horses", "zebras")
    assert [found.train_A, found.train_B, found.test_A, found.test_B] == [folder / name for name in names]


def test_a_card_in_the_folder_names_and_swaps_the_domains(tmp_path):
    folder = fill(tmp_path / "farm", "a_pictures", "b_pictures", "notes")
    (folder / "card.toml").write_text(
        'folders = ["b_pictures", "a_pictures"]\ndomains = ["Bee", "Ant"]\nchannels = [1, 3]\n'
    )
    found = locate(folder)
    assert (found.train_A, found.train_B) == (folder / "b_pictures", folder / "a_pictures")
    assert found.domains == ("Bee", "Ant") and found.channels == (1, 3)


def test_a_folder_takes_the_place_of_the_download(tmp_path, root):
    folder = fill(tmp_path / "downloaded by hand", "trainA", "trainB")
    found = locate("horse2zebra", folder)
    assert (found.name, found.folder, found.domains) == ("horse2zebra", folder, ("horse", "zebra"))
    assert found.card["archive"]["bytes"] == 116867962
    assert not root.exists()


def test_a_data_set_that_is_there_is_used_as_it_is(root):
    fill(root / "horse2zebra", "trainA", "trainB")
    assert locate("horse2zebra").folder == root / "horse2zebra"
    fill(root / "mine", "trainA", "trainB")
    assert locate("mine").folder == root / "mine"  # no card needed


def test_a_name_means_the_card_and_a_path_the_folder(tmp_path, root):
    fill(root / "horse2zebra", "trainA", "trainB")
    fill(Path("horse2zebra"), "trainA", "trainB")
    assert locate("horse2zebra").folder == root / "horse2zebra"
    assert locate("./horse2zebra").folder == Path("horse2zebra")
    with pytest.raises(UserError, match="--data"):
        locate("./horse2zebra", tmp_path)
    with pytest.raises(UserError, match="no file or folder"):
        locate("horse2zebra", tmp_path / "missing.zip")


def test_a_card_of_the_users_own_goes_before_the_packages(root):
    fill(root / "maps", "trainA", "trainB")
    (root / "maps.toml").write_text('domains = ["land", "chart"]\n')
    assert locate("maps").domains == ("land", "chart")


def test_true_pairs_share_a_name_but_for_the_suffix(tmp_path):
    folder = fill(tmp_path / "maps", *FOLDERS)
    for name in ("10_A.jpg", "9_A.jpg", "only_A.jpg"):
        (folder / "testA" / name).write_bytes(picture())
    for name in ("9_B.png", "10_B.png"):
        (folder / "testB" / name).write_bytes(picture())
    pairs = [(a.name, b.name) for a, b in locate("maps", folder).test_pairs()]
    assert pairs == [("1.png", "1.png"), ("2.png", "2.png"), ("9_A.jpg", "9_B.png"), ("10_A.jpg", "10_B.png")]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], r"holds nothing"),
        (["one", "two", "three"], r"holds one/, three/, two/"),
        (["train/one", "train/two", "train/three"], r"train holds one/, three/, two/"),
    ],
)
def test_a_folder_that_is_none_says_what_was_found(tmp_path, names, said):
    folder = fill(tmp_path / "folder", *names)
    folder.mkdir(exist_ok=True)
    with pytest.raises(UserError, match=said + r".*: expected are trainA/ and trainB/"):
        locate(folder)


@pytest.mark.parametrize(
    ("train", "test"),
    [("A/trainA B/trainB", "A/testA B/testB"), ("A/train B/train", "A/val B/val"), ("x/training y/training", ""),
     ("trainA trainB", "valA valB"), ("train/x train/y", "val/x val/y")],
)  # fmt: skip
def test_splits_inside_the_domains_and_pictures_for_validation(tmp_path, train, test):
    folder = fill(tmp_path / "data", *train.split(), *test.split())
    found = locate(folder)
    expected = [folder / name for name in (train + " " + test).split()]
    assert [path for path in (found.train_A, found.train_B, found.test_A, found.test_B) if path] == expected


def test_a_test_goes_before_a_validation_and_neither_is_trained_on(tmp_path):
    folder = fill(tmp_path / "data", "A/trainA", "A/valA", "A/testA", "B/trainB", "B/valB", "B/testB")
    (folder / "A" / "loose.png").write_bytes(picture())
    found = locate(folder)
    assert (found.train_A, found.test_A) == (folder / "A" / "trainA", folder / "A" / "testA")
    assert (found.train_B, found.test_B) == (folder / "B" / "trainB", folder / "B" / "testB")
    with pytest.raises(UserError, match=r"holds test/ and nothing that is called train"):
        locate(fill(tmp_path / "held out", "A/test", "B/test"))


def test_what_other_programs_leave_is_no_domain(tmp_path):
    folder = fill(tmp_path / "nas", "horse", "zebra", "@eaDir/x", "#recycle", "Thumbs", "$RECYCLE.BIN")
    assert locate(folder).domains == ("horse", "zebra")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["trainA", "testB"], r"holds testB/, trainA/ and no trainB/"),
        (["one"], r"holds 2 files, and no folder for each domain.*side by side.*cut it in halves"),
        (["train", "test"], r"train holds 2 files, and no folder for each domain.*side by side"),
        (["cat", "dog", "cow"], r'folders = \["cat", "cow"\] in a card.toml'),
    ],
)
def test_a_layout_that_is_not_understood_gets_the_sentence_that_helps(tmp_path, names, said):
    with pytest.raises(UserError, match=said):
        locate(fill(tmp_path / "folder", *names))


def test_what_is_there_is_not_said_to_be_expected(tmp_path):
    for side in "AB":
        (tmp_path / "npy" / f"train{side}").mkdir(parents=True)
        (tmp_path / "npy" / f"train{side}" / "1.npy").touch()
        (tmp_path / "npy" / f"train{side}" / "2.mha").touch()
    with pytest.raises(UserError, match=r"trainA holds 2 files but no pictures.*\.mha, \.npy files have") as error:
        locate(tmp_path / "npy")
    assert "expected" not in str(error.value)


def test_training_folders_without_pictures_are_named(tmp_path):
    folder = fill(tmp_path / "folder", "trainA")
    (folder / "trainB").mkdir()
    (folder / "trainB" / "readme.txt").write_text("")
    (folder / "trainB" / "._1.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"trainB holds 2 files but no pictures"):
        locate(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("domains = [", "not valid TOML"),
        ("domains = []", "two values"),
        ("channels = [3, 0]", "two values"),
        ("range = [5, 5]", "two numbers in order"),
        ("[archive]\nbytes = 1\n", "bytes, sha256 and urls"),
        ('title = "nothing to fetch"', "neither an archive nor a maker"),
        ('maker = "nobody"', "no maker is called 'nobody'"),
    ],
)
def test_a_broken_card_is_named(root, text, said):
    root.mkdir()
    (root / "mine.toml").write_text(text)
    with pytest.raises(UserError, match=said):
        locate("mine")
    assert not (root / "mine").exists()


def test_cards_come_without_torch():
    code = "import cyclegan.data.datasets, sys; print(*{'torch', 'pooch', 'requests', 'tyro'} & set(sys.modules))"
    checkout = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_the_real_horse2zebra_is_found_as_it_is(horse2zebra):
    found = locate("horse2zebra", horse2zebra)
    folders = (found.train_A, found.train_B, found.test_A, found.test_B)
    assert [len(list(path.glob("*.jpg"))) for path in folders] == [1067, 1334, 120, 140]
    assert locate(horse2zebra).domains == found.domains == ("horse", "zebra")
