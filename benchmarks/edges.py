"""Line art by plain filters, to hold a translator photo → drawing against: ``edges.py IN OUT [--dilate 3]``.

Canny (OpenCV) on all three channels, black on white, lines thickened to ``--dilate`` pixels; with ``--pencil``
OpenCV's pencil sketch in grey (Gastal & Oliveira 2011). Score the folder with
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
    parser.add_argument("--pencil", action="store_true", help="OpenCV's pencilSketch with its defaults, not Canny")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    brush = np.ones((options.dilate, options.dilate), np.uint8)
    for path in find_images(options.pictures):
        picture = read_image(path)
        if options.pencil:
            lines, _ = cv2.pencilSketch(picture)
        else:
            channels = [np.ascontiguousarray(channel) for channel in picture.transpose(2, 0, 1)]
            edges = [cv2.Canny(channel, options.low, options.high) for channel in channels]
            lines = 255 - cv2.dilate(np.maximum.reduce(edges), brush)
        cv2.imwrite(str(options.out / f"{path.stem}.png"), lines)


if __name__ == "__main__":
    main()
