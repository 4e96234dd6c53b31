"""From a zip to a folder of pictures, whoever made the zip; and from a maker."""

import hashlib
import stat
import zipfile
from pathlib import Path

import pytest
from mirror import FOLDERS, archive, assert_complete, leftovers, picture, tar, write_card

from cyclegan.data.datasets import locate
from cyclegan.system.errors import UserError


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    "member",
    [
        "../evil.png",
        "tiny/trainA/../../../evil.png",
        "..\\evil.png",
        "/evil.png",
        "C:\\evil.png",
        "tiny/C:evil.png",
        "../",
        link("tiny/trainA/evil"),
    ],
    ids=lambda member: member if isinstance(member, str) else "link",
)
def test_an_archive_that_reaches_out_of_its_folder_is_refused_whole(mirror, root, tmp_path, member):
    body = archive(extra={member: b"/etc"})
    write_card(root, body, [mirror.serve("/tiny.zip", body)])
    (tmp_path / "local.zip").write_bytes(body)
    before = {path for path in tmp_path.rglob("*") if path.suffix != ".lock"} | {root}
    for arguments in (("tiny",), ("local", tmp_path / "local.zip")):
        with pytest.raises(UserError, match="meant to do harm"):
            locate(*arguments)
    assert {path for path in tmp_path.rglob("*") if path.suffix != ".lock"} == before
    assert not Path("/evil.png").exists()


def test_a_zip_bomb_is_refused(root, tmp_path):
    pack = tmp_path / "bomb.zip"
    with zipfile.ZipFile(pack, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("trainA/1.png", bytes(20_000_000))
    with pytest.raises(UserError, match=r"would unpack to 20\.0 MB"):
        locate("bomb", pack)
    assert leftovers(root) == []


def test_a_member_that_lies_about_its_size_is_refused(root, tmp_path):
    pack = tmp_path / "liar.zip"
    with zipfile.ZipFile(pack, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("trainA/1.png", bytes(5_000_000))
        file.filelist[0].file_size = 10  # in the directory at the end, which is what readers trust
    with pytest.raises(UserError, match="not a whole zip"):
        locate("liar", pack)
    assert not (root / "liar").exists() and leftovers(root) == []


@pytest.mark.parametrize("damage", ["truncated", "text"])
def test_a_damaged_local_zip_is_named(root, tmp_path, damage):
    pack = tmp_path / "pack.zip"
    pack.write_bytes(archive()[:-100] if damage == "truncated" else b"<html>Sorry</html>")
    with pytest.raises(UserError, match=r"pack\.zip is not a whole zip"):
        locate("mine", pack)


def test_a_local_zip_takes_the_place_of_the_download(mirror, root, tmp_path):
    body = archive()
    write_card(root, body, [mirror.serve("/tiny.zip", body)])
    pack = tmp_path / "from a friend.zip"
    pack.write_bytes(body)
    found = locate("tiny", pack)
    assert found.domains == ("red", "blue") and found.folder == root / "tiny"
    assert locate("tiny", pack) == locate("tiny") == found
    assert mirror.requests == []
    assert pack.exists()


def test_a_local_zip_with_other_content_than_the_cards_is_refused(root, tmp_path):
    write_card(root, archive(), [])
    pack = tmp_path / "tiny.zip"
    pack.write_bytes(archive(each=3))
    with pytest.raises(UserError, match=r"not the archive on the card of tiny.*sha256"):
        locate("tiny", pack)
    assert not (root / "tiny").exists()


def test_a_local_zip_without_a_card(root, tmp_path):
    pack = tmp_path / "cat2dog.zip"
    pack.write_bytes(archive(wrapper="", extra={"__MACOSX/trainA/._0.png": b"", ".DS_Store": b""}))
    found = locate("cats", pack)
    assert found.folder == root / "cats" and found.card == {}
    assert_complete(found.folder)
    assert locate("cats", pack) == locate("cats") == found  # the same command again
    assert locate(pack).folder == root / "cat2dog"  # a zip in place of a name
    pack.write_bytes(archive(each=3))
    with pytest.raises(UserError, match="there already"):
        locate("cats", pack)


def test_a_zip_of_something_else_is_no_data_set(root, tmp_path):
    pack = tmp_path / "notes.zip"
    with zipfile.ZipFile(pack, "w") as file:
        file.writestr("notes/today.txt", "nothing")
    with pytest.raises(UserError, match="expected are trainA/ and trainB/"):
        locate("notes", pack)
    assert not (root / "notes").exists() and leftovers(root) == []


def test_a_maker_is_called_once_and_renamed_into_place(root, monkeypatch):
    from cyclegan.data.makers import MAKERS

    calls = []

    def make(folder: Path) -> None:
        calls.append(folder)
        assert not folder.exists()
        for name in FOLDERS:
            (folder / name).mkdir(parents=True)
            (folder / name / "1.png").write_bytes(picture())
        if len(calls) == 1:
            raise OSError(28, "No space left on device")

    monkeypatch.setitem(MAKERS, "dots", make)
    root.mkdir()
    (root / "drawn.toml").write_text('maker = "dots"\npaired_test = true\n')
    with pytest.raises(UserError, match="full"):
        locate("drawn")
    assert not (root / "drawn").exists() and leftovers(root) == []
    found = locate("drawn")
    assert found == locate("drawn") and len(calls) == 2
    assert found.test_pairs() == [(root / "drawn/testA/1.png", root / "drawn/testB/1.png")]


PAIRS = {"./": None, "./edges/": None, "./edges/train/": None, "./edges/._x": b"Mac"}
PAIRS |= {f"./edges/{part}/{i}.png": picture(i) for part in ("train", "val") for i in range(2)}


@pytest.fixture
def pairs(mirror, root):
    """The archive of pairs as the authors of pix2pix pack theirs, on a card that knows no checksum."""
    body = tar(PAIRS)
    root.mkdir()
    url = mirror.serve("/edges.tar.gz", body)
    (root / "edges.toml").write_text(f'domains = ["edges", "shoes"]\n[archive]\nurls = ["{url}"]\n')
    return body


def test_an_archive_without_a_checksum_is_recorded_and_called_unverified(pairs, mirror, root, capsys):
    found = locate("edges", side_by_side=True)
    digest = hashlib.sha256(pairs).hexdigest()
    said = capsys.readouterr().err
    assert f"Received edges.tar.gz: {len(pairs):,} bytes, sha256 {digest}; its card knows no checksum" in said
    assert (root / "edges" / ".sha256").read_text() == digest
    assert found.side_by_side and [len(side) for side in (*found.training(), *found.test())] == [2, 2, 2, 2]
    assert {path.name for path in (root / "edges").iterdir()} == {"train", "val", ".sha256"}
    assert locate("edges", side_by_side=True) == found and len(mirror.requests) == 1 and leftovers(root) == []


def test_without_a_network_the_archive_is_asked_for_by_its_own_name(pairs, mirror, root, tmp_path):
    mirror.files["/edges.tar.gz"].status = 404
    with pytest.raises(UserError, match=r"fetch edges\.tar\.gz elsewhere from(.|\n)*put it at .*/edges\.tar\.gz"):
        locate("edges", side_by_side=True)
    (root / "edges.tar.gz").write_bytes(pairs)
    assert locate("edges", side_by_side=True).folder == root / "edges"
    (tmp_path / "mine.tar.gz").write_bytes(pairs)
    assert locate(tmp_path / "mine.tar.gz", side_by_side=True).name == "mine"


@pytest.mark.parametrize("name", ["../evil.png", "/evil.png", "edges/../../evil.png", "C:/evil.png", ""])
def test_a_tar_that_reaches_out_of_its_folder_is_refused_whole(root, tmp_path, name):
    body = tar(PAIRS, link="edges/evil") if not name else tar(PAIRS | {name: b"x"})
    (tmp_path / "bad.tar.gz").write_bytes(body)
    with pytest.raises(UserError, match="meant to do harm"):
        locate("bad", tmp_path / "bad.tar.gz", side_by_side=True)
    assert not (root / "bad").exists() and leftovers(root) == [] and not (tmp_path / "evil.png").exists()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (tar(PAIRS)[:-40], "not a whole tar archive"),
        (tar({"train/1.png": bytes(20_000_000)}), r"would unpack to 20\.0 MB"),
    ],
)
def test_a_damaged_tar_and_a_bomb_are_refused(root, tmp_path, body, sentence):
    (tmp_path / "bad.tar.gz").write_bytes(body)
    with pytest.raises(UserError, match=sentence):
        locate("bad", tmp_path / "bad.tar.gz", side_by_side=True)
    assert not (root / "bad").exists() and leftovers(root) == []


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_whose_packed_bytes_are_damaged_is_named_whatever_packed_them(root, tmp_path, method):
    from cyclegan.page.many_files import _unzipped
    from cyclegan.system.errors import ImageError

    pack = tmp_path / "tiny.zip"
    with zipfile.ZipFile(pack, "w", method) as file:
        for name in ("trainA/a.png", "trainB/b.png"):
            file.writestr(name, hashlib.sha512(name.encode()).digest() * 99)
    data = bytearray(pack.read_bytes())
    data[60:90] = bytes(30)
    pack.write_bytes(data)
    with pytest.raises(UserError, match=r"tiny"):
        locate(pack)
    with pytest.raises(ImageError, match="damaged"):
        _unzipped(pack, tmp_path, 9)
