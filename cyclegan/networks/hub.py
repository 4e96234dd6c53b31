"""Hugging Face: fetch a generator from a repository, and the page (README.md) of one that is uploaded."""

import json
from pathlib import Path
from typing import Any

from cyclegan.system.errors import UserError


def download(repository: str, file: str, **options: Any) -> Path:
    """The local path of ``file`` from the repository OWNER/NAME, cached by ``huggingface_hub``.

    ``options`` are those of ``hf_hub_download``. Raises ``UserError`` with one sentence.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError, RepositoryNotFoundError

    try:
        return Path(hf_hub_download(repository, file, **options))
    except RepositoryNotFoundError as error:
        raise UserError(
            f"there is no folder {repository}, and no such repository on Hugging Face (or it is private: log in first)"
        ) from error
    except LocalEntryNotFoundError as error:
        raise UserError(f"there is no folder {repository}, and Hugging Face could not be reached for it") from error
    except EntryNotFoundError as error:
        raise UserError(f"the repository {repository} on Hugging Face has no {file}") from error
    except (OSError, ValueError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(f"could not fetch {repository} from Hugging Face: {reason}") from error


# Model → how it was trained, and its paper, for the page of a repository.
_PAPERS = {
    "cyclegan": (
        "without pairs",
        "Zhu, Park, Isola, Efros: [Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial\n"
        "Networks](https://arxiv.org/abs/1703.10593)",
    ),
    "cut": (
        "without pairs",
        "Park, Efros, Zhang, Zhu: [Contrastive Learning for Unpaired Image-to-Image\n"
        "Translation](https://arxiv.org/abs/2007.15651)",
    ),
    "pix2pix": (
        "on pairs",
        "Isola, Zhu, Zhou, Efros: [Image-to-Image Translation with Conditional Adversarial\n"
        "Networks](https://arxiv.org/abs/1611.07004)",
    ),
}
_TITLES = {"cyclegan": "CycleGAN", "cut": "CUT", "pix2pix": "pix2pix"}


def _model_of(header: dict) -> str:
    """Which model trained a translator: as its weights say, else by its network."""
    foreign = "pix2pix" if header["architecture"].get("norm") == "batch_statistics" else "cyclegan"
    said = header["provenance"].get("model")
    return said if said in _PAPERS else foreign


def readme(header: dict, direction: str) -> str:
    """The page of a repository that holds the generator with this header, as Markdown with the hub's metadata."""
    from huggingface_hub import ModelCardData

    source, target = header["domains"]
    architecture = dict(header["architecture"])
    provenance, model = header["provenance"], _model_of(header)
    how, paper = _PAPERS[model]
    licence = {"license": "other", "license_name": provenance["licence"]} if "licence" in provenance else {}
    metadata = ModelCardData(
        library_name="cyclegan-toolkit",
        pipeline_tag="image-to-image",
        tags=[model, "image-to-image", "paired" if how == "on pairs" else "unpaired", architecture["name"]],
        **licence,
    )
    rows = {"Architecture": json.dumps(architecture), "Trained at": f"{header['size'] or 'unknown'} pixels"}
    rows |= {key.replace("_", " ").capitalize(): str(value) for key, value in provenance.items()}
    table = "\n".join(f"| {key} | {value.replace('|', '/')} |" for key, value in rows.items())
    reverse = ", reverse=True" if direction == "G_BA" else ""
    chosen = '\ntranslate("picture.jpg", palette="red, gold").save("red.png")' if "palettes" in header else ""
    return f"""---
{metadata.to_yaml()}
---

# {source} → {target}

A {_TITLES[model]} generator that translates pictures of {source} into pictures of {target}. It was trained {how}
({paper}).

```python
from cyclegan import Translator

translate = Translator.from_pretrained("OWNER/NAME"{reverse})  # this repository
translate("picture.jpg").save("translated.png"){chosen}
```

The file `{direction}.safetensors` says by itself how the network is built; `G_AB` leads from the first domain to the
second and `G_BA` back.

| | |
|---|---|
{table}
"""
