"""Claims and their verdicts: does the interval of a statistic lie beyond a threshold fixed beforehand?"""

import math

import pandas as pd

from fading.errors import FadingError

SUPPORTED, CONTRADICTED, INCONCLUSIVE = "supported", "contradicted", "inconclusive"
NOT_TESTED = "not tested"  # the study lacks what the claim is on, or has no interval of it
LAST = "last"
COLUMNS = (
    *("claim", "source", "assumption", "case", "statistic", "estimate", "ci_low", "ci_high"),
    *("direction", "threshold", "verdict", "sentence", "since", "reason"),
)


def verdict(low: float, high: float, threshold: float, direction: str) -> str:
    """Of an interval: supported if all of it is on the claim's side, contradicted if none, else inconclusive.

    `direction` is "at least" or "at most"; the threshold itself is on the claim's side. An interval without finite ends
    tests nothing: missing data support no claim.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return NOT_TESTED
    if direction == "at most":
        low, high, threshold = -high, -low, -threshold
    if low >= threshold:
        return SUPPORTED
    return CONTRADICTED if high < threshold else INCONCLUSIVE


def judge(claims: list[dict], tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The claims with estimate, ci_low, ci_high and verdict, a row each.

    The interval of a statistic is in the columns named after it with _low and _high, else in ci_low and ci_high. A
    claim is not tested where the study has no such table or row. Raises FadingError, naming the claim, for columns that
    its table lacks, and where several rows are meant.
    """
    return pd.DataFrame([_judged(claim, tables) for claim in claims], columns=COLUMNS)


def _judged(claim, tables):
    described = ", ".join(f"{column} {value}" for column, value in claim["where"].items())
    rows, columns = _meant(claim, tables[claim["table"]], described) if claim["table"] in tables else ([], ())
    estimate, low, high = rows[columns].iloc[0] if len(rows) else (math.nan,) * 3
    return {
        **claim,
        "statistic": f"{claim['column']} in {claim['table']}: {described}",
        "estimate": estimate,
        "ci_low": low,
        "ci_high": high,
        "verdict": verdict(low, high, claim["threshold"], claim["direction"]),
    }


def _meant(claim, table, described):
    """The row that a claim is on, if there is one, and its columns of the estimate and of the interval's ends."""
    column, where, name = claim["column"], {"case": claim["case"], **claim["where"]}, claim["claim"]
    own = [f"{column}_{end}" for end in ("low", "high")]
    columns = [column, *(own if set(own) <= set(table) else ["ci_low", "ci_high"])]
    unknown = [heading for heading in [*where, *columns] if heading not in table]
    if unknown:
        raise FadingError(
            f"config/claims.yaml: {name}: found {', '.join(unknown)}; "
            f"columns of {claim['table']} are {', '.join(table)}."
        )
    rows = table
    for key, value in sorted(where.items(), key=lambda item: item[1] == LAST):  # the last of what is left
        rows = rows[rows[key] == (rows[key].max() if value == LAST else value)]
    if len(rows) > 1:
        raise FadingError(
            f"config/claims.yaml: {name}: found {len(rows)} rows of {claim['table']} with case {claim['case']}, "
            f"{described}; accepted is at most one."
        )
    return rows, columns


def margin(judged: pd.DataFrame, column: str) -> pd.Series:
    """How far each value of a column lies on the claim's side of its threshold; negative beyond it."""
    return (judged[column] - judged.threshold).where(judged.direction == "at least", judged.threshold - judged[column])
