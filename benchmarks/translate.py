"""Pictures per second from a folder to a folder, decoding and encoding included.

    python benchmarks/translate.py [--count 24] [--rounds 5] [--translator NAME] [--pictures FOLDER]

Compares ``python -m cyclegan.translate`` (its pipeline, after loading) with the plain loop that people write: Pillow,
one picture at a time, PyTorch as it comes. What else was tried is measured beside them. All ways take turns within each
round, so that a machine that is busy now and then is busy for all of them; the table gives medians of the rounds, and
the ratio to the plain loop within the same round. The results are in docs/translate.md.

By default: the mobile generator of GAN Compression's published shape with random weights, and made-up 256 × 256 JPEGs,
since neither weights nor content change the speed.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from cyclegan.networks.build import build_generator
from cyclegan.system.terminal import Progress
from cyclegan.translate.pictures import translate_pictures
from cyclegan.translate.plan import plan
from cyclegan.translate.translator import Translator

MOBILE = {"name": "mobile", "channels": [16, 16, 32, 16, 32, 32, 16, 16]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=24, help="pictures in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--translator", help="a name, run, or file; default: mobile, random weights")
    parser.add_argument("--pictures", type=Path, help="a folder of pictures; default: made-up 256 × 256 JPEGs")
    options = parser.parse_args()
    translator = Translator.from_pretrained(options.translator, device="cpu") if options.translator else random_mobile()
    with tempfile.TemporaryDirectory() as folder:
        source = options.pictures or made_up(Path(folder) / "in", options.count)
        files = sorted(path for path in source.iterdir() if path.is_file())[: options.count]
        measure(ways(translator, Path(folder)), files, Path(folder), options.rounds)


def measure(ways: dict, files: list[Path], folder: Path, rounds: int) -> None:
    """Runs every way once to warm up, then in turn; prints the table."""
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            with tempfile.TemporaryDirectory(dir=folder) as out:
                begin = time.perf_counter()
                way(files[:2] if turn == 0 else files, Path(out))
                if turn:
                    speeds[name].append(len(files) / (time.perf_counter() - begin))
                    assert len(list(Path(out).iterdir())) == len(files)
    plain = speeds["plain loop"]
    print(f"{torch.get_num_threads()} threads, {len(files)} pictures, {rounds} rounds\n")
    print("| way | pictures/s | × plain loop (lowest … highest round) |\n|---|---|---|")
    for name, values in speeds.items():
        ratios = sorted(a / b for a, b in zip(values, plain, strict=True))
        spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} … {ratios[-1]:.2f})"
        print(f"| {name} | {statistics.median(values):.1f} | {spread} |")


def ways(translator: Translator, folder: Path) -> dict:
    """Name → function of (files, output folder)."""
    as_it_comes = with_torchs_own_norm(translator.network)
    last = with_torchs_own_norm(translator.network).to(memory_format=torch.channels_last)
    found = {
        "plain loop": lambda files, out: loop(as_it_comes, files, out),
        "loop, inference mode": torch.inference_mode()(lambda files, out: loop(as_it_comes, files, out)),
        "loop, channels last": lambda files, out: loop(last, files, out, memory_format=torch.channels_last),
        "loop, batches of 4": lambda files, out: loop(as_it_comes, files, out, batch=4),
        "loop, our instance norm": lambda files, out: loop(translator.network, files, out),
        "cyclegan.translate": lambda files, out: toolkit(translator, files, out),
    }
    try:
        session = onnx_session(translator, folder)
    except ImportError:
        return found
    return {**found, "loop, ONNX Runtime": lambda files, out: loop(session, files, out)}


def loop(network, files: list[Path], out: Path, batch: int = 1, memory_format=torch.contiguous_format) -> None:
    with torch.no_grad():
        for i in range(0, len(files), batch):
            pictures = [np.asarray(Image.open(file).convert("RGB")) for file in files[i : i + batch]]
            x = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
            y = network(x.contiguous(memory_format=memory_format))
            results = ((y + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
            for file, result in zip(files[i : i + batch], results, strict=True):
                Image.fromarray(result).save(out / file.name, quality=95, subsampling=0)


def toolkit(translator: Translator, files: list[Path], out: Path) -> None:
    with Progress("") as progress:
        assert not translate_pictures(translator, plan(tuple(map(str, files)), out), None, None, progress)


def with_torchs_own_norm(network):
    """A copy with ``nn.InstanceNorm2d``, as implementations elsewhere have it."""
    import copy

    plain = copy.deepcopy(network)
    for module in list(plain.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, torch.nn.InstanceNorm2d):
                norm = torch.nn.InstanceNorm2d(child.num_features, affine=child.affine)
                norm.load_state_dict(child.state_dict())
                setattr(module, name, norm)
    return plain


def onnx_session(translator: Translator, folder: Path):
    import onnxruntime

    from cyclegan.translate.onnx import export_onnx

    export_onnx(translator, folder / "G.onnx")
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(folder / "G.onnx", settings, providers=["CPUExecutionProvider"])
    return lambda x: torch.from_numpy(session.run(None, {"picture": x.numpy()})[0])


def random_mobile() -> Translator:
    torch.manual_seed(0)
    header = {"architecture": MOBILE, "domains": ["a", "b"], "preprocessing": {"channels": [3, 3]}}
    return Translator(build_generator(MOBILE), header, "cpu")


def made_up(folder: Path, count: int) -> Path:
    folder.mkdir()
    draw = np.random.default_rng(0)
    for i in range(count):
        small = Image.fromarray(draw.integers(0, 256, (16, 16, 3), dtype=np.uint8))
        small.resize((256, 256), Image.Resampling.BICUBIC).save(folder / f"{i:03}.jpg")
    return folder


if __name__ == "__main__":
    main()
