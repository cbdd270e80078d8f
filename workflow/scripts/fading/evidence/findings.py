"""Findings in words whose numbers are read from a study's public tables, in Markdown."""

import math
import re
import textwrap

import jinja2
import pandas as pd

from fading.errors import FadingError
from fading.evidence.claims import LAST, LEVEL, NOT_TESTED, PAPER, SUPPORTED, VOID
from fading.evidence.scorecard import KNOWING, results

BEGIN, END = "<!-- findings: written by `snakemake scorecard` -->", "<!-- end of findings -->"
WIDTH = 120
KEPT = ("#", "|", "![", "```", "    ")


def with_findings(page: str, template: str, tables: dict[str, pd.DataFrame], config: dict) -> str:
    """The page with its section of findings made anew. Raises FadingError if it does not mark that section."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise FadingError(f"The page has no section of findings: it begins with {BEGIN} and ends with {END}.")
    return f"{before}{begin}\n\n{findings(template, tables, config)}\n\n{end}{after}"


def findings(template: str, tables: dict[str, pd.DataFrame], config: dict) -> str:
    """The template filled in, from the public tables and the claims, by name, and the study's configuration.

    In the template `mean(table, column, key=value…)` is the number in the one row with these values, `interval(…)` its
    95 % interval, `row(…)` that row, and `has(…)` whether there is one; `claim(name)` and `bounds(name)` are a claim's
    estimate and one-sided 95 % bounds; `judged(name, …)` is a list of claims with their numbers and verdicts.
    `verdicts(source, verdict)` is how many there are of these, `holm()` how many of the paper's are supported after
    Holm's adjustment. `expect(claim, verdict)` is nothing: it raises FadingError if the verdict is another, of which
    words that stand on it are no longer true. So do those above where a number is missing, and but for `has` where no
    row or several are meant.

    `scorecard()` is all that came of the claims. `grid(table, value, index, columns, order, key=value…)` is a table of
    what rows with these values have in the column `value`, by the columns `index` downwards and `columns` across, of
    these those in `order` if it is given; `step="last"` is each case's last. `rows(table, columns)` is a table whole.
    `differing(other)` lists the claims that both this study and another tested, to another verdict; `other` is the name
    of that one's claims among the tables.
    """
    functions = _Numbers(tables)
    names = ("mean", "interval", "row", "has", "claim", "bounds", "judged", "verdicts", "holm", "expect")
    names += ("scorecard", "grid", "rows", "differing")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.filters["count"] = lambda number: f"{number:,.0f}"
    text = environment.from_string(template).render(**{name: getattr(functions, name) for name in names}, config=config)
    return "\n\n".join(_filled(part) for part in re.split(r"\n\s*\n", text.strip()))


def plain(number: float) -> str:
    """Two significant digits, more next to one, without a zero before the point. Raises FadingError for NaN."""
    if math.isnan(number):
        raise FadingError("findings: a number that is meant is not there.")
    digits = 1 if abs(number) >= 2 else 2 if not 0.99 < abs(number) < 1 else 3 if abs(number) < 0.999 else 4
    text = f"{number:.{digits}f}" if 0.1 <= abs(number) < 10 else f"{number:.2g}"
    return re.sub(r"^(-?)0\.", r"\1.", text).replace("-", "−")


class _Numbers:
    def __init__(self, tables):
        self.tables = tables

    def has(self, name, **where):
        return len(_with(self.tables[name], where)) > 0

    def row(self, name, **where):
        rows = _with(self.tables[name], where)
        if len(rows) != 1:
            raise FadingError(f"findings: found {len(rows)} rows of {name} with {_described(where)}; accepted is one.")
        return rows.iloc[0]

    def mean(self, name, column, **where):
        number = self.row(name, **where)[column]
        if math.isnan(number):
            raise FadingError(f"findings: {name} has no {column} with {_described(where)}; accepted is a number.")
        return plain(number)

    def interval(self, name, column, **where):
        row = self.row(name, **where)
        own = f"{column}_low" in row
        low, high = (f"{column}_low", f"{column}_high") if own else ("ci_low", "ci_high")
        return f"[{plain(row[low])}, {plain(row[high])}]"

    def claim(self, name):
        return plain(self.row("claims", claim=name).estimate)

    def bounds(self, name):
        row = self.row("claims", claim=name)
        return f"[{plain(row.ci_low)}, {plain(row.ci_high)}]"

    def judged(self, *names):
        return "\n".join(map(self._line, names))

    def _line(self, name):
        row = self.row("claims", claim=name)
        if row.verdict == NOT_TESTED:
            return f"- **{row.verdict}** {row.sentence}"
        number = f"{plain(row.estimate)} {self.bounds(name)} over {row.over}; {row.direction} {plain(row.threshold)}"
        notes = [f"fixed {KNOWING[row.knowing]}"]
        notes += [row.source] if row.source != PAPER else []
        notes += ["not after Holm's adjustment"] if row.verdict == SUPPORTED and row.p_holm > LEVEL else []
        notes += [row.because] if row.verdict == VOID else []
        return f"- **{row.verdict}** {row.sentence} {number}, {'; '.join(notes)}."

    def holm(self):
        claims = self.tables["claims"]
        return int(((claims.verdict == SUPPORTED) & (claims.p_holm <= LEVEL)).sum())

    def expect(self, claim, verdict):
        found = self.row("claims", claim=claim).verdict
        if found != verdict:
            raise FadingError(
                f"findings: {claim} is {found}; accepted is {verdict}, on which the text stands: it was written for "
                "config/full.yaml, and where that study's verdict changed the text has to."
            )
        return ""

    def scorecard(self):
        return results(self.tables["claims"])

    def grid(self, name, value, index, columns, order=None, **where):
        table = self.tables[name]
        if where.get("step") == LAST:
            where = {key: values for key, values in where.items() if key != "step"}
            table = table[table.step == table.groupby("case").step.transform("max")]
        found = _with(table, where)
        there = dict.fromkeys(found[columns])
        across = [at for at in order or there if at in there]
        cells = found.set_index([*index, columns])[value]
        lines = [
            [*map(_cell, key), *(_number(cells.get((*key, at), math.nan)) for at in across)]
            for key in dict.fromkeys(found[index].itertuples(index=False, name=None))
            if any((*key, at) in cells.index for at in across)
        ]
        return _table([*index, *map(_cell, across)], lines)

    def rows(self, name, columns):
        table = self.tables[name][columns].itertuples(index=False, name=None)
        return _table(columns, [list(map(_cell, row)) for row in table])

    def differing(self, other):
        both = self.tables["claims"].merge(self.tables[other], on=["claim", "sentence"], suffixes=("_here", "_there"))
        tested = both[~both[["verdict_here", "verdict_there"]].eq(NOT_TESTED).any(axis=1)]
        rows = tested[tested.verdict_here != tested.verdict_there].to_dict("records")
        told = [f"- {row['sentence']} Here {_verdict(row, 'here')}; there {_verdict(row, 'there')}." for row in rows]
        return "\n".join(told) or "None."

    def verdicts(self, source, verdict):
        claims = self.tables["claims"]
        return int(((claims.source == source) & (claims.verdict == verdict)).sum())


def _described(where):
    return ", ".join(f"{column} {value}" for column, value in where.items())


def _with(table, where):
    """The rows with these values."""
    for column, value in where.items():
        table = table[table[column] == value]
    return table


def _verdict(row, where):
    """A claim's verdict in one of two studies, and what it is of or why it is void."""
    value, low, high = (plain(row[f"{name}_{where}"]) for name in ("estimate", "ci_low", "ci_high"))
    void = f" ({row[f'because_{where}']})" if row[f"verdict_{where}"] == VOID else ""
    return f"*{row[f'verdict_{where}']}*{void}: {value} [{low}, {high}] over {row[f'over_{where}']}"


def _cell(value):
    if not isinstance(value, float | int):
        return str(value)
    return f"{value:,.0f}" if float(value).is_integer() else _number(value)


def _number(value):
    return "" if math.isnan(value) else plain(value)


def _table(headings, lines):
    rule = ["---" for _ in headings]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [headings, rule, *lines])


def _filled(paragraph):
    """A paragraph, or each item of a list, in lines of WIDTH; headings, tables, pictures and code as they are."""
    if paragraph.startswith(KEPT):
        return paragraph
    items = re.split(r"\n(?=\d+\. |- )", paragraph)
    marked = re.match(r"\d+\. |- ", items[0])
    hang = " " * len(marked[0]) if marked else ""
    options = {"width": WIDTH, "subsequent_indent": hang, "break_long_words": False, "break_on_hyphens": False}
    return "\n".join(textwrap.fill(" ".join(item.split()), **options) for item in items)
