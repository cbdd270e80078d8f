"""Claims and their verdicts: does the interval of a statistic lie beyond a threshold fixed beforehand?"""

import math

import pandas as pd

from fading.errors import FadingError

SUPPORTED, CONTRADICTED, INCONCLUSIVE = "supported", "contradicted", "inconclusive"
LAST = "last"


def verdict(low: float, high: float, threshold: float, direction: str) -> str:
    """Of an interval: supported if all of it is on the claim's side, contradicted if none, else inconclusive.

    `direction` is "at least" or "at most"; the threshold itself is on the claim's side. Raises FadingError for an
    interval that has no ends: missing data support nothing.
    """
    if math.isnan(low) or math.isnan(high):
        raise FadingError("There is no interval, since a single value has none; more seeds or examples are needed.")
    if direction == "at most":
        low, high, threshold = -high, -low, -threshold
    if low >= threshold:
        return SUPPORTED
    return CONTRADICTED if high < threshold else INCONCLUSIVE


def judge(claims: list[dict], tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The claims with estimate, ci_low, ci_high and verdict, a row each.

    Raises FadingError, naming the claim, unless exactly one row of its table is meant and that row has an interval.
    """
    return pd.DataFrame([_judged(claim, tables[claim["table"]]) for claim in claims])


def _judged(claim, table):
    where = {"case": claim["case"], **claim["where"]}
    name = f"config/claims.yaml: {claim['claim']}"
    unknown = [column for column in [*where, claim["statistic"], "ci_low", "ci_high"] if column not in table]
    if unknown:
        raise FadingError(f"{name}: found {', '.join(unknown)}; columns of {claim['table']} are {', '.join(table)}.")
    rows = table
    for column, value in sorted(where.items(), key=lambda item: item[1] == LAST):  # the last of what is left
        rows = rows[rows[column] == (rows[column].max() if value == LAST else value)]
    described = ", ".join(f"{column} {value}" for column, value in claim["where"].items())
    if len(rows) != 1:
        raise FadingError(
            f"{name}: found {len(rows)} rows of {claim['table']} with case {claim['case']}, {described}; "
            "accepted is exactly one."
        )
    row = rows.iloc[0]
    try:
        decided = verdict(row.ci_low, row.ci_high, claim["threshold"], claim["direction"])
    except FadingError as error:
        raise FadingError(f"{name}: {error}") from error
    return {
        "claim": claim["claim"],
        "source": claim["source"],
        "assumption": claim["assumption"],
        "case": claim["case"],
        "statistic": f"{claim['statistic']} in {claim['table']}: {described}",
        "estimate": row[claim["statistic"]],
        "ci_low": row.ci_low,
        "ci_high": row.ci_high,
        "direction": claim["direction"],
        "threshold": claim["threshold"],
        "verdict": decided,
        "sentence": claim["sentence"],
        "since": claim["since"],
        "reason": claim["reason"],
    }


def results(judged: pd.DataFrame) -> str:
    """The claims as a section of Markdown: what did not reproduce first, then all by what they are about."""
    lines = []
    for source, whose in (("paper", "of the paper's claims"), ("ours", "of our own"), ("control", "of the controls")):
        of_source = judged[judged.source == source]
        counts = [f"{(of_source.verdict == one).sum()} {one}" for one in (SUPPORTED, INCONCLUSIVE, CONTRADICTED)]
        if len(of_source):
            lines.append(f"- {len(of_source)} {whose}: {', '.join(counts)}.")
    failed = judged[judged.verdict != SUPPORTED]
    if len(failed):
        lines += ["", "**What did not come out as claimed:**", ""]
        lines += [f"- {_sentence(row)} *{row.verdict}*: {_numbers(row)}." for row in failed.itertuples()]
    for assumption, rows in judged.groupby("assumption", sort=False):
        lines += ["", f"| {assumption} | case | estimate and 95 % interval | threshold | verdict |"]
        lines += ["| --- | --- | --- | --- | --- |"]
        for row in rows.itertuples():
            estimate = f"{_plain(row.estimate)} [{_plain(row.ci_low)}, {_plain(row.ci_high)}]"
            cells = [_sentence(row), f"`{row.case}`", estimate, f"{row.direction} {_plain(row.threshold)}", row.verdict]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _sentence(row):
    return row.sentence.strip()


def _numbers(row):
    estimate = f"{_plain(row.estimate)} [{_plain(row.ci_low)}, {_plain(row.ci_high)}]"
    return f"{estimate}, where it would take {row.direction} {_plain(row.threshold)} (`{row.case}`)"


def _plain(number):
    return f"{number:.3g}" if abs(number) < 0.99 or abs(number) > 1.01 else f"{number:.5g}"
