"""Claims and their verdicts: does the interval of a statistic lie beyond a threshold fixed beforehand?"""

import math

import pandas as pd

from fading.errors import FadingError

SUPPORTED, CONTRADICTED, INCONCLUSIVE = "supported", "contradicted", "inconclusive"
LAST = "last"
WHOSE = {"paper": "of the paper's claims", "ours": "of our own", "control": "controls"}
COLUMNS = (
    *("claim", "source", "assumption", "case", "statistic", "estimate", "ci_low", "ci_high"),
    *("direction", "threshold", "verdict", "sentence", "since", "reason"),
)
BEGIN, END = "<!-- results: written by `snakemake readme` -->", "<!-- end of results -->"


def verdict(low: float, high: float, threshold: float, direction: str) -> str:
    """Of an interval: supported if all of it is on the claim's side, contradicted if none, else inconclusive.

    `direction` is "at least" or "at most"; the threshold itself is on the claim's side. Raises FadingError for an
    interval without finite ends: missing data support nothing.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        raise FadingError(
            f"The interval from {low} to {high} is none; accepted are finite ends, of two values or more."
        )
    if direction == "at most":
        low, high, threshold = -high, -low, -threshold
    if low >= threshold:
        return SUPPORTED
    return CONTRADICTED if high < threshold else INCONCLUSIVE


def judge(claims: list[dict], tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The claims with estimate, ci_low, ci_high and verdict, a row each.

    The interval of a statistic is in the columns named after it with _low and _high, else in ci_low and ci_high. Raises
    FadingError, naming the claim, unless exactly one row of its table is meant and that row has an interval.
    """
    return pd.DataFrame([_judged(claim, tables[claim["table"]]) for claim in claims], columns=COLUMNS)


def _judged(claim, table):
    where = {"case": claim["case"], **claim["where"]}
    name = f"config/claims.yaml: {claim['claim']}"
    own = [f"{claim['statistic']}_{end}" for end in ("low", "high")]
    ends = own if set(own) <= set(table) else ["ci_low", "ci_high"]
    unknown = [column for column in [*where, claim["statistic"], *ends] if column not in table]
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
        low, high = row[ends]
        decided = verdict(low, high, claim["threshold"], claim["direction"])
    except FadingError as error:
        raise FadingError(f"{name}: {error}") from error
    return {
        **claim,
        "statistic": f"{claim['statistic']} in {claim['table']}: {described}",
        "estimate": row[claim["statistic"]],
        "ci_low": low,
        "ci_high": high,
        "verdict": decided,
    }


def margin(judged: pd.DataFrame, column: str) -> pd.Series:
    """How far each value of a column lies on the claim's side of its threshold; negative beyond it."""
    return (judged[column] - judged.threshold).where(judged.direction == "at least", judged.threshold - judged[column])


def results(judged: pd.DataFrame) -> str:
    """The claims in Markdown: how many came out, which did not, and each with its numbers."""
    lines = []
    for source, whose in WHOSE.items():
        verdicts = judged.verdict[judged.source == source]
        counts = ", ".join(f"{(verdicts == one).sum()} {one}" for one in (SUPPORTED, INCONCLUSIVE, CONTRADICTED))
        lines.append(f"- {len(verdicts)} {whose}: {counts}.")
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


def with_results(readme: str, judged: pd.DataFrame) -> str:
    """The README with its section of results made anew. Raises FadingError if it does not mark that section."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise FadingError(f"README.md has no section of results: it begins with {BEGIN} and ends with {END}.")
    return f"{before}{begin}\n\n{results(judged)}\n\n{end}{after}"


def _estimate(row):
    return f"{_plain(row.estimate)} [{_plain(row.ci_low)}, {_plain(row.ci_high)}]"


def _plain(number):
    return f"{number:.3g}" if not 0.99 < abs(number) < 1 else f"{number:.4f}"
