"""A checkpoint folder of pytorch-CycleGAN-and-pix2pix or of CUT's program becomes a run that goes on training."""

import pytest
import torch
from painted import paint
from resuming import checkpoint

from cyclegan import Translator
from cyclegan.convert import main as convert
from cyclegan.models import load_model
from cyclegan.networks.build import build_discriminator, build_generator
from cyclegan.networks.patches import PatchHeads
from cyclegan.train.__main__ import main as train
from cyclegan.train.reference_options import model_of, read_options, settings_of

OPTIONS = {  # value, and the default where it is another
    "batch_size": ("1", ""),
    "beta1": ("0.5", ""),
    "crop_size": ("32", "256"),
    "dataroot": ("{data}", ""),
    "direction": ("AtoB", ""),
    "gan_mode": ("lsgan", ""),
    "isTrain": ("True", "None"),
    "lambda_A": ("20.0", "10.0"),
    "lambda_B": ("20.0", "10.0"),
    "lambda_identity": ("0.25", "0.5"),
    "load_size": ("36", "286"),
    "lr": ("0.0001", "0.0002"),
    "lr_policy": ("linear", ""),
    "max_dataset_size": ("inf", ""),
    "model": ("cycle_gan", ""),
    "n_epochs": ("1", "100"),
    "n_epochs_decay": ("1", "100"),
    "netD": ("pixel", "basic"),
    "no_flip": ("True", "False"),
    "pool_size": ("3", "50"),
    "preprocess": ("resize_and_crop", ""),
}


def written(options):
    """As the program writes them."""
    lines = (f"{name:>25}: {v:<30}" + (f"\t[default: {d}]" if d else "") for name, (v, d) in options.items())
    ends = ["----------------- Options ---------------", "----------------- End -------------------"]
    return "\n".join([ends[0], *lines, ends[1], ""])


AS_WRITTEN = written(OPTIONS)
SMALL = " crop_size: 32\n load_size: 36\n ndf: 8\n dataroot: {data}\n"
LEAST = "dataroot: {data}\ncrop_size: 32\nnetD: pixel\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for side, colour in (("A", (220, 30, 30)), ("B", (30, 30, 220))):
        paint(tmp_path / "squares" / f"train{side}", 5, colour)
    return tmp_path


def folder(here, networks, options=AS_WRITTEN, log="(epoch: 1, iters: 3, time: 0.3, data: 0.1) D_A: 0.3\n"):
    made = here / "checkpoints" / "theirs"
    made.mkdir(parents=True)
    for name, network in networks.items():
        torch.save(network.state_dict(), made / f"latest_net_{name}.pth")
    if options:
        (made / "train_opt.txt").write_text(options.format(data=here / "squares"))
    if log:
        (made / "loss_log.txt").write_text("================ Training Loss (now) ================\n" + log)
    return made


def cyclegan(**changed):
    resnet = {"name": "resnet", "width": 4, "blocks": 1} | changed
    pairs = {f"G_{end}": build_generator(resnet) for end in "AB"}
    return pairs | {f"D_{end}": build_discriminator({"name": "pixel"}) for end in "AB"}


def same(state, network):
    return all(torch.equal(state[key], value) for key, value in network.state_dict().items())


def test_a_cyclegan_goes_on_with_its_weights_settings_and_place(here, capsys):
    networks = cyclegan()
    assert convert([str(folder(here, networks))]) == 0
    said = capsys.readouterr().out
    assert "0.6 of 2 epochs done, step 3. Go on with: python -m cyclegan.train --config runs/theirs" in said
    run = here / "runs" / "theirs"
    before = checkpoint(run)
    assert before["step"] == 3
    kept = {**before["game"]["G"]["networks"], **before["game"]["D"]["networks"]}
    for theirs, ours in (("G_A", "G_AB"), ("G_B", "G_BA"), ("D_A", "D_B"), ("D_B", "D_A")):
        assert same(kept[ours], networks[theirs]), "their D_A judges what their G_A makes"
    assert same(before["game"]["G"]["averages"]["G_AB"], networks["G_A"])
    assert (
        Translator.from_pretrained(run, device="cpu").header["provenance"]["init"]["G_A"].startswith("latest_net_G_A")
    )
    assert train(["--config", "runs/theirs", "--log-every", "1", "--device", "cpu"]) == 0
    assert checkpoint(run)["step"] == 10
    assert "step 10/10" in capsys.readouterr().out
    assert convert([str(here / "checkpoints" / "theirs")]) == 2
    assert "runs/theirs is a run already" in capsys.readouterr().err


def test_the_other_direction_swaps_all_four(here):
    networks = cyclegan()
    made = folder(here, networks, written(OPTIONS | {"direction": ("BtoA", "AtoB")}))
    assert convert([str(made), "-o", "elsewhere/mine", "--dataset", "squares"]) == 0
    kept = checkpoint(here / "elsewhere" / "mine")["game"]
    assert same(kept["G"]["networks"]["G_BA"], networks["G_A"]) and same(kept["D"]["networks"]["D_A"], networks["D_A"])


def test_cut_brings_its_heads_and_pix2pix_its_conditional_discriminator(here):
    heads = PatchHeads([3, 8, 16, 16, 16])
    resnet = {"name": "resnet", "width": 4, "blocks": 5, "antialias": True}
    networks = {
        "G": build_generator(resnet),
        "D": build_discriminator({"name": "patch", "width": 8, "antialias": True}),
        "F": heads,
    }
    made = folder(here, networks, f"  model: cut\n{SMALL} nce_idt: False\n")
    state = {key.replace("heads.", "mlp_"): tensor for key, tensor in heads.state_dict().items()}
    torch.save(state, made / "latest_net_F.pth")
    assert convert([str(made), "-o", "runs/cut"]) == 0
    kept = checkpoint(here / "runs" / "cut")["game"]
    assert same(kept["G"]["networks"]["F"], heads) and same(kept["D"]["networks"]["D_B"], networks["D"])
    assert train(["--config", "runs/cut", "--steps", "4", "--device", "cpu"]) == 0
    made.rename(here / "other")
    unet = {"name": "unet", "width": 4, "levels": 5, "norm": "batch_statistics", "noise": 0.5}
    networks = {
        "G": build_generator(unet),
        "D": build_discriminator({"name": "patch", "in_channels": 6, "width": 8, "norm": "batch"}),
    }
    options = f"  model: pix2pix\n{SMALL} direction: BtoA\n"
    assert convert([str(folder(here, networks, options)), "-o", "runs/pix2pix"]) == 0
    kept = checkpoint(here / "runs" / "pix2pix")["game"]
    assert same(kept["G"]["networks"]["G_BA"], networks["G"]) and same(kept["D"]["networks"]["D"], networks["D"])
    assert train(["--config", "runs/pix2pix", "--steps", "4", "--device", "cpu"]) == 0


def test_options_say_the_same_here(here):
    options = read_options(folder(here, {}, written(OPTIONS)))
    settings, notes = settings_of(options, model_of(options, set()))
    assert not notes and settings == {
        **{"lr": 1e-4, "beta1": 0.5, "batch": 1, "size": 32, "load": 36, "pool": 3, "flip": False},
        **{"lambda_cycle": 20.0, "lambda_identity": 5.0, "adversarial": "lsgan"},  # 0.25 × 20
        **{"discriminator": "pixel", "epochs": 2, "lr_schedule": "linear", "constant": 0.5},
    }
    fast = {"model": "cut", "n_epochs": 150, "n_epochs_decay": 50, "nce_idt": False, "lambda_NCE": 10.0}
    settings, _ = settings_of(fast | {"flip_equivariance": True}, "cut")
    recipe = load_model("cut").recipes["fastcut"]
    assert {key: settings[key] for key in recipe} == recipe
    old = {"niter": 5, "batchSize": 2, "no_lsgan": True}
    (here / "checkpoints" / "theirs" / "train_opt.txt").write_text("".join(f"{k}: {v}\n" for k, v in old.items()))
    settings, _ = settings_of(read_options(here / "checkpoints" / "theirs"), "cyclegan")
    assert settings["epochs"] == 105 and settings["batch"] == 2 and settings["adversarial"] == "vanilla"
    _, notes = settings_of(
        {"lr_policy": "plateau", "preprocess": "scale_width", "lambda_A": 1.0, "lambda_B": 2.0}, "cyclegan"
    )
    assert len(notes) == 3


@pytest.mark.parametrize(
    ("options", "networks", "log", "sentence"),
    [
        ("model: colorization\n", {}, "", "--model colorization of that program has no counterpart"),
        ("gan_mode: wgangp\n", {}, "", "cannot go on here: --gan_mode wgangp"),
        ("norm: batch\n", {}, "", "cannot go on here: --norm batch"),
        (None, {}, "", "--dataset has to say where the pictures are"),
        ("dataroot: /nowhere\n", {}, "", "--dataset says where the pictures are now"),
        (LEAST, {"D_B": None}, "x", "has no network D_B"),
        (LEAST, {}, "", "no loss_log.txt to say how far it came"),
        (LEAST, {"G_A": {"norm": "instance_affine"}}, "x", "trains no such network"),
        (LEAST, {"G_B": {"in_channels": 1}}, "x", "channels"),
    ],
)  # fmt: skip
def test_what_has_no_counterpart_is_one_sentence_and_leaves_no_run(here, capsys, options, networks, log, sentence):
    there = cyclegan()
    for name, changed in networks.items():
        if changed:
            there[name] = build_generator({"name": "resnet", "width": 4, "blocks": 1} | changed)
        else:
            del there[name]
    made = folder(here, there, options, log)
    assert convert([str(made)]) == 2
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1
    assert not (here / "runs").exists()
    assert convert([str(made), "--epoch", "7"]) == 2
    assert "no weights of epoch 7: --epoch takes latest" in capsys.readouterr().err
