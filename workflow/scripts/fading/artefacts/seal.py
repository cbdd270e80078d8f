"""The seal of an artefact: a digest in its own header, of every other byte of the file and of what stands beside it."""

import hashlib
import zlib
from pathlib import Path

BLANK = hashlib.sha256(b"fading").hexdigest()  # stands where the digest will, and is found nowhere else
PNG = b"\x89PNG\r\n\x1a\n"


def seal(path: Path, *beside: Path) -> None:
    """Put the digest where a file has BLANK. Raises ValueError if it has none."""
    data = bytearray(path.read_bytes())
    _exchange(data, BLANK, _digest(data, beside))
    path.write_bytes(data)


def is_sealed(path: Path, digest: str, *beside: Path) -> bool:
    """Are the file and those beside it, byte for byte, what the digest in its header was made of?"""
    data = bytearray(path.read_bytes())
    try:
        _exchange(data, digest, BLANK)
    except ValueError:
        return False
    return _digest(data, beside) == digest


def _digest(data, beside):
    digest = hashlib.sha256(data)
    for path in beside:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _exchange(data, old, new):
    place = data.index(old.encode())
    data[place : place + len(old)] = new.encode()
    if data.startswith(PNG):  # its chunks carry a checksum each: that of the one with the digest changes with it
        begin, end = 0, len(PNG) - 4
        while end < place:
            begin = end + 4
            end = begin + 8 + int.from_bytes(data[begin : begin + 4], "big")
        data[end : end + 4] = zlib.crc32(data[begin + 4 : end]).to_bytes(4, "big")
