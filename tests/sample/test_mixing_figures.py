"""The figures of mixing: another colour moves only the colours, another place only the shapes."""

import numpy as np
from mixing import changes


def square(colour: tuple[int, int, int], top: int) -> np.ndarray:
    picture = np.full((32, 32, 3), 255, np.uint8)
    picture[top : top + 12, 8:20] = colour
    return picture


def test_another_colour_is_no_other_shape_and_another_place_no_other_colour():
    red = square((200, 30, 30), 4)
    assert changes(red, red) == (0, 0, 0)
    assert changes(red, square((30, 160, 30), 4)) == (1, 0, 0)
    colours, silhouette, edges = changes(red, square((200, 30, 30), 16))
    assert (colours, silhouette) == (0, 1) and edges > 0.8
    half = changes(red, square((200, 30, 30), 10))
    assert half[0] == 0 and abs(half[1] - (1 - 6 / 18)) < 1e-9
