"""From a card to a folder of pictures, over a real connection: well, badly, interrupted and attacked."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest
from mirror import FOLDERS, Mirror, archive, closed_port, picture, write_card

from cyclegan.cards import CardError, locate

CHECKOUT = Path(__file__).parents[1]
PATHS = {"PYTHONPATH": os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "tests")])}
LOCATE = "import sys; from cyclegan.cards import locate; print(locate(*sys.argv[1:]).folder)"


@pytest.fixture
def mirror(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    mirror = Mirror()
    yield mirror
    mirror.close()


@pytest.fixture
def root(tmp_path, monkeypatch):
    """An empty folder for data sets."""
    root = tmp_path / "datasets"
    monkeypatch.setenv("CYCLEGAN_DATASETS", str(root))
    return root


def leftovers(root: Path) -> list[str]:
    """What is in `root` besides cards, finished data sets and locks."""
    kept = (".toml", ".lock")
    return [path.name for path in root.iterdir() if path.name.startswith(".") and path.suffix not in kept]


def assert_complete(folder: Path, each: int = 2) -> None:
    found = {path.name: len(list(path.iterdir())) for path in folder.iterdir() if path.is_dir()}
    assert found == dict.fromkeys(FOLDERS, each)


def wait_for(condition, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.005)


def spawn(*arguments: str) -> subprocess.Popen:
    """`locate` in a process of its own, to be killed or to compete."""
    command = [sys.executable, "-c", LOCATE, *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=os.environ | PATHS, text=True, stdout=pipe, stderr=pipe)


def test_a_name_is_fetched_once(mirror, root):
    body = archive()
    write_card(root, body, [mirror.serve("/tiny.zip", body)])
    first, second = locate("tiny"), locate("tiny")
    assert first == second
    assert first.folder == root / "tiny"
    assert first.domains == ("red", "blue")
    assert first.defaults == {"size": 32}
    assert first.test_A == root / "tiny" / "testA"
    assert_complete(first.folder)
    assert mirror.requests == [("/tiny.zip", None)]
    assert leftovers(root) == []


def test_another_file_than_the_cards_is_refused(mirror, root):
    good = archive()
    bad = good[:-30] + bytes(30)
    write_card(root, good, [mirror.serve("/tiny.zip", bad)])
    with pytest.raises(CardError, match="sha256 differs"):
        locate("tiny")
    assert not (root / "tiny").exists()
    assert leftovers(root) == []


def test_the_next_mirror_takes_over(mirror, root):
    body = archive()
    urls = [
        closed_port(),
        mirror.serve("/missing.zip", b"", status=404),
        mirror.serve("/other.zip", b"not the file"),
        mirror.serve("/changed.zip", body[:-30] + bytes(30)),
        mirror.serve("/good.zip", body),
    ]
    write_card(root, body, urls)
    assert_complete(locate("tiny").folder)
    asked = [path for path, _ in mirror.requests]
    assert asked == ["/missing.zip", "/other.zip", "/changed.zip", "/good.zip"]


@pytest.mark.parametrize("length", [True, False])
def test_a_broken_connection_is_continued_where_it_broke(mirror, root, length):
    body = archive(padding=100_000)
    write_card(root, body, [mirror.serve("/tiny.zip", body, at_most=80_000, length=length)])
    assert_complete(locate("tiny").folder)
    (_, first), (_, second) = mirror.requests
    assert first is None
    assert 60_000 < int(second.removeprefix("bytes=").removesuffix("-")) <= 80_000


def test_a_server_without_ranges_starts_over(mirror, root):
    body = archive(padding=100_000)
    write_card(root, body, [mirror.serve("/tiny.zip", body, ranges=False)])
    (root / ".tiny.zip.part").write_bytes(body[:50_000])
    assert_complete(locate("tiny").folder)


def test_a_bad_beginning_from_elsewhere_does_not_spoil_a_good_mirror(mirror, root):
    body = archive(padding=100_000)
    write_card(root, body, [mirror.serve("/tiny.zip", body)])
    (root / ".tiny.zip.part").write_bytes(b"x" * 50_000)
    assert_complete(locate("tiny").folder)
    assert [wanted for _, wanted in mirror.requests] == ["bytes=50000-", None]


def test_a_truncated_body_never_becomes_a_data_set(mirror, root):
    body = archive(padding=100_000)
    url = mirror.serve("/tiny.zip", body, at_most=60_000, ranges=False)
    write_card(root, body, [url])
    with pytest.raises(CardError) as failure:
        locate("tiny")
    assert not (root / "tiny").exists()
    for needed in ("tiny.zip", str(len(body)), url, "sha256", "--data", str(root / "tiny.zip")):
        assert needed in str(failure.value).replace(",", "")
    mirror.serve("/tiny.zip", body)
    assert_complete(locate("tiny").folder)


def test_a_body_that_never_ends_does_not_fill_the_disk(mirror, root):
    body = archive()
    write_card(root, body, [mirror.serve("/tiny.zip", body + bytes(10_000_000), length=False)])
    with pytest.raises(CardError, match="more than the card's"):
        locate("tiny")
    assert sum(path.stat().st_size for path in root.iterdir()) < 2_000_000


def test_without_a_network_the_message_says_what_to_do_and_the_archive_works_by_hand(root, tmp_path):
    body, url = archive(), closed_port()
    write_card(root, body, [url])
    with pytest.raises(CardError) as failure:
        locate("tiny")
    message = str(failure.value)
    assert "no connection" in message and "Traceback" not in message
    assert url in message and "--data tiny.zip" in message and str(root / "tiny.zip") in message
    assert leftovers(root) == []
    (root / "tiny.zip").write_bytes(body)  # as the message says
    assert_complete(locate("tiny").folder)


def test_kill_while_downloading_leaves_no_data_set_and_the_next_call_continues(mirror, root):
    body, go_on = archive(padding=400_000), threading.Event()
    write_card(root, body, [mirror.serve("/tiny.zip", body, halfway=go_on.wait)])
    part = root / ".tiny.zip.part"
    process = spawn("tiny")
    try:
        wait_for(lambda: part.exists() and part.stat().st_size > 0)
    finally:
        process.kill()
        process.wait()
        go_on.set()
    assert process.returncode == -signal.SIGKILL
    assert not (root / "tiny").exists()
    have = part.stat().st_size
    assert_complete(locate("tiny").folder)
    assert mirror.requests[-1] == ("/tiny.zip", f"bytes={have}-")
    assert leftovers(root) == []


def test_kill_while_unpacking_leaves_no_data_set(root, tmp_path):
    pack = tmp_path / "pack.zip"
    pack.write_bytes(archive(each=600))
    unpacking = root / ".pack.unpacking"
    process = spawn("pack", str(pack))
    try:
        wait_for(lambda: (unpacking / "tiny" / "trainA").exists() or process.poll() is not None)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGKILL
    assert not (root / "pack").exists()
    assert_complete(locate("pack", pack).folder, each=600)
    assert leftovers(root) == []


def test_two_processes_share_one_download(mirror, root):
    body, go_on = archive(), threading.Event()
    write_card(root, body, [mirror.serve("/tiny.zip", body, halfway=go_on.wait)])
    first = spawn("tiny")
    wait_for(lambda: mirror.requests or first.poll() is not None)
    second = spawn("tiny")
    waiting = second.stderr.readline()
    go_on.set()
    outcomes = [process.communicate(timeout=60) for process in (first, second)]
    assert "waiting" in waiting
    assert [out.strip() for out, _ in outcomes] == [str(root / "tiny")] * 2
    assert len(mirror.requests) == 1
    assert_complete(root / "tiny")


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
        with pytest.raises(CardError, match="meant to do harm"):
            locate(*arguments)
    assert {path for path in tmp_path.rglob("*") if path.suffix != ".lock"} == before
    assert not Path("/evil.png").exists()


def test_a_zip_bomb_is_refused(root, tmp_path):
    pack = tmp_path / "bomb.zip"
    with zipfile.ZipFile(pack, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("trainA/1.png", bytes(20_000_000))
    with pytest.raises(CardError, match=r"would unpack to 20\.0 MB"):
        locate("bomb", pack)
    assert leftovers(root) == []


def test_a_member_that_lies_about_its_size_is_refused(root, tmp_path):
    pack = tmp_path / "liar.zip"
    with zipfile.ZipFile(pack, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("trainA/1.png", bytes(5_000_000))
        file.filelist[0].file_size = 10  # in the directory at the end, which is what readers trust
    with pytest.raises(CardError, match="not a whole zip"):
        locate("liar", pack)
    assert not (root / "liar").exists() and leftovers(root) == []


@pytest.mark.parametrize("damage", ["truncated", "text"])
def test_a_damaged_local_zip_is_named(root, tmp_path, damage):
    pack = tmp_path / "pack.zip"
    pack.write_bytes(archive()[:-100] if damage == "truncated" else b"<html>Sorry</html>")
    with pytest.raises(CardError, match=r"pack\.zip is not a whole zip"):
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
    with pytest.raises(CardError, match=r"not the archive on the card of tiny.*sha256"):
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
    with pytest.raises(CardError, match="there already"):
        locate("cats", pack)


def test_a_zip_of_something_else_is_no_data_set(root, tmp_path):
    pack = tmp_path / "notes.zip"
    with zipfile.ZipFile(pack, "w") as file:
        file.writestr("notes/today.txt", "nothing")
    with pytest.raises(CardError, match="expected are trainA/ and trainB/"):
        locate("notes", pack)
    assert not (root / "notes").exists() and leftovers(root) == []


def test_a_maker_is_called_once_and_renamed_into_place(root, monkeypatch):
    from cyclegan import sketches

    calls = []

    def make(folder: Path) -> None:
        calls.append(folder)
        assert not folder.exists()
        for name in FOLDERS:
            (folder / name).mkdir(parents=True)
            (folder / name / "1.png").write_bytes(picture())
        if len(calls) == 1:
            raise OSError(28, "No space left on device")

    monkeypatch.setitem(sketches.MAKERS, "dots", make)
    root.mkdir()
    (root / "drawn.toml").write_text('maker = "dots"\npaired_test = true\n')
    with pytest.raises(CardError, match="full"):
        locate("drawn")
    assert not (root / "drawn").exists() and leftovers(root) == []
    found = locate("drawn")
    assert found == locate("drawn") and len(calls) == 2
    assert found.test_pairs() == [(root / "drawn/testA/1.png", root / "drawn/testB/1.png")]


def on_a_small_disk(options: str, code: str, *arguments: str) -> dict:
    """Run `code` with its data sets on a real file system of its own; its last line is JSON."""
    script = f'mount -t tmpfs -o {options} none "$DISK" && exec "$0" "$@"'
    for flags in ("-m", "-rm"):
        command = ["unshare", flags, "sh", "-c", script, sys.executable, "-c", code, *arguments]
        if not shutil.which("unshare"):
            break
        disk = Path(os.environ["CYCLEGAN_DATASETS"])
        disk.mkdir(exist_ok=True)
        environment = os.environ | PATHS | {"DISK": str(disk)}
        done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=120)
        if done.returncode == 0:
            return json.loads(done.stdout.splitlines()[-1])
        assert "Traceback" not in done.stderr, done.stderr
    pytest.skip("needs the right to mount a small file system (unshare -m, as root or in a user namespace)")


REPORT = """
import json, os, sys
from pathlib import Path
from cyclegan.cards import CardError, locate
disk = Path(os.environ["DISK"])
def report(*arguments):
    try:
        said = str(locate(*arguments).folder)
    except CardError as error:
        said = str(error)
    print(json.dumps({"said": said, "left": [p.name for p in disk.rglob("*") if p.suffix != ".lock"]}))
"""


def test_too_small_a_disk_is_noticed_before_downloading(root):
    seen = on_a_small_disk("size=1m", REPORT + 'report("horse2zebra")')
    assert "1.0 MB are free" in seen["said"] and "233.7 MB are needed" in seen["said"]
    assert "CYCLEGAN_DATASETS" in seen["said"]
    assert seen["left"] == []


def test_a_disk_that_fills_up_while_downloading(root, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    code = """
from mirror import Mirror, archive, write_card
body, mirror = archive(padding=1_000_000), Mirror()
def fill():
    with open(disk / "somebody else's", "wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
write_card(disk, body, [mirror.serve("/tiny.zip", body, halfway=fill)])
report("tiny")
"""
    seen = on_a_small_disk("size=4m", REPORT + code)
    assert "full" in seen["said"] and "CYCLEGAN_DATASETS" in seen["said"]
    assert sorted(seen["left"]) == ["somebody else's", "tiny.toml"]


def test_a_disk_that_fills_up_while_unpacking(root, tmp_path):
    pack = tmp_path / "pack.zip"
    pack.write_bytes(archive(each=10))
    code = REPORT + 'report("pack", sys.argv[1])'
    seen = on_a_small_disk("size=8m,nr_inodes=30", code, str(pack))  # full of files, not of bytes
    assert "full" in seen["said"]
    assert seen["left"] == []
