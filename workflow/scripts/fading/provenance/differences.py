"""How do the artefacts and claims of two studies differ, and is it within tolerance?"""

from pathlib import Path

import numpy as np
import pandas as pd

from fading.artefacts import store
from fading.errors import FadingError

IDENTICAL, SAME, WITHIN, DIFFERENT, DAMAGED = "identical", "same content", "within tolerance", "different", "damaged"
ELSEWHERE = "only in one of them"
NUMBERS = {"relative": 1e-3, "absolute": 1e-6}  # a number agrees if it differs by less than either
PIXELS = 0.01  # a picture agrees if at most this share of its pixels differs
COLUMNS = ["file", "state", "difference", "tolerance"]


def compare_files(first: Path, second: Path) -> pd.DataFrame:
    """A row for each artefact that either folder holds: file, state, difference, tolerance.

    States: identical to the byte; the same content under another lineage; within tolerance; different; damaged; or in
    one folder only. `difference` is the largest relative one of numbers, or the share of pixels that
    differ; empty where there are other rows, names or shapes. A figure is compared by its PNG: its SVG draws the same.
    Raises FadingError if a folder holds no artefact.
    """
    ours, theirs = _artefacts(first), _artefacts(second)
    rows = [
        {"file": file, **_compared(first / file, second / file)}
        if file in ours & theirs
        else {"file": file, "state": ELSEWHERE}
        for file in sorted(ours | theirs)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def compare_claims(first: Path, second: Path) -> pd.DataFrame:
    """The claims of both studies: claim, direction, threshold, and estimate, ci_low, ci_high and verdict of either.

    Columns of the first end in _first, of the second in _second. Raises FadingError if either has no claims.
    """
    numbers = ["estimate", "ci_low", "ci_high", "verdict"]
    ours, theirs = (store.read(folder / "claims.csv") for folder in (first, second))
    return ours[["claim", "direction", "threshold", *numbers]].merge(
        theirs[["claim", *numbers]], on="claim", suffixes=("_first", "_second")
    )


def _artefacts(folder):
    kinds = store.HEADERS.keys() - {".svg", ".html"}
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix in kinds and path.is_file()}
    if not files:
        raise FadingError(f"{folder} holds no artefact; accepted is the folder of a study, or of its public results.")
    return files


def _compared(first, second):
    try:
        if store.sha256(first) == store.sha256(second) and _header(first) == _header(second):
            return {"state": IDENTICAL, "difference": 0.0}
        for path in (first, second):
            store.check(path)
    except (FadingError, OSError):
        return {"state": DAMAGED}
    if first.suffix == ".png":
        difference, tolerance = _pixels(first, second), PIXELS
    else:
        difference, tolerance = _numbers(_table(first), _table(second)), NUMBERS["relative"]
    state = SAME if difference == 0 else WITHIN if difference <= tolerance else DIFFERENT
    return {"state": state, "difference": difference, "tolerance": tolerance}


def _header(path):
    return store.sidecar(path).read_bytes() if path.suffix == ".csv" else None


def _table(path):
    """The columns of a frame, or the tensors of a file, by their names."""
    content = store.read(path)
    return {name: content[name].to_numpy() if isinstance(content, pd.DataFrame) else content[name] for name in content}


def _numbers(first, second):
    """The largest relative difference that also exceeds the absolute tolerance; NaN where anything else differs."""
    if first.keys() != second.keys() or any(first[name].shape != second[name].shape for name in first):
        return np.nan
    largest = 0.0
    for name in first:
        a, b = first[name], second[name]
        if not (np.issubdtype(a.dtype, np.number) and np.issubdtype(b.dtype, np.number)):
            if not pd.Series(a.ravel()).equals(pd.Series(b.ravel())):
                return np.nan
            continue
        finite = np.isfinite(a)
        if not np.array_equal(a[~finite], b[~np.isfinite(b)], equal_nan=True) or (finite != np.isfinite(b)).any():
            return np.nan
        a, b = a[finite].astype(float), b[finite].astype(float)
        apart, size = np.abs(a - b), np.maximum(np.abs(a), np.abs(b))
        beyond = apart > NUMBERS["absolute"]
        largest = max([largest, *(apart[beyond] / size[beyond])])
    return largest


def _pixels(first, second):
    from PIL import Image

    a, b = (np.asarray(Image.open(path).convert("RGB"), dtype=int) for path in (first, second))
    return np.nan if a.shape != b.shape else float((np.abs(a - b).max(-1) > 0).mean())
