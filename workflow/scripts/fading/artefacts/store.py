"""Read and write artefacts. Each carries, in its own header, the lineage that says how it was made, and a seal.

Formats follow the suffix: .safetensors (a dict of arrays), .parquet and .csv (a data frame), .png and .svg (a figure).
The same content and lineage give the same bytes. A CSV has no header to hide anything in, so its lineage stands beside
it in <name>.csv.json. The seal covers content and lineage: a change of either shows in the file alone. Nothing here can
execute what it reads.
"""

import hashlib
import json
import os
from pathlib import Path
from xml.etree import ElementTree

from fading.artefacts.seal import BLANK, is_sealed, seal
from fading.errors import FadingError

KEY = "fading"
LINEAGE = {"path", "rule", "wildcards", "settings", "inputs", "code", "lock", "versions", "device", "threads"}
DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"


def sha256(path) -> str:
    """Hexadecimal sha256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(path, content, lineage: dict) -> None:
    """Write an artefact whole or not at all; `content` is what the suffix calls for (see the module)."""
    path = Path(path)
    writer = _format(path, WRITERS)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".part-{path.name}")
    text = json.dumps({**lineage, "digest": BLANK}, sort_keys=True)
    try:
        writer(part, content, text)
        seal(*_with_header(part))
        if path.suffix == ".csv":
            _replace(sidecar(part), sidecar(path))
        _replace(part, path)
    finally:
        part.unlink(missing_ok=True)
        sidecar(part).unlink(missing_ok=True)


def _replace(part, path):
    """Whole on the disk before it has its name, so that when power goes there is the old, the new or none."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(part, path)


def read(path):
    """The content of an artefact: a dict of arrays or a data frame.

    Raises FadingError if the file can't be read or is not, byte for byte, as it was written.
    """
    check(path)
    return _guarded(path, READERS)


def check(path) -> None:
    """Raise FadingError unless an artefact is, byte for byte, as it was written."""
    digest = _header(path).get("digest")
    header, *beside = _with_header(Path(path))
    if not isinstance(digest, str) or not digest:
        raise FadingError(f"{path} carries no seal: it was written by an earlier version, or was rewritten since.")
    if not is_sealed(header, digest, *beside):
        raise FadingError(f"{path} is not as it was written: its content or lineage does not match its seal.")


def lineage(path) -> dict:
    """The lineage in an artefact's header. Raises FadingError if there is none."""
    return {key: value for key, value in _header(path).items() if key != "digest"}


def sidecar(path: Path) -> Path:
    """Where the lineage of a CSV stands."""
    return path.with_name(path.name + ".json")


def _header(path):
    header = _guarded(path, HEADERS)
    if not isinstance(header, dict) or not header.keys() >= LINEAGE:
        raise FadingError(f"{path} carries no lineage: it was not written by this study, or was rewritten since.")
    return header


def _with_header(path):
    """The file that holds the header, and the content's where that is another."""
    return (sidecar(path), path) if path.suffix == ".csv" else (path,)


def _guarded(path, table):
    path = Path(path)
    function = _format(path, table)
    if not path.is_file():
        raise FadingError(f"{path} does not exist.")
    try:
        return function(path)
    except FadingError:
        raise
    except Exception as error:  # every format's library has its own exceptions for a damaged file
        said = " ".join(str(error).split())
        raise FadingError(f"{path} is not a readable {path.suffix} file: {said}.") from error


def _format(path, table):
    if path.suffix not in table:
        raise FadingError(f"{path} is not an artefact: its suffix is none of {', '.join(table)}.")
    return table[path.suffix]


def _parse(text):
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return None  # somebody else's description


def _write_tensors(path, arrays, lineage):
    import numpy
    from safetensors.numpy import save_file

    path.touch()  # by the user's mask: the library gives its files to their owner alone
    mode = path.stat().st_mode
    save_file({name: numpy.ascontiguousarray(array) for name, array in arrays.items()}, path, {KEY: lineage})
    path.chmod(mode)


def _read_tensors(path):
    from safetensors.numpy import load_file

    return load_file(path)


def _tensors_header(path):
    from safetensors import safe_open

    with safe_open(path, "numpy") as file:
        return _parse((file.metadata() or {}).get(KEY))


def _write_parquet(path, frame, lineage):
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.Table.from_pandas(frame, preserve_index=False)
    with parquet.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({KEY: lineage})


def _read_parquet(path):
    from pyarrow import parquet

    return parquet.read_table(path).to_pandas()


def _parquet_header(path):
    from pyarrow import parquet

    return _parse(parquet.read_metadata(path).metadata.get(KEY.encode()))


def _write_csv(path, frame, lineage):
    frame.to_csv(path, index=False, lineterminator="\n", float_format="%.9g")
    sidecar(path).write_text(lineage + "\n")


def _read_csv(path):
    import pandas

    return pandas.read_csv(path)


def _csv_header(path):
    return _parse(sidecar(path).read_text() if sidecar(path).is_file() else None)


def _write_png(path, figure, lineage):
    figure.savefig(path, metadata={KEY: lineage})


def _png_header(path):
    from PIL import Image

    with Image.open(path) as image:
        return _parse(image.info.get(KEY))


def _write_svg(path, figure, lineage):
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": KEY}):
        figure.savefig(path, metadata={"Description": lineage, "Date": None})


def _svg_header(path):
    return _parse(ElementTree.parse(path).getroot().findtext(f".//{DESCRIPTION}"))


WRITERS = {
    ".safetensors": _write_tensors,
    ".parquet": _write_parquet,
    ".csv": _write_csv,
    ".png": _write_png,
    ".svg": _write_svg,
}
READERS = {".safetensors": _read_tensors, ".parquet": _read_parquet, ".csv": _read_csv}
HEADERS = {
    ".safetensors": _tensors_header,
    ".parquet": _parquet_header,
    ".csv": _csv_header,
    ".png": _png_header,
    ".svg": _svg_header,
}
