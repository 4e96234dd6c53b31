"""The options of pytorch-CycleGAN-and-pix2pix and of CUT's program, from the file that they write, as settings here."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cyclegan.system.errors import UserError

FILES = ("train_opt.txt", "opt.txt")  # the second by versions before 2019
_LINE = re.compile(r"^\s*(\w+): (.*?)\s*(\t\[default: .*\])?$")
_OLD = {"niter": "n_epochs", "niter_decay": "n_epochs_decay", "batchSize": "batch_size", "loadSize": "load_size",
        "fineSize": "crop_size", "which_direction": "direction", "which_model_netG": "netG", "which_model_netD": "netD",
        "resize_or_crop": "preprocess"}  # fmt: skip

MODELS = {"cycle_gan": "cyclegan", "pix2pix": "pix2pix", "cut": "cut"}
_SAME = {"lr": "lr", "beta1": "beta1", "batch_size": "batch", "crop_size": "size", "load_size": "load",
         "ndf": "width_D"}  # fmt: skip
_SAME_OF = {
    "cyclegan": {"lambda_A": "lambda_cycle", "lambda_B": "lambda_cycle_B", "pool_size": "pool"},
    "pix2pix": {"lambda_L1": "lambda_L1"},
    "cut": {
        "lambda_GAN": "lambda_adversarial",
        "lambda_NCE": "lambda_nce",
        "nce_idt": "nce_identity",
        "flip_equivariance": "flip_equivariance",
        "num_patches": "patches",
        "nce_T": "temperature",
        "beta2": "beta2",
    },
}
_POLICIES = {"linear": "linear", "lambda": "linear", "step": "step", "cosine": "cosine", "plateau": "constant"}

Options = dict[str, Any]


def read_options(folder: Path) -> Options:
    """The options that a checkpoint folder was trained with, under their names of today; {} where it has no such file.

    Numbers and truth values come as such. Raises OSError.
    """
    path = next((folder / name for name in FILES if (folder / name).is_file()), None)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path else []
    found = {m[1]: _value(m[2]) for line in lines if (m := _LINE.match(line))}
    return {_OLD.get(name, name): value for name, value in found.items()}


def model_of(options: Options, networks: set[str]) -> str:
    """The model here that such a folder trained; by its networks where no options say so. Raises ``UserError``."""
    by_networks = "cycle_gan" if "G_A" in networks else "cut" if "F" in networks else "pix2pix"
    theirs = options.get("model", by_networks)
    if theirs not in MODELS:
        raise UserError(f"--model {theirs} of that program has no counterpart here: {', '.join(MODELS)} have")
    return MODELS[theirs]


def settings_of(options: Options, model: str) -> tuple[dict[str, Any], list[str]]:
    """The settings of ``model`` that say the same, and lines about what has no counterpart.

    The generator's own follow from its weights, see ``train.init.settings_of``. Raises ``UserError`` for a training
    that cannot go on here.
    """
    get = options.get
    refused = [
        (get("gan_mode") == "wgangp", "--gan_mode wgangp, which trains there without its gradient penalty"),
        (get("netD", "basic") not in ("basic", "n_layers", "pixel"), f"--netD {get('netD')}"),
        (get("netD") == "pixel" and model != "cyclegan", "--netD pixel"),
        (model == "cut" and get("netF", "mlp_sample") != "mlp_sample", f"--netF {get('netF')}"),
        (model == "cut" and get("nce_layers", "0,4,8,12,16") != "0,4,8,12,16", f"--nce_layers {get('nce_layers')}"),
        (model == "cut" and get("netF_nc", 256) != 256, f"--netF_nc {get('netF_nc')}"),
        (model == "cut" and get("direction") == "BtoA", "--direction BtoA with CUT, which leads from A to B here: let "
         "folders = [...] on the data set's card.toml name its B first, and set direction: AtoB in train_opt.txt"),
        (not set(_norms(options, model)) <= _known_norms(model), f"--norm {' and '.join(_norms(options, model))}"),
    ]  # fmt: skip
    for is_so, what in refused:
        if is_so:
            said = "its generators translate here all the same: convert them one by one"
            raise UserError(f"this training cannot go on here: {what}; {said}")
    same = _SAME | _SAME_OF[model]
    settings = {ours: options[theirs] for theirs, ours in same.items() if theirs in options}
    settings |= _discriminators(options, model) | _lengths(options)
    if model == "cyclegan":
        weight = settings.setdefault("lambda_cycle", 10.0)
        settings["lambda_identity"] = get("lambda_identity", 0.5) * weight  # theirs is relative
        if settings.get("lambda_cycle_B") == weight:
            del settings["lambda_cycle_B"]
    if model == "pix2pix":
        settings["direction"] = "BA" if get("direction") == "BtoA" else "AB"
    settings["flip"] = not get("no_flip", False)
    return settings, list(_notes(options, settings))


def _discriminators(options: Options, model: str) -> dict[str, Any]:
    kind = options.get("netD", "basic")
    found: dict[str, Any] = {}
    if model == "cyclegan" and kind == "pixel":
        found["discriminator"] = "pixel"
    if kind == "n_layers":
        found["layers"] = options.get("n_layers_D", 3)
    losses = {"cyclegan": "lsgan", "pix2pix": "vanilla", "cut": "lsgan"}
    found["adversarial"] = "vanilla" if options.get("no_lsgan") else options.get("gan_mode", losses[model])
    return found


def _lengths(options: Options) -> dict[str, Any]:
    """Epochs and the learning rate over them: the constant ones and those in which it falls."""
    constant, falling = options.get("n_epochs", 100), options.get("n_epochs_decay", 100)
    kind = _POLICIES.get(options.get("lr_policy", "linear"), "linear")
    found = {"epochs": max(1, constant + falling), "lr_schedule": kind}
    if kind == "linear" and not falling:
        return found | {"lr_schedule": "constant"}
    return found | {"constant": constant / (constant + falling)}


def _norms(options: Options, model: str) -> list[str]:
    default = "batch" if model == "pix2pix" else "instance"
    return sorted({options.get(name, default) for name in (("normG", "normD") if model == "cut" else ("norm",))})


def _known_norms(model: str) -> set[str]:
    return {"batch"} if model == "pix2pix" else {"instance"}


def _notes(options: Options, settings: dict[str, Any]) -> Iterator[str]:
    """What is not carried over, a line each."""
    if options.get("lr_policy") == "plateau":
        yield "--lr_policy plateau: the learning rate stays constant here"
    if options.get("preprocess", "resize_and_crop") != "resize_and_crop":
        load = settings.get("load", 286)
        yield f"--preprocess {options['preprocess']}: pictures become {load} × {load} pixels here, then a random crop"
    if options.get("max_dataset_size", float("inf")) != float("inf"):
        yield "--max_dataset_size: all pictures are used here"
    if options.get("serial_batches"):
        yield "--serial_batches: the order of the pictures is random here"
    if "lambda_cycle_B" in settings and settings.get("lambda_identity"):
        weight = settings["lambda_identity"]
        yield f"the identity loss weighs {weight:g} both ways here, and there as --lambda_A and --lambda_B do"


def _value(text: str) -> Any:
    if text in ("True", "False", "None"):
        return {"True": True, "False": False, "None": None}[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
