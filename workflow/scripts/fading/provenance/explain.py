"""A claim in words: what it says, its numbers and where they stand, what it stands on, and what would turn it."""

import math
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from fading.artefacts import store
from fading.errors import FadingError
from fading.evidence.claims import INCONCLUSIVE, LEVEL, NOISE, NOT_TESTED, PAPER, SUPPORTED, VOID, meant
from fading.evidence.scorecard import KNOWING

CLAIMS = "claims.csv"
OF = {PAPER: "a claim of the paper's", "ours": "a claim of our own", "control": "a control"}


def explain(folder: Path, name: str) -> Iterator[str]:
    """Lines on one claim as a study's folder, or its committed reference, has it.

    Raises FadingError if the folder has no claims, or none of that name.
    """
    file = folder / CLAIMS
    judged = store.read(file).set_index("claim", drop=False)
    claims = {claim["claim"]: claim for claim in store.lineage(file)["settings"]["claims"]}
    if name not in judged.index or name not in claims:
        alike = get_close_matches(name, judged.index, n=5, cutoff=0) if name else judged.index[:5]
        raise FadingError(f"{file} has no claim {name}; of its {len(judged)} the nearest are {', '.join(alike)}.")
    row, claim = judged.loc[name], claims[name]
    yield f"{name}: {row.verdict}"
    yield f"  {row.sentence}"
    yield f"  {OF[row.source]}, on {row.assumption}, of the case {row.case}"
    if row.verdict == NOT_TESTED:
        yield "  the study has no such number, or no interval of it"
        return
    yield from _numbers(folder, row, claim)
    for other in claim.get("given", []):
        yield f"  stands on {other}: {judged.verdict[other]}"
    if row.verdict == VOID and isinstance(row.because, str):
        yield f"  void since {row.because}"
    for noise in NOISE:
        if isinstance(row[noise], str):
            yield f"  with {noise} in the estimator's place: {row[noise]}"
    yield f"  threshold fixed on {row.since}, {KNOWING[row.knowing]}: {row.reason}"


def _numbers(folder, row, claim):
    sign = 1 if row.direction == "at least" else -1
    bound = row.ci_low if sign > 0 else row.ci_high
    yield f"  {row.statistic}"
    yield f"  {row.estimate:.4g} [{row.ci_low:.4g}, {row.ci_high:.4g}], one-sided 95 % bounds over {row.over}"
    yield f"  it takes {row.direction} {row.threshold:g}: p = {row.p:.2g}" + _adjusted(row)
    spare = sign * (bound - row.threshold)
    if row.verdict == SUPPORTED:
        yield f"  an estimate {spare:.2g} nearer to the threshold, of the same scatter, would not be enough"
    elif row.verdict == INCONCLUSIVE:
        enough = f"{row.needed:.0f}" if math.isfinite(row.needed) else "no number of them"
        yield f"  has {row.replicates:.0f} replicates; {enough} would decide it if the estimate were the truth"
    yield from _place(folder, claim)


def _adjusted(row):
    if row.p_holm != row.p_holm:
        return ""
    enough = row.verdict != SUPPORTED or row.p_holm <= LEVEL
    return f", {row.p_holm:.2g} after Holm's adjustment" + ("" if enough else ", which is not enough")


def _place(folder, claim):
    file = folder / f"tables/{claim['table']}.csv"
    if file.is_file():
        try:
            rows, _ = meant(claim, store.read(file))
        except FadingError as error:
            yield f"  {error}"
            return
        if rows.empty:
            yield f"  judged on a row that {file} has no longer"
            return
        yield f"  judged on line {rows.index[0] + 2} of {file}, column {claim['column']}"
