"""Pictures side by side with captions: sample grids, demo results, contact sheets."""

import math

from PIL import Image, ImageDraw, ImageFont

GAP, MARGIN = 4, 12
INK, PAPER = (40, 40, 48), (255, 255, 255)


def sheet(blocks: dict[str, list[list[Image.Image]]], cell: int | None = None) -> Image.Image:
    """Blocks of pictures beside one another, each under its title: title → rows of equally many pictures.

    ``cell`` is the side in pixels that every picture is fitted into; by default that of the largest one.
    """
    pictures = [p for rows in blocks.values() for row in rows for p in row]
    cell = cell or max(max(p.size) for p in pictures)
    letters = max(13, cell // 9)
    font = ImageFont.load_default(size=letters)
    head = letters + 2 * GAP
    widths = [len(rows[0]) * (cell + GAP) - GAP for rows in blocks.values()]
    height = max(map(len, blocks.values())) * (cell + GAP) - GAP
    size = (sum(widths) + MARGIN * (len(widths) + 1), height + head + 2 * MARGIN)
    canvas = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(canvas)
    left = MARGIN
    for (title, rows), width in zip(blocks.items(), widths, strict=True):
        title = title.replace("→", ">")  # the font that comes with Pillow has no arrow
        draw.text((left + width / 2, MARGIN + letters / 2), title, INK, font, anchor="mm")
        for i, row in enumerate(rows):
            for j, picture in enumerate(row):
                place = (left + j * (cell + GAP), MARGIN + head + i * (cell + GAP))
                _put(canvas, picture, place, cell)
        left += width + MARGIN
    return canvas


def grid(pictures: list[Image.Image], columns: int | None = None) -> Image.Image:
    """Pictures of one size in rows, as near to a square as they go, with a gap between them; white behind."""
    columns = columns or math.ceil(math.sqrt(len(pictures)))
    width, height = pictures[0].size
    gap = max(1, width // 32)
    rows = math.ceil(len(pictures) / columns)
    canvas = Image.new("RGB", (columns * (width + gap) + gap, rows * (height + gap) + gap), PAPER)
    for i, picture in enumerate(pictures):
        place = gap + i % columns * (width + gap), gap + i // columns * (height + gap)
        canvas.paste(picture.convert("RGB"), place)
    return canvas


def _put(canvas: Image.Image, picture: Image.Image, place: tuple[int, int], cell: int) -> None:
    scale = cell / max(picture.size)
    size = [max(1, round(side * scale)) for side in picture.size]
    if tuple(size) != picture.size:
        picture = picture.resize(size, Image.Resampling.BICUBIC)
    canvas.paste(picture.convert("RGB"), (place[0] + (cell - size[0]) // 2, place[1] + (cell - size[1]) // 2))
