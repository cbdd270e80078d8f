"""The scorecard in words: how many claims came out, which did not, and each with its numbers, in Markdown."""

import math

import pandas as pd

from fading.evidence.claims import CONTRADICTED, INCONCLUSIVE, LEVEL, NOISE, NOT_TESTED, SUPPORTED, VOID

WHOSE = {"paper": "The paper's claims", "ours": "Our own", "control": "Controls"}
KNOWING = {
    "nothing": "before any run",
    "prototypes": "after prototypes",
    "earlier results": "after earlier results",
}
HEADINGS = ("claim", "case", "estimate, one-sided 95 % bounds", "over", "threshold, fixed", "verdict", "has; needs")


def results(judged: pd.DataFrame) -> str:
    """The claims in Markdown: how many came out, which did not, and each with its numbers; by whose they are."""
    texts = ["because", *NOISE]  # a file has them empty
    judged = judged.assign(**judged[texts].astype(object).fillna(""))
    sections = [_counts(judged)]
    failed = judged[~judged.verdict.isin([SUPPORTED, NOT_TESTED])]
    if len(failed):
        sections.append("**What did not come out as claimed:**\n\n" + "\n".join(map(_failure, failed.itertuples())))
    tested = judged[judged.verdict != NOT_TESTED]
    for source, title in WHOSE.items():
        rows = tested[tested.source == source]
        if len(rows):
            sections.append(f"**{title}**\n\n{_table(rows)}")
    return "\n\n".join(sections)


def _counts(judged):
    lines = []
    for source, title in WHOSE.items():
        verdicts = judged.verdict[judged.source == source]
        counts = [f"{(verdicts == verdict).sum()} {verdict}" for verdict in (SUPPORTED, INCONCLUSIVE, CONTRADICTED)]
        counts += [f"{(verdicts == rare).sum()} {rare}" for rare in (VOID, NOT_TESTED) if (verdicts == rare).any()]
        lines.append(f"- {title} ({len(verdicts)}): {', '.join(counts)}.")
    of_noise = judged[[*NOISE]]
    asked = (~of_noise.isin(["", NOT_TESTED])).any(axis=1).sum()
    if asked:
        beaten = (of_noise == SUPPORTED).any(axis=1).sum()
        lines.append(
            f"- {asked} of these were judged with noise in the estimator's place too: {beaten} would be supported."
        )
    adjusted = judged[judged.p_holm.notna()]
    if len(adjusted):
        kept = (adjusted.p_holm <= LEVEL).sum()
        lines.append(f"- {kept} of the paper's are supported also after Holm's adjustment for how many they are.")
    return "\n".join(lines)


def _failure(row):
    numbers = f"{_estimate(row)}, where it would take {row.direction} {_plain(row.threshold)}"
    return f"- {row.sentence} *{row.verdict}* (`{row.case}`): {row.because or numbers}."


def _table(rows):
    lines = [f"| {' | '.join(HEADINGS)} |", "| --- " * len(HEADINGS) + "|"]
    for row in rows.itertuples():
        threshold = f"{row.direction} {_plain(row.threshold)}, {KNOWING[row.knowing]}"
        cells = (f"{row.assumption}: {row.sentence}", f"`{row.case}`", _estimate(row), row.over, threshold)
        adjusted = " (not after Holm)" if row.verdict == SUPPORTED and row.p_holm > LEVEL else ""
        lines.append(f"| {' | '.join([*cells, row.verdict + adjusted, _needed(row)])} |")
    return "\n".join(lines)


def _needed(row):
    if math.isnan(row.needed):
        return ""
    return f"{row.replicates:.0f}; {row.needed:.0f}" if math.isfinite(row.needed) else f"{row.replicates:.0f}; ∞"


def _estimate(row):
    return f"{_plain(row.estimate)} [{_plain(row.ci_low)}, {_plain(row.ci_high)}]"


def _plain(number):
    return f"{number:.3g}" if not 0.99 < abs(number) < 1 else f"{number:.4f}"
