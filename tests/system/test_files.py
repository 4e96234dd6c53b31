"""Files that appear whole or not at all, whatever lies in the way and whatever goes wrong."""

import errno
import os

import pytest

from cyclegan.system.errors import command
from cyclegan.system.files import sweep, sweep_beside, whole, write_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_with_its_folder_and_leaves_nothing_beside_it(tmp_path):
    write_whole(tmp_path / "new" / "a.txt", "ü\n")
    write_whole(tmp_path / "new" / "a.txt", b"later")
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"later"
    assert names(tmp_path / "new") == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError("no"), OSError(errno.EIO, "broken"), KeyboardInterrupt()])
def test_what_was_there_stays_when_writing_fails(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(type(error)), whole(path) as part:
        part.write_text("half")
        raise error
    assert path.read_text() == "before" and names(tmp_path) == ["a.txt"]


def test_a_link_in_the_place_of_the_unfinished_file_is_not_followed(tmp_path):
    victim, path = tmp_path / "victim", tmp_path / "a.txt"
    victim.write_text("mine")
    (tmp_path / f".a.txt.{os.getpid()}.part").symlink_to(victim)
    write_whole(path, "new")
    assert victim.read_text() == "mine"
    assert path.read_text() == "new" and not path.is_symlink()
    assert names(tmp_path) == ["a.txt", "victim"]


def test_what_killed_processes_left_is_swept(tmp_path):
    (tmp_path / "in").mkdir()
    for name in (".a.pt.123.part", "in/.b.png.9.part", "a.pt", "in/part"):
        (tmp_path / name).write_text("")
    sweep(tmp_path)
    assert names(tmp_path) == ["a.pt", "in"] and names(tmp_path / "in") == ["part"]


def test_only_what_killed_processes_left_of_the_wanted_files_goes(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    gone, other = 2**31 - 1, os.getppid()
    for name in (f".a.png.{gone}.part", f".a.png.{other}.part", f".b.png.{gone}.part", ".a.png.part", ".a.png.x.part"):
        (tmp_path / name).write_text("")
    (tmp_path / ".a.png.77777777777777777777.part").symlink_to(victim)
    (tmp_path / f".a.png.{gone - 1}.part").mkdir()
    sweep_beside([tmp_path / "a.png", tmp_path / "absent" / "c.png"])
    left = [".a.png.part", f".a.png.{other}.part", f".a.png.{gone - 1}.part", ".a.png.x.part", f".b.png.{gone}.part"]
    assert names(tmp_path) == sorted([*left, "victim"]) and victim.read_text() == "mine"


def test_the_disks_refusal_names_the_file_that_was_wanted_also_from_behind_a_librarys_error(tmp_path):
    """As PyTorch and others do: the system's error is the reason of one of their own."""
    with pytest.raises(OSError, match="No space") as raised, whole(tmp_path / "a.pt"):
        try:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise RuntimeError("unexpected pos 640 vs 598") from error
    assert raised.value.filename == str(tmp_path / "a.pt")


def test_a_refusal_by_the_system_is_one_line_and_a_librarys_error_is_not_hidden(capsys):
    def full():
        raise OSError(errno.ENOSPC, "No space left on device", "runs/a/checkpoint.pt")

    def broken():
        raise OSError("encoder error -2")

    assert command("cyclegan.x", full) == 1
    said = "cyclegan.x: runs/a/checkpoint.pt: No space left on device; what was saved before is whole\n"
    assert capsys.readouterr().err == said
    with pytest.raises(OSError, match="encoder"):
        command("cyclegan.x", broken)
