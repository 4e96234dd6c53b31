"""The cards travel with the package: in the wheel, beside a bare checkout, and in an editable install."""

import configparser
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
CARDS = sorted(path.name for path in (CHECKOUT / "datasets").glob("*.toml"))
KINDS = (".toml", ".safetensors")
WEIGHTS = sorted(path.name for path in (CHECKOUT / "pretrained").glob("*.*") if path.suffix in KINDS)
ASK = """
import json, os, site, sys
if sys.argv[1] == "editable":
    site.addsitedir(os.environ["PYTHONPATH"].split(os.pathsep)[0])
import cyclegan
from cyclegan.data.dataset_cards import dataset_card, dataset_names
from cyclegan.system.cards import package_folder
print(json.dumps([cyclegan.__file__, str(package_folder("datasets")), str(package_folder("pretrained")),
                  [dataset_card(name)["name"] for name in dataset_names()]]))
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """A copy of what belongs to the package, so that building writes nothing into the checkout."""
    source = tmp_path_factory.mktemp("source")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        if (CHECKOUT / name).exists():
            shutil.copy(CHECKOUT / name, source)
    shutil.copytree(CHECKOUT / "cyclegan", source / "cyclegan", ignore=shutil.ignore_patterns("__pycache__"))
    for kind, names in (("datasets", CARDS), ("pretrained", WEIGHTS)):
        (source / kind).mkdir()
        for name in names:
            shutil.copy(CHECKOUT / kind / name, source / kind)
    shutil.copytree(CHECKOUT / "pretrained" / "examples", source / "pretrained" / "examples")
    return source


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
    return next(folder.glob("*.whl"))


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments, "--disable-pip-version-check", "--quiet"]
    done = subprocess.run(command, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


def ask(path: Path, cwd: Path, how: str = "plain"):
    """What a Python in `cwd` with the package at `path` sees: its file, its folders of cards, their files.

    The real environment gives the dependencies, but its .pth files do not count (-S): its own installation of
    the package must not be found instead.
    """
    entries = [path, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    environment = {key: value for key, value in os.environ.items() if key != "CYCLEGAN_DATASETS"}
    environment["PYTHONPATH"] = os.pathsep.join(map(str, entries))
    command = [sys.executable, "-S", "-c", ASK, how]
    done = subprocess.run(command, env=environment, cwd=cwd, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    module, datasets, pretrained, names = json.loads(done.stdout)
    return Path(module), Path(datasets), Path(pretrained), [f"{name}.toml" for name in names]


def test_the_wheel_holds_the_code_and_the_cards(source, wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert inside >= {path.relative_to(source).as_posix() for path in (source / "cyclegan").rglob("*.py")}
    assert inside >= {f"cyclegan/datasets/{name}" for name in CARDS}
    assert inside >= {f"cyclegan/pretrained/{name}" for name in WEIGHTS}
    examples = [path for path in (source / "pretrained" / "examples").rglob("*") if path.is_file()]
    assert examples and inside >= {f"cyclegan/{path.relative_to(source).as_posix()}" for path in examples}
    assert {name.split("/")[0] for name in inside if ".dist-info/" not in name} == {"cyclegan"}


def test_an_installed_wheel_finds_its_cards(wheel, tmp_path):
    target, elsewhere = tmp_path / "target", tmp_path / "elsewhere"
    elsewhere.mkdir()
    pip("install", "--no-deps", "--target", str(target), str(wheel))
    module, datasets, pretrained, cards = ask(target, elsewhere)
    assert module == target / "cyclegan" / "__init__.py"
    assert datasets == target / "cyclegan" / "datasets"
    assert cards == CARDS
    assert all((pretrained / name).is_file() for name in WEIGHTS)


def test_an_editable_install_finds_its_cards(source, tmp_path):
    prefix, elsewhere = tmp_path / "prefix", tmp_path / "elsewhere"
    elsewhere.mkdir()
    # --ignore-installed: what is installed in the real environment must stay as it is.
    options = ("--no-deps", "--no-build-isolation", "--ignore-installed", "--no-warn-script-location")
    pip("install", *options, "--prefix", str(prefix), "--editable", str(source))
    (site,) = prefix.rglob("site-packages")
    module, datasets, pretrained, cards = ask(site, elsewhere, "editable")
    assert module == source / "cyclegan" / "__init__.py"
    assert (datasets, pretrained) == (source / "datasets", source / "pretrained")
    assert cards == CARDS


def test_a_bare_checkout_finds_its_cards(tmp_path):
    module, datasets, pretrained, cards = ask(CHECKOUT, tmp_path)
    assert module == CHECKOUT / "cyclegan" / "__init__.py"
    assert (datasets, pretrained) == (CHECKOUT / "datasets", CHECKOUT / "pretrained")
    assert cards == CARDS


def test_the_wheel_installs_one_command_that_answers_without_torch(wheel, tmp_path):
    pip("install", "--no-deps", "--target", str(tmp_path), str(wheel))
    script = next(path for path in tmp_path.glob("*/cyclegan*") if path.parent.name in ("bin", "Scripts"))
    # No packages at all but this one: -S leaves out site-packages.
    run = lambda *arguments: subprocess.run(  # noqa: E731
        [sys.executable, "-S", str(script), *arguments],
        env=os.environ | {"PYTHONPATH": str(tmp_path)}, cwd=tmp_path, text=True, capture_output=True,
    )  # fmt: skip
    for name in ("train", "translate", "evaluate", "sample", "export", "convert", "show"):
        assert f"\n  {name} " in run("--help").stdout
    assert run("--version").stdout.startswith("cyclegan-toolkit ")
    wrong = run("trian")
    assert wrong.returncode == 2 and "did you mean train?" in wrong.stderr


def test_the_same_sources_give_the_same_sdist(source, tmp_path):
    stamp = os.environ | {"SOURCE_DATE_EPOCH": "1700000000"}
    packed = []
    for number in ("1", "2"):
        copy = tmp_path / number
        shutil.copytree(source, copy, copy_function=shutil.copy)  # other times of the files
        code = f"from setuptools import build_meta; print(build_meta.build_sdist({str(copy / 'dist')!r}))"
        done = subprocess.run([sys.executable, "-c", code], cwd=copy, env=stamp, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
        (sdist,) = (copy / "dist").glob("*.tar.gz")
        subprocess.run([sys.executable, CHECKOUT / ".ci" / "same_sdist.py", sdist], env=stamp, check=True)
        packed.append(sdist.read_bytes())
    assert packed[0] == packed[1]


def test_the_version_is_cited():
    import cyclegan

    assert f"version: {cyclegan.__version__}\n" in (CHECKOUT / "CITATION.cff").read_text()


def test_the_container_copies_what_is_there_and_runs_as_a_user():
    steps = [line.split() for line in (CHECKOUT / "Dockerfile").read_text().splitlines() if line[:1].isupper()]
    sent = (CHECKOUT / ".dockerignore").read_text().splitlines()
    for source in [source for step in steps if step[0] == "COPY" for source in step[1:-1]]:
        assert list(CHECKOUT.glob(source)), f"nothing to copy for {source}"
        assert f"!{source}" in sent
    assert [step[1] for step in steps if step[0] == "USER"][-1] not in ("root", "0")
    assert [step for step in steps if step[0] == "HEALTHCHECK"]
    setup = configparser.ConfigParser()
    setup.read(CHECKOUT / "setup.cfg")
    (extras,) = (step[1].removeprefix("EXTRAS=") for step in steps if step[1].startswith("EXTRAS="))
    assert set(extras.split(",")) <= set(setup["options.extras_require"])


def test_the_page_behind_a_proxy_is_told_its_path():
    yaml = pytest.importorskip("yaml")
    compose = yaml.safe_load((CHECKOUT / "compose.yaml").read_text())
    command = compose["services"]["page"]["command"]
    path = command[command.index("--root-path") + 1]
    assert f"handle_path {path}/*" in compose["configs"]["proxy"]["content"]
