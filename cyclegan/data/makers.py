"""Data sets that are made on the spot instead of downloaded."""

from collections.abc import Callable
from pathlib import Path

from cyclegan.data.emoji import make_emoji, make_emoji2night, make_sketch2emoji
from cyclegan.data.slanted import make_slanted

# A card's `maker` → a function that fills a new folder.
MAKERS: dict[str, Callable[[Path], None]] = {
    "emoji2night": make_emoji2night,
    "emoji": make_emoji,
    "sketch2emoji": make_sketch2emoji,
    "slanted": make_slanted,
}
