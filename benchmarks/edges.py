"""Line art by a plain edge detector, to hold a translator colour → line against: ``edges.py IN OUT [--dilate 3]``.

Canny (OpenCV) on all three channels, black on white, lines thickened to ``--dilate`` pixels. Score the folder with
``python -m cyclegan.evaluate OUT --data sketch2emoji --direction BA --size 128``.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from cyclegan.data.finding import find_images
from cyclegan.data.images import read_image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pictures", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--low", type=int, default=100, help="Canny's lower threshold, 0 to 255")
    parser.add_argument("--high", type=int, default=200, help="Canny's upper threshold")
    parser.add_argument("--dilate", type=int, default=1, help="thickness of the lines in pixels")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    brush = np.ones((options.dilate, options.dilate), np.uint8)
    for path in find_images(options.pictures):
        channels = read_image(path).transpose(2, 0, 1)
        edges = [cv2.Canny(np.ascontiguousarray(channel), options.low, options.high) for channel in channels]
        lines = 255 - cv2.dilate(np.maximum.reduce(edges), brush)
        cv2.imwrite(str(options.out / f"{path.stem}.png"), lines)


if __name__ == "__main__":
    main()
