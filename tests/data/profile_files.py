"""Colour profiles made by hand, after the ICC's specification (ICC.1:2001-04): a wide gamut, and an ink printer."""

import struct

import numpy as np


def wide() -> bytes:
    """RGB with the primaries of Adobe RGB (1998), adapted to D50, and a gamma of 2.2."""
    primaries = {"r": (0.60974, 0.31111, 0.01947), "g": (0.20528, 0.62567, 0.06087), "b": (0.14919, 0.06322, 0.74457)}
    tags = {b"%cXYZ" % name.encode(): _xyz(value) for name, value in primaries.items()}
    tags |= {b"%cTRC" % name.encode(): b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256)) for name in primaries}
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags)


def ink() -> bytes:
    """CMYK to L*a*b* by the sixteen corners: lightness falls with every ink, and each pulls to a colour of its own."""
    corners = []
    for c, m, y, k in np.ndindex(2, 2, 2, 2):
        lightness = 100 * (1 - 0.3 * c) * (1 - 0.35 * m) * (1 - 0.05 * y) * (1 - 0.9 * k)
        a, b = (-35 * c + 70 * m - 5 * y) * (1 - k), (-45 * c - 5 * m + 90 * y) * (1 - k)
        corners += [round(lightness * 2.55), round(np.clip(a, -128, 127) + 128), round(np.clip(b, -128, 127) + 128)]
    straight = bytes(range(256))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0])
    table += struct.pack(">9i", *(65536 * int(i % 4 == 0) for i in range(9)))
    table += straight * 4 + bytes(corners) + straight * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table})


def _xyz(values) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    white = (0.9642, 1.0, 0.8249)
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(12) + bytes(67)
    tags = {b"desc": text, b"cprt": b"text\0\0\0\0test\0", b"wtpt": _xyz(white)} | tags
    place, directory, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        directory += name + struct.pack(">II", place + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = bytes(8) + b"\x02\x40\0\0" + kind + space + connection + struct.pack(">6H", 2020, 1, 1, 0, 0, 0)
    header += b"acsp" + bytes(28) + struct.pack(">3i", *(round(value * 65536) for value in white)) + bytes(48)
    whole = header + struct.pack(">I", len(tags)) + directory + body
    return struct.pack(">I", len(whole)) + whole[4:]
