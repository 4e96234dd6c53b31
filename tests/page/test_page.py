"""The parts of the page that are no page: what can be chosen, the bounds, many files at once."""

import io
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from served_page import make_run, picture

from cyclegan import Translator
from cyclegan.page import choices, colours, examples, many_files, one_picture, run_reader, words
from cyclegan.page.background import Stopped, in_background
from cyclegan.system import cards, download
from cyclegan.system.errors import ImageError, UserError
from cyclegan.system.files import lock
from cyclegan.translate import examples as chosen_examples


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory, as a visitor's machine has it: the package's own cards, nothing downloaded."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CYCLEGAN_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("CYCLEGAN_DATASETS", str(tmp_path / "datasets"))
    monkeypatch.setattr(choices, "package_folder", lambda kind: tmp_path / "package" / kind)
    monkeypatch.setattr(cards, "package_folder", lambda kind: tmp_path / "package" / kind)
    return tmp_path


def card(folder: Path, name: str, domains: list, **entries) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    parts = "".join(f'[{d}]\n{k} = "{v}"\n' for d, (k, v) in entries.items())
    (folder / f"{name}.toml").write_text(f'name = "{name}"\ndomains = {domains}\n{parts}')


def test_nothing_at_all_is_said_with_the_command_that_helps(here):
    assert choices.choices() == []
    with pytest.raises(UserError, match=r"cyclegan\.train horse2zebra"):
        choices.choose(None)


def test_no_name_stands_twice_on_the_page(here):
    """A rule of the style sheet or of a script would meet two things."""
    pytest.importorskip("gradio", reason="the page needs the extra: app")
    from cyclegan.page.page import build

    names = [block.elem_id for block in build().blocks.values() if block.elem_id]
    assert len(names) > 20 and len(names) == len(set(names)), sorted(names)


def test_what_an_older_turn_says_at_its_end_withdraws_no_large_picture(here):
    """It may arrive behind the number by which a newer turn hands its large picture over."""
    gradio = pytest.importorskip("gradio", reason="the page needs the extra: app")
    from cyclegan.page import translating

    make_run(here / "runs" / "tiny", ("horse", "zebra"))
    small, large = picture(0, 40, 30), picture(1, 2200, 1600)
    small.save(here / "small.png")
    large.save(here / "large.png")
    visitor = SimpleNamespace(session_hash="a visitor")
    order = "", "runs/tiny", "horse → zebra", one_picture.OWN, "", None, None
    older = translating.turns.begin("a visitor")
    *_, (*_, handed) = translating.translated(str(here / "large.png"), *order, visitor)
    assert handed > older.number and older.is_set()
    stopped = translating._answer(older, "", str(here / "small.png"), *order)
    dropped = translating.after(older.number, str(here / "small.png"), *order, visitor)
    for late in (stopped, dropped):
        assert [state[-1] for state in late] == [gradio.skip()]


def test_two_cards_of_one_direction_are_one_choice(here):
    url = {"G_AB": ("url", "http://127.0.0.1:1/none.pth")}
    card(here / "pretrained", "summer2winter_park", ["summer", "winter"], **url)
    card(here / "pretrained", "winter2summer_park", ["winter", "summer"], **url)
    card(here / "pretrained", "winter2summer_town", ["winter", "summer"], **url)
    pair, alone = choices.choices()
    assert [way.name for way in pair.ways] == ["summer2winter_park", "winter2summer_park"]
    assert pair.back(pair.ways[0]) is pair.ways[1] and not pair.here and "download" in pair.label
    assert len(alone.ways) == 1 and alone.back(alone.ways[0]) is None


def test_what_is_here_comes_first_and_broken_things_are_left_out(here):
    card(here / "pretrained", "a_download", ["x", "y"], G_AB=("url", "http://127.0.0.1:1/none.pth"))
    card(here / "pretrained", "b_missing", ["x", "y"], G_AB=("file", "not_there.safetensors"))
    (here / "pretrained" / "c_broken.toml").write_text("domains = [")
    make_run(here / "runs" / "tiny", ("horse", "zebra"))
    (here / "runs" / "begun").mkdir()
    (here / "runs" / "begun" / "config.json").write_text("{}")
    torn = make_run(here / "runs" / "torn", ("horse", "zebra"))
    for file in torn.glob("*.safetensors"):
        file.write_bytes(file.read_bytes()[:20])
    assert [choice.key for choice in choices.choices()] == ["runs/tiny", "a_download"]


def test_a_run_in_training_is_loaded_anew_when_it_has_exported(here):
    run = make_run(here / "runs" / "tiny", ("horse", "zebra"))
    way = choices.choose("runs/tiny").ways[0]
    warm = one_picture.Warm()
    first = warm.translator(way)
    assert warm.translator(way) is first
    make_run(here / "other_weights", ("horse", "zebra"))
    (here / "other_weights" / "G_AB.safetensors").replace(run / "G_AB.safetensors")
    assert warm.translator(way) is not first


@pytest.mark.parametrize(
    ("size", "detail", "expected"),
    [
        ((4000, 3000), one_picture.FITTED, (341, 256)),
        ((3000, 4000), one_picture.DOUBLE, (512, 683)),
        ((4000, 3000), one_picture.BOLD, (171, 128)),
        ((150, 100), one_picture.BOLD, (150, 100)),
        ((200, 100), one_picture.FITTED, (200, 100)),  # never made larger
        ((4000, 3000), one_picture.OWN, (4000, 3000)),
        ((8000, 6000), one_picture.OWN, (4099, 3074)),  # 12.6 megapixels
        ((60_000, 100), one_picture.FITTED, (48_600, 81)),  # not even a strip is given more than its 4 megapixels
    ],
)
def test_the_network_sees_a_bounded_size(size, detail, expected):
    assert one_picture.working_size(size, 256, detail) == expected


def test_the_words_follow_the_cycle_error(here):
    make_run(here / "runs" / "tiny", ("horse", "zebra"))
    choice = choices.choose("runs/tiny")
    grey = Image.new("RGB", (8, 8), (100, 100, 100))
    near = Image.new("RGB", (8, 8), (102, 102, 102))
    trip = one_picture.Trip(grey, grey, near, grey, (8, 8), 0.1)
    assert trip.cycle_error == pytest.approx(2 / 255)
    assert "0.8 %" in words.cycle(trip, choice.ways[0]) and "almost the same" in words.cycle(trip, choice.ways[0])
    assert "Almost nothing was changed" in words.summary(trip, choice, choice.ways[0])
    assert "one way" not in words.about(choice) and "/" not in words.about(choice).split("Dataset")[1].split("|")[1]


def zipped(path: Path, files: dict[str, bytes]) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return str(path)


def png(seed: int) -> bytes:
    data = io.BytesIO()
    picture(seed, 70, 50).save(data, "PNG")
    return data.getvalue()


def test_many_pictures_and_a_zip_become_a_zip(here):
    make_run(here / "runs" / "tiny", ("horse", "zebra"))
    way = choices.choose("runs/tiny").ways[0]
    picture(9, 70, 50).save(here / "single.png")
    (here / "notes.txt").write_text("hello")
    inside = {"a/1.png": png(1), "b/1.png": png(2), "../../escaped.png": png(3)}
    inside |= {"__MACOSX/1.png": b"x", "bad.png": b"x"}
    files = [str(here / "single.png"), zipped(here / "more.zip", inside), str(here / "notes.txt")]
    (here / "work").mkdir()
    *_, last = many_files.translate_files(files, way, one_picture.OWN, here / "work", threading.Event())
    with zipfile.ZipFile(last.file) as archive:
        assert sorted(archive.namelist()) == ["1.png", "1_2.png", "escaped.png", "single.png"]
        result = Image.open(archive.open("1_2.png")).convert("RGB")
    expected = Translator.from_pretrained(here / "runs" / "tiny")(picture(2, 70, 50))
    assert result.tobytes() == expected.tobytes()
    assert len(last.left_out) == 2 and "bad.png" in " ".join(last.left_out) and "notes.txt" in " ".join(last.left_out)
    assert not list(here.parent.glob("escaped.png"))


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"no zip", "damaged or no zip"), ({"readme.txt": b"x"}, "no pictures in it"), ({"a.png": b"x"}, "not a picture")],
)
def test_a_zip_that_gives_nothing_says_why(here, content, why):
    make_run(here / "runs" / "tiny", ("horse", "zebra"))
    path = here / "given.zip"
    path.write_bytes(content) if isinstance(content, bytes) else zipped(path, content)
    (here / "work").mkdir()
    way = choices.choose(None).ways[0]
    with pytest.raises(ImageError, match=why):
        list(many_files.translate_files([str(path)], way, one_picture.FITTED, here / "work", threading.Event()))


def test_a_zip_bomb_is_read_no_further_than_the_bound(here, monkeypatch):
    monkeypatch.setattr(many_files, "UNPACKED", 100_000)
    bomb = zipped(here / "bomb.zip", {"1.png": b"\0" * 60_000, "2.png": b"\0" * 60_000})
    found, left_out = many_files.gather([Path(bomb)], here / "in")
    assert not found and "holds more than" in left_out[0]


def test_stop_ends_the_work_and_keeps_what_is_finished(here):
    make_run(here / "runs" / "tiny", ("horse", "zebra"))
    files = []
    for seed in range(60):
        picture(seed, 200, 200).save(here / f"{seed}.png")
        files.append(str(here / f"{seed}.png"))
    stop, way = threading.Event(), choices.choose(None).ways[0]
    (here / "work").mkdir()
    steps = many_files.translate_files(files, way, one_picture.OWN, here / "work", stop)
    while not ((report := next(steps)) and report.done):
        pass
    stop.set()
    *_, last = steps
    with zipfile.ZipFile(last.file) as archive:
        names = archive.namelist()
        assert 0 < len(names) < 60 and last.stopped and len(last.results) == len(names)
        result = Image.open(archive.open(names[0])).convert("RGB")
    expected = Translator.from_pretrained(here / "runs" / "tiny")(here / names[0])
    assert result.tobytes() == expected.tobytes()
    (here / "again").mkdir()
    with pytest.raises(Stopped):  # at once: nothing was finished
        list(many_files.translate_files(files, way, one_picture.OWN, here / "again", stop))


def test_work_folders_go_when_they_are_old_and_only_then(here, monkeypatch):
    parts = pytest.importorskip("cyclegan.page.parts", reason="the page needs the extra: app")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(here / "temporary"))
    old, busy = parts.work_folder(), parts.work_folder()
    (here / "temporary" / "gradios_own").mkdir()
    for folder in (old, busy, here / "temporary" / "gradios_own"):
        (folder / "a.png").write_bytes(png(1))
        for path in (folder, folder / "a.png"):
            os.utime(path, (0, 0))
    (busy / "b.png").write_bytes(png(2))
    parts.sweep(3600)
    assert sorted(path.name for path in (here / "temporary").iterdir()) == sorted(["gradios_own", busy.name])


def video(path: Path, frames: int) -> str:
    av = pytest.importorskip("av", reason="no package av, so no videos")
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for seed in range(frames):
            out.mux(stream.encode(av.VideoFrame.from_image(picture(seed, 64, 48))))
        out.mux(stream.encode())
    return str(path)


def test_a_video_becomes_a_video(here):
    make_run(here / "runs" / "tiny", ("horse", "zebra"))
    file = video(here / "clip.mp4", 12)
    (here / "work").mkdir()
    way = choices.choose(None).ways[0]
    *_, last = many_files.translate_files([file], way, one_picture.OWN, here / "work", threading.Event())
    import av

    with av.open(str(last.file)) as result:
        frames = [frame.to_image() for frame in result.decode(video=0)]
    assert last.file.name == "clip_zebra.mp4" and len(frames) == 12 and frames[0].size == (64, 48)
    translator = Translator.from_pretrained(here / "runs" / "tiny")
    away = [one_picture.difference(frames[3], translator(picture(seed, 64, 48))) for seed in range(12)]
    assert min(away) == away[3]


def test_a_long_video_and_a_false_one_are_refused(here, monkeypatch):
    monkeypatch.setattr(many_files, "VIDEO_SECONDS", 1)
    (here / "false.mp4").write_bytes(b"nothing")
    found, left_out = many_files.gather([Path(video(here / "long.mp4", 30)), here / "false.mp4"], here / "in")
    assert not found and "lasts 3 s" in left_out[0] and "cannot be read" in left_out[1]


def test_a_killed_run_is_not_said_to_live(here):
    run = make_run(here / "runs" / "tiny", ("horse", "zebra"))
    assert "stopped" in run_reader.state(run) and "to go" not in run_reader.state(run)
    with lock(run / ".lock"):
        held = "import sys; from cyclegan.page.run_reader import *; print(state(Path(sys.argv[1])))"
        said = subprocess.run([sys.executable, "-c", held, run], capture_output=True, text=True, check=True).stdout
    assert "to go" in said and "stopped" not in said
    (run / "log.jsonl").write_text("")
    assert "ended before its first line" in run_reader.state(run)


def test_a_translator_that_cannot_be_fetched_says_which_ones_work(here, monkeypatch):
    parts = pytest.importorskip("cyclegan.page.parts", reason="the page needs the extra: app")
    monkeypatch.setattr(download, "STALLS", 1)
    card(here / "pretrained", "far", ["x", "y"], G_AB=("url", "http://127.0.0.1:1/none.pth"))
    make_run(here / "runs" / "tiny", ("horse", "zebra"))
    with pytest.raises(UserError) as caught:
        one_picture.warm.translator(choices.choose("far").ways[0])
    said = parts.sentence(caught.value)
    assert "could not be reached. These work without: runs/tiny." in said and "127.0.0.1" not in said


def test_examples_are_chosen_ones_or_else_test_pictures(here, monkeypatch):
    monkeypatch.setattr(chosen_examples, "package_folder", lambda kind: here / "package" / kind)
    make_run(here / "runs" / "tiny", ("horse", "zebra"))  # trained on the data set "somewhere"
    choice = choices.choose("runs/tiny")
    forth, back = choice.ways
    assert examples.examples(choice, forth) == []
    another = here / "package" / "pretrained" / "examples" / "another" / "horse"
    another.mkdir(parents=True)
    picture(1).save(another / "another.png")
    shared = examples.examples(choice, forth)
    assert shared == [another / "another.png"] and examples.examples(choice, back) == []
    assert not examples.are_chosen(shared, choice, forth)
    for side in ("trainA", "trainB", "testA", "testB"):
        folder = here / "datasets" / "somewhere" / side
        folder.mkdir(parents=True)
        picture(2).save(folder / "b.png")
    assert [path.parent.name for way in choice.ways for path in examples.examples(choice, way)] == ["testA", "testB"]
    chosen = here / "package" / "pretrained" / "examples" / "somewhere" / "horse"
    chosen.mkdir(parents=True)
    picture(1).save(chosen / "somewhere.png")
    own = examples.examples(choice, forth)
    assert [path.name for path in own] == ["somewhere.png"] and examples.are_chosen(own, choice, forth)
    assert [path.name for path in examples.examples(choice, back)] == ["b.png"]


def test_results_of_examples_are_kept_until_the_weights_change(here):
    run = make_run(here / "runs" / "tiny", ("horse", "zebra"))
    picture(4).save(here / "a.png")
    choice = choices.choose("runs/tiny")
    first = examples.result(here / "a.png", choice, choice.ways[0])
    assert examples.result(here / "a.png", choice, choice.ways[0]) is first
    make_run(here / "other_weights", ("horse", "zebra"))
    (here / "other_weights" / "G_AB.safetensors").replace(run / "G_AB.safetensors")
    assert examples.result(here / "a.png", choice, choice.ways[0]).result.tobytes() != first.result.tobytes()


def test_colours_are_names_and_numbers_and_nothing_else(here):
    picture(1).save(here / "a.png")
    assert colours.read_colours(" ") is None and colours.read_colours("7") == 7
    assert colours.read_colours("Red, #ff8800 ,3") == ["Red", "#ff8800", 3]
    given = picture(1)
    assert colours.read_colours("gold", given) == ["gold", given]
    assert colours.described("gold, 3", given) == "gold and palette 3 and your picture"
    for text in (str(here / "a.png"), "a.png", "https://example.org/a.png", "file:///a.png", "9" * 50, "red;", "<b>"):
        with pytest.raises(UserError, match="is no colour"):
            colours.read_colours(text)
    with pytest.raises(UserError, match="Did you mean"):
        colours.read_colours("purpel")
    with pytest.raises(UserError, match="at most"):
        colours.read_colours(",".join(["red"] * 20))


def test_a_palette_is_kept_on_the_way_there_and_is_the_pictures_own_on_the_way_back(here):
    make_run(here / "runs" / "paint", ("sketch", "photo"), palette=True)
    choice = choices.choose("runs/paint")
    assert [colours.paints(choice, way) for way in choice.ways] == [True, False]
    given, (forth, back) = picture(1, 64, 64), choice.ways
    painter = Translator.from_pretrained(here / "runs" / "paint")
    red = one_picture.travel(given, choice, forth, palette=["red"])
    assert red.result.tobytes() == painter(given, palette=["red"]).tobytes() != painter(given).tobytes()
    home = one_picture.travel(given, choice, back)
    assert home.back.tobytes() == painter(home.result, palette=given).tobytes()
    shares = []
    one_picture.travel(given, choice, forth, watch=shares.append)
    assert shares == sorted(shares) and shares[-1] == 1 and 0.5 in shares


def test_a_large_picture_keeps_its_size_and_its_pixels_beside_the_mask(here, monkeypatch):
    """The network sees it small, the page shows it smaller than it is, and the download is all of it."""
    monkeypatch.setattr(one_picture, "DISPLAY", 100)
    make_run(here / "runs" / "tiny", ("horse", "zebra"), size=48)
    choice = choices.choose("runs/tiny")
    given, mask = picture(1, 160, 120), Image.new("L", (80, 80))
    mask.paste(255, (0, 0, 40, 80))
    trip = one_picture.travel(given, choice, choice.ways[0], mask=mask)
    assert trip.worked_at == (64, 48) and trip.given.size == trip.result.size == trip.back.size == (100, 75)
    whole = Translator.from_pretrained(here / "runs" / "tiny")(given, size=48)
    left, right = (0, 0, 78, 120), (82, 0, 160, 120)
    assert trip.full.size == given.size and trip.full.crop(left).tobytes() == whole.crop(left).tobytes()
    assert trip.full.crop(right).tobytes() == given.crop(right).tobytes() != whole.crop(right).tobytes()


def test_the_label_of_a_direction_that_has_just_gone_stops_nothing():
    """It may be under way when the directions of another translator take its place."""
    gradio = pytest.importorskip("gradio", reason="the page needs the extra: app")
    from cyclegan.page.parts import direction_choice

    offered = direction_choice(["horse → zebra", "zebra → horse"])
    anew = type(offered)(choices=["sketch → emoji"])  # as gradio makes a component after an event that changed it
    assert isinstance(anew, gradio.Radio) and anew.get_block_name() == "radio"
    assert anew.preprocess("horse → zebra") == "horse → zebra"


def test_work_says_how_far_it_is_and_stops_when_told(here):
    stop, going_on = threading.Event(), threading.Event()

    def work(tell):
        tell(0.5)
        going_on.wait(30)
        tell(0.9)
        return "done"

    steps = in_background(work, stop, every=0.01)
    while next(steps) is None:
        pass
    going_on.set()
    with pytest.raises(StopIteration, match="done"):
        while next(steps) in (0.5, 0.9):
            pass
    going_on.clear()
    steps = in_background(work, stop, every=0.01)
    next(steps)
    stop.set()
    going_on.set()
    with pytest.raises(Stopped):
        list(steps)
