"""Claims and their verdicts: is a mean beyond a threshold fixed beforehand, and would noise be as well?

A verdict is one-sided, since claims are: supported if a mean so far on the claim's side is as rare as one in twenty
where the threshold is the truth, contradicted if one so far on the other side is. A claim may stand on others, `given`
that they are supported: if one is not, it is void, whatever its number. And a claim of the paper about an estimator is
judged anew with noise in the estimator's place, in the claim and in all that it stands on: if noise is supported, the
claim is void.
"""

import math

import pandas as pd

from fading.errors import FadingError
from fading.evidence.intervals import Mean
from fading.evidence.power import decided_by

SUPPORTED, CONTRADICTED, INCONCLUSIVE = "supported", "contradicted", "inconclusive"
VOID = "void"  # what it stands on is not supported, or noise is supported in its place
NOT_TESTED = "not tested"  # the study lacks what the claim is on, or has no interval of it
LEVEL = 0.05
PAPER = "paper"
NOISE = ("random", "nearest-neighbours")  # know neither loss nor label
PLACES = ("estimator", "method", "curvature")  # columns that say what is judged
LAST, FIRST = "last", "first"
OPPOSITE = {"at least": "at most", "at most": "at least"}
COLUMNS = (
    *("claim", "source", "assumption", "case", "statistic", "estimate", "ci_low", "ci_high", "over"),
    *("direction", "threshold", "p", "p_holm", "verdict", "because", *NOISE, "replicates", "needed"),
    *("given", "sentence", "knowing", "since", "reason"),
)
POWER = (
    *("claim", "case", "verdict", "estimate", "threshold", "over", "se_rows", "se_nested", "se_columns"),
    *("replicates", "needed", "needed_each"),
)


def verdict(mean: Mean, threshold: float, direction: str) -> str:
    """Of a mean by itself. Without standard errors it tests nothing: missing data support no claim."""
    if math.isnan(mean.se) or math.isnan(mean.value):
        return NOT_TESTED
    if mean.p_value(threshold, direction) <= LEVEL:
        return SUPPORTED
    return CONTRADICTED if mean.p_value(threshold, OPPOSITE[direction]) <= LEVEL else INCONCLUSIVE


def judge(claims: list[dict], tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The claims with estimate, ends of the one-sided 95 % bounds, p-value and verdict, a row each: COLUMNS and POWER.

    What belongs to a mean is in the columns named after the claim's with _se_rows and so on, else in se_rows and so on.
    A claim is not tested where the study has no such table or row. p_holm is Holm's (1979), over the claims of the
    paper, each with the largest p-value of what it stands on. Raises FadingError, naming the claim, for columns that
    its table lacks, and where several rows are meant.
    """
    bench = _Bench(claims, tables)
    judged = pd.DataFrame([bench.row(claim) for claim in claims], columns=list(dict.fromkeys([*COLUMNS, *POWER])))
    family = judged[(judged.source == PAPER) & (judged.verdict != NOT_TESTED)]
    joint = family.claim.map(bench.joint).where(family.verdict != VOID, 1.0)  # what is void is never supported
    return judged.assign(p_holm=holm(joint.astype(float))[family.verdict != VOID])


def holm(p_values: pd.Series) -> pd.Series:
    """Holm's adjusted p-values (1979): each is how small a level of the whole family still rejects it."""
    ordered = p_values.sort_values()
    factors = pd.Series(range(len(ordered), 0, -1), index=ordered.index)
    return (ordered * factors).cummax().clip(upper=1).reindex(p_values.index)


class _Bench:
    """Judges claims by tables."""

    def __init__(self, claims, tables):
        self.claims, self.tables = {claim["claim"]: claim for claim in claims}, tables
        self.means, self.others = {}, {}  # as far as they were asked for

    def row(self, claim):
        mean, over = self.mean(claim)
        ended, because = self.verdict(claim["claim"])
        low, high = mean.ends(1 - 2 * LEVEL)
        threshold, direction = claim["threshold"], claim["direction"]
        return {
            **claim,
            "statistic": f"{claim['column']} in {claim['table']}: {_described(claim)}",
            "estimate": mean.value,
            "ci_low": low,
            "ci_high": high,
            "over": over,
            "p": mean.p_value(threshold, direction),
            "verdict": ended,
            "because": because,
            **self.noise(claim),
            **decided_by(mean, threshold, direction, LEVEL),
            "given": ", ".join(claim.get("given", [])),
            **{error: getattr(mean, error) for error in ("se_rows", "se_nested", "se_columns")},
        }

    def verdict(self, name):
        """The verdict and, where it is void, why."""
        claim = self.claims[name]
        if self.alone(claim) == NOT_TESTED:
            return NOT_TESTED, ""
        ended, because = self.standing(claim, self.verdict)
        beaten = [name for name, of_noise in self.noise(claim).items() if of_noise == SUPPORTED]
        if ended != VOID and beaten:
            return VOID, f"{' and '.join(beaten)} would be supported too"
        return ended, because

    def joint(self, name):
        """The largest p-value of the claim and of those that it stands on: it is supported if all of them are."""
        claim = self.claims[name]
        own = self.mean(claim)[0].p_value(claim["threshold"], claim["direction"])
        return max([own, *map(self.joint, claim.get("given", []))])

    def alone(self, claim):
        """The verdict by the claim's own number."""
        return verdict(self.mean(claim)[0], claim["threshold"], claim["direction"])

    def standing(self, claim, of_given):
        """The same by the claim itself and by what `of_given` says of those that it stands on."""
        for name in claim.get("given", []):
            ended, _ = of_given(name)
            if ended != SUPPORTED:
                return VOID, f"{name} is {ended}"
        return self.alone(claim), ""

    def unasked(self, name):
        """The same without asking whether noise would be supported."""
        return self.standing(self.claims[name], self.unasked)

    def noise(self, claim):
        """The verdicts with noise in the estimator's place; empty for a claim on none, and for claims of our own."""
        judged = next((claim["where"][place] for place in PLACES if place in claim["where"]), None)
        if claim["source"] != PAPER or judged is None:
            return dict.fromkeys(NOISE, "")
        return {name: self.other(name, judged).unasked(claim["claim"])[0] for name in NOISE}

    def other(self, noise, judged):
        """The bench with noise in place of what is judged."""
        if (noise, judged) not in self.others:
            self.others[noise, judged] = _Bench(_with(noise, judged, self.claims.values()), self.tables)
        return self.others[noise, judged]

    def mean(self, claim):
        """What the claim is on, and over what it is a mean."""
        if claim["claim"] not in self.means:
            self.means[claim["claim"]] = _mean(claim, self.tables.get(claim["table"]))
        return self.means[claim["claim"]]


def _mean(claim, table):
    rows, columns = meant(claim, table) if table is not None else ((), {})
    if not len(rows):
        return Mean(math.nan, math.nan), ""
    found = {name: rows[column].iloc[0] for name, column in columns.items()}
    return Mean(**{name: found[name] for name in found.keys() - {"over"}}), found["over"]


def _with(noise, judged, claims):
    """The claims, noise in place of what is judged."""
    places = [{place: noise for place in PLACES if claim["where"].get(place) == judged} for claim in claims]
    return [claim | {"where": claim["where"] | place} for claim, place in zip(claims, places, strict=True)]


def _described(claim):
    return ", ".join(f"{column} {value}" for column, value in claim["where"].items())


def meant(claim, table):
    """The row that a claim is on, if there is one, and its columns of what makes a mean."""
    column, where, name = claim["column"], {"case": claim["case"], **claim["where"]}, claim["claim"]
    prefix = f"{column}_" if f"{column}_se_rows" in table else ""
    parts = ("se_rows", "se_columns", "df", "scale", "rows", "se_nested", "over")
    columns = {"value": column, **{part: f"{prefix}{part}" for part in parts}}
    unknown = [heading for heading in [*where, *columns.values()] if heading not in table]
    if unknown:
        raise FadingError(
            f"config/claims.yaml: {name}: found {', '.join(unknown)}; "
            f"columns of {claim['table']} are {', '.join(table)}."
        )
    meant, ends = pd.Series(True, index=table.index), {LAST: "max", FIRST: "min"}
    for key, value in sorted(where.items(), key=lambda item: item[1] in ends):  # the last of what is left
        meant &= table[key] == (table[key][meant].agg(ends[value]) if value in ends else value)
    rows = table[meant]
    if len(rows) > 1:
        raise FadingError(
            f"config/claims.yaml: {name}: found {len(rows)} rows of {claim['table']} with case {claim['case']}, "
            f"{_described(claim)}; accepted is at most one."
        )
    return rows, columns


def margin(judged: pd.DataFrame, column: str) -> pd.Series:
    """How far each value of a column lies on the claim's side of its threshold; negative beyond it."""
    return (judged[column] - judged.threshold).where(judged.direction == "at least", judged.threshold - judged[column])
