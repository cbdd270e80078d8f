"""The scorecard in words: how many claims came out, which did not, and each with its numbers, in Markdown."""

import pandas as pd

from fading.errors import FadingError
from fading.evidence.claims import CONTRADICTED, INCONCLUSIVE, NOT_TESTED, SUPPORTED

WHOSE = {"paper": "of the paper's claims", "ours": "of our own", "control": "controls"}
BEGIN, END = "<!-- results: written by `snakemake scorecard` -->", "<!-- end of results -->"


def results(judged: pd.DataFrame) -> str:
    """The claims in Markdown: how many came out, which did not, and each with its numbers."""
    lines = []
    for source, whose in WHOSE.items():
        verdicts = judged.verdict[judged.source == source]
        counts = [f"{(verdicts == verdict).sum()} {verdict}" for verdict in (SUPPORTED, INCONCLUSIVE, CONTRADICTED)]
        untested = (verdicts == NOT_TESTED).sum()
        counts += [f"{untested} {NOT_TESTED}"] * bool(untested)
        lines.append(f"- {len(verdicts)} {whose}: {', '.join(counts)}.")
    judged = judged[judged.verdict != NOT_TESTED]
    failed = judged[judged.verdict != SUPPORTED]
    if len(failed):
        lines += ["", "**What did not come out as claimed:**", ""]
    for row in failed.itertuples():
        needed = f"where it would take {row.direction} {_plain(row.threshold)}"
        lines.append(f"- {row.sentence} *{row.verdict}* (`{row.case}`): {_estimate(row)}, {needed}.")
    for assumption, rows in judged.groupby("assumption", sort=False):
        lines += ["", f"| {assumption} | case | estimate, 95 % interval | threshold | verdict |", "| --- " * 5 + "|"]
        for row in rows.itertuples():
            threshold = f"{row.direction} {_plain(row.threshold)}"
            cells = [f"{row.sentence} ({row.source})", f"`{row.case}`", _estimate(row), threshold, row.verdict]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def with_results(page: str, judged: pd.DataFrame) -> str:
    """The page with its section of results made anew. Raises FadingError if it does not mark that section."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise FadingError(f"docs/results.md has no section of results: it begins with {BEGIN} and ends with {END}.")
    return f"{before}{begin}\n\n{results(judged)}\n\n{end}{after}"


def _estimate(row):
    return f"{_plain(row.estimate)} [{_plain(row.ci_low)}, {_plain(row.ci_high)}]"


def _plain(number):
    return f"{number:.3g}" if not 0.99 < abs(number) < 1 else f"{number:.4f}"
