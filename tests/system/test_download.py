"""From a card to a folder of pictures, over a real connection: well, badly, and interrupted."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from mirror import archive, assert_complete, closed_port, leftovers, write_card

from cyclegan.data.datasets import locate
from cyclegan.system.download import NotFetched, fetch
from cyclegan.system.errors import UserError

CHECKOUT = Path(__file__).parents[2]
PATHS = {"PYTHONPATH": os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "tests")])}
LOCATE = "import sys; from cyclegan.data.datasets import locate; print(locate(*sys.argv[1:]).folder)"


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
    with pytest.raises(UserError, match="sha256 differs"):
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
    with pytest.raises(UserError) as failure:
        locate("tiny")
    assert not (root / "tiny").exists()
    for needed in ("tiny.zip", str(len(body)), url, "sha256", "--data", str(root / "tiny.zip")):
        assert needed in str(failure.value).replace(",", "")
    mirror.serve("/tiny.zip", body)
    assert_complete(locate("tiny").folder)


def test_a_body_that_never_ends_does_not_fill_the_disk(mirror, root):
    body = archive()
    write_card(root, body, [mirror.serve("/tiny.zip", body + bytes(10_000_000), length=False)])
    with pytest.raises(UserError, match="more than the card's"):
        locate("tiny")
    assert sum(path.stat().st_size for path in root.iterdir()) < 2_000_000


def test_without_a_network_the_message_says_what_to_do_and_the_archive_works_by_hand(root, tmp_path):
    body, url = archive(), closed_port()
    write_card(root, body, [url])
    with pytest.raises(UserError) as failure:
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


def test_a_link_in_the_place_of_a_transfer_is_not_written_through(mirror, root, tmp_path):
    body = archive()
    write_card(root, body, [mirror.serve("/tiny.zip", body)])
    (tmp_path / "victim").write_text("mine")
    (root / ".tiny.zip.part").symlink_to(tmp_path / "victim")
    assert_complete(locate("tiny").folder)
    assert (tmp_path / "victim").read_text() == "mine"


def test_what_nothing_is_known_of_is_bounded_and_starts_over(mirror):
    body = bytes(range(256)) * 500
    assert fetch(mirror.serve("/a.png", body), 200_000) == body
    for length in (True, False):
        with pytest.raises(NotFetched, match=r"0\.1 MB"):
            fetch(mirror.serve("/a.png", body, length=length), 100_000)
    with pytest.raises(NotFetched, match="broke off"):
        fetch(mirror.serve("/a.png", body, at_most=60_000), 200_000)
    assert {wanted for _, wanted in mirror.requests} == {None}
