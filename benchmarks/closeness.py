"""Who is told that his picture is of another kind: ``closeness.py TRANSLATOR OWN KIND=FOLDER … [--reverse]``.

The folder ``OWN`` holds test pictures of the kind that the translator learned from: the share of them that is told is
that of false alarms. Then comes the same share for each other kind, and what the score of one picture costs beside its
translation at the size of the training, in processor time of one thread.
"""

import argparse
import time
from pathlib import Path
from statistics import median

import torch

from cyclegan import Translator
from cyclegan.data.finding import find_images
from cyclegan.data.images import open_image
from cyclegan.system.errors import UserError

TIMED = 9


def told(translator: Translator, folder: Path, most: int | None) -> tuple[int, int]:
    """How many of the first ``most`` pictures of a folder are told to be of another kind, and how many these are."""
    files = find_images(folder)[:most]
    return sum(translator.closeness(file).far for file in files), len(files)


def seconds(work) -> float:
    """The median of ``TIMED`` runs after one that does not count."""
    taken = []
    for _ in range(TIMED + 1):
        start = time.thread_time()
        work()
        taken.append(time.thread_time() - start)
    return median(taken[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("translator")
    parser.add_argument("own", type=Path)
    parser.add_argument("kinds", nargs="*", help="KIND=FOLDER")
    parser.add_argument("--most", type=int, help="pictures of each other kind; all by default")
    parser.add_argument("--reverse", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    translator = Translator.from_pretrained(options.translator, options.reverse, "cpu")
    first = find_images(options.own)[0]
    if translator.closeness(first) is None:
        raise UserError(f"{options.translator} has no summary of its training pictures, or the extra quick is missing")
    print(f"{' → '.join(translator.domains)}, threshold {translator.closeness(first).threshold}")
    folders = {f"{translator.domains[0]} (false alarms)": options.own}
    folders |= {kind: Path(folder) for kind, folder in (entry.split("=", 1) for entry in options.kinds)}
    for kind, folder in folders.items():
        count, total = told(translator, folder, None if folder == options.own else options.most)
        print(f"{kind:28} {count:4} of {total:4}  {count / total:6.1%}", flush=True)
    picture = open_image(first).resize((translator.size, translator.size))
    score, translation = (seconds(lambda work=work: work(picture)) for work in (translator.closeness, translator))
    print(f"the score takes {score:.3f} s, {score / translation:.2f} of the translation's {translation:.3f} s")


if __name__ == "__main__":
    main()
