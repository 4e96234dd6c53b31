"""Files that belong together appear as one, whenever the process that writes them dies."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from cyclegan.system.file_sets import current, settle, together
from cyclegan.system.files import sweep, write_whole

CHECKOUT = Path(__file__).parents[2]
# Writes three files of one generation, and dies without a word at the n-th change of the folder.
WRITES = """
import os, sys
from pathlib import Path
from cyclegan.system.file_sets import together
from cyclegan.system.files import write_whole
folder, generation, left = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
def die(event, arguments):
    global left
    if event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir"):
        left -= 1
        if left < 0:
            os._exit(9)
sys.addaudithook(die)
with together(folder) as new:
    for name in "abc":
        write_whole(new / name, generation)
"""


def write(folder, generation, changes=10**6) -> bool:
    """Whether it came to the end before it died."""
    command = [sys.executable, "-c", WRITES, str(folder), str(generation), str(changes)]
    return subprocess.run(command, cwd=CHECKOUT).returncode == 0


def generations(folder) -> list[str]:
    return [path.read_text() for path in map(current, (folder / name for name in "abc")) if path.exists()]


def test_whenever_a_process_dies_all_files_are_of_one_generation(tmp_path):
    assert write(tmp_path, 0)
    last, ended, changes = 0, False, 0
    while not ended:
        changes += 1
        ended = write(tmp_path, changes, changes)
        found = generations(tmp_path)
        assert len(found) == 3 and len(set(found)) == 1, f"died at change {changes}: {found}"
        assert int(found[0]) in (last, changes)
        last = int(found[0])
    assert changes > 6 and last == changes


def test_the_next_start_settles_and_sweeps(tmp_path):
    write_whole(tmp_path / "a", "old")
    write_whole(tmp_path / ".new" / "a", "new")
    (tmp_path / ".new.part").mkdir()
    assert current(tmp_path / "a").read_text() == "new"
    sweep(tmp_path)
    settle(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_text() == "new"


def test_an_error_leaves_all_as_it_was_and_names_the_file_that_was_wanted(tmp_path):
    write_whole(tmp_path / "a", "old")
    with pytest.raises(OSError, match="full") as raised, together(tmp_path) as new:
        write_whole(new / "a", "half of a pair")
        raise OSError(errno.ENOSPC, "full", str(new / "b"))
    assert raised.value.filename == str(tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_text() == "old"
