"""Compare two studies: two machines, two versions, or a run and the committed reference."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from fading.evidence.claims import margin
from fading.plan.checks import RESERVED
from fading.provenance import differences
from fading.provenance.differences import DAMAGED, DIFFERENT, ELSEWHERE, IDENTICAL, NUMBERS, PIXELS, SAME, WITHIN

KINDS = {".png": "figures", ".csv": "tables", ".parquet": "intermediate tables", ".safetensors": "tensors"}
COLOURS = {IDENTICAL: "0.75", SAME: "0.6", WITHIN: "C0", DIFFERENT: "C1", DAMAGED: "C3", ELSEWHERE: "0.9"}


def compare(first: Path, second: Path) -> Iterator[str]:
    """What differs, as lines; writes <first>-against-<second>.csv and .png beside the folder `first`, if it may.

    Raises FadingError if a folder holds no artefacts, or no claims.
    """
    files, claims = differences.compare_files(first, second), differences.compare_claims(first, second)
    counts = files.state.value_counts()
    yield f"{len(files)} files: {', '.join(f'{count} {state}' for state, count in counts.items())}"
    yield (
        f"(numbers agree within {NUMBERS['relative']:g} of their size or {NUMBERS['absolute']:g}; "
        f"pictures, where at most {PIXELS:.0%} of the pixels differ)"
    )
    for row in files[files.state.isin([DIFFERENT, DAMAGED])].itertuples():
        yield f"{row.state}: {row.file}" + (f", by up to {row.difference:.2g}" if row.difference > 0 else "")
    changed = claims[claims.verdict_first != claims.verdict_second]
    yield f"{len(claims)} claims of both: {len(changed)} with another verdict"
    for row in changed.itertuples():
        yield f"{row.claim}: {row.verdict_first} in {first}, {row.verdict_second} in {second}"
    target = Path(os.path.abspath(first)).parent / f"{_called(first)}-against-{_called(second)}"
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".part-") as folder:  # what is there may be a link
            table, figure = Path(folder, "a.csv"), Path(folder, "a.png")
            files.to_csv(table, index=False, lineterminator="\n", float_format="%.3g")
            _draw(files, claims, first, second, figure)
            os.replace(table, f"{target}.csv")
            os.replace(figure, f"{target}.png")
    except OSError as error:  # a disk to read from alone
        yield f"not written: {error}"
    else:
        yield f"written: {target}.csv and .png"


def _called(folder):
    folder = Path(os.path.abspath(folder))
    return f"{RESERVED}-{folder.name}" if folder.parent.name == RESERVED else folder.name


def _draw(files, claims, first, second, path):
    from matplotlib import pyplot as plt
    from matplotlib.ticker import NullLocator

    from fading.figures import style

    style.apply()
    height = 0.22 * len(claims)
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(style.WIDTH, height + 2.6), height_ratios=[1.1, height], layout="constrained"
    )
    kinds = files.file.map(lambda file: KINDS[Path(file).suffix])
    counts = pd.crosstab(kinds, files.state).reindex(
        index=[kind for kind in KINDS.values() if kind in set(kinds)][::-1],
        columns=[state for state in COLOURS if state in set(files.state)],
    )
    left = np.zeros(len(counts))
    for state in counts:
        above.barh(counts.index, counts[state], left=left, color=COLOURS[state], label=state)
        left += counts[state].to_numpy()
    above.set(xlabel="files", title=f"{first} against {second}")
    above.legend(loc="upper left", bbox_to_anchor=(1, 1))
    rows = -np.arange(len(claims))
    for suffix, folder, shift, marker in (("first", first, 0.15, "o"), ("second", second, -0.15, "D")):
        low, middle, high = (margin(claims, f"{name}_{suffix}") for name in ("ci_low", "estimate", "ci_high"))
        colour = style.PALETTE[0 if suffix == "first" else 1]
        below.hlines(rows + shift, np.minimum(low, high), np.maximum(low, high), color=colour, lw=1.2)
        below.scatter(middle, rows + shift, s=12, marker=marker, color=colour, label=str(folder))
    below.axvline(0, color="0.3", lw=0.8, zorder=0)
    below.set_xscale("symlog", linthresh=0.1)
    below.xaxis.set_minor_locator(NullLocator())
    below.set(
        xlabel="distance of the estimate from its threshold, positive on the claim's side, with one-sided 95 % bounds",
        ylim=(-len(claims) + 0.3, 0.7),
    )
    changed = claims.verdict_first != claims.verdict_second
    below.set_yticks(rows, claims.claim.where(~changed, claims.claim + " (another verdict)"), fontsize=6)
    for label in np.array(below.get_yticklabels())[changed]:
        label.set(color=style.PALETTE[3], fontweight="bold")
    below.legend(loc="upper left", bbox_to_anchor=(1, 1))
    figure.savefig(path)
    plt.close(figure)
