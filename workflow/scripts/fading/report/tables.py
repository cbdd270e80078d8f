"""Tables and text as HTML."""

import math
from types import SimpleNamespace

import pandas as pd
from docutils.core import publish_parts
from jinja2 import Environment
from markupsafe import Markup, escape

from fading.evidence.tables import UNCERTAINTY

SHOWN = ("ci_low", "ci_high", "over")  # of what belongs to a mean; the rest of it is for power and for claims
PLAIN = {"raw_enabled": False, "file_insertion_enabled": False, "report_level": 5}


def for_readers(table: pd.DataFrame) -> pd.DataFrame:
    """The table without what only serves to make intervals of its means."""
    hidden = set(UNCERTAINTY) - set(SHOWN)
    return table[[name for name in table if not any(name == part or name.endswith(f"_{part}") for part in hidden)]]


def html(table: pd.DataFrame, caption: str) -> Markup:
    """A table, its numbers to three digits. Rows and cells end where the next begin, as HTML allows: there are many."""
    heads = "".join(f'<th scope="col">{escape(name.replace("_", " "))}</th>' for name in table)
    rows = ("".join(map(_cell, row)) for row in table.itertuples(index=False))
    body = "".join(f"<tr>{cells}\n" for cells in rows)
    return Markup(
        f"<table><caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead><tbody>\n{body}</tbody></table>"
    )


def _cell(value):
    if isinstance(value, str):
        return f"<td>{escape(value)}"
    return f"<td class=n>{'' if value is None or math.isnan(value) else number(value)}"


def number(value: float) -> str:
    """Three digits, or as many as tell it from one; counts whole, and what is large to its ones."""
    if float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    if 999.5 <= abs(value) < 1e6:
        return f"{value:.0f}"
    if not 0.99 < abs(value) < 1:
        return f"{value:.3g}"
    texts = (f"{value:.{digits}f}" for digits in range(4, 18))
    return next(text for text in texts if abs(float(text)) < 1)


def caption(template: str, rule: str, config: dict) -> Markup:
    """What a template of Snakemake's report says of what a rule makes, in HTML."""
    text = Environment().from_string(template)
    said = text.render(snakemake=SimpleNamespace(rule=rule, config=config))
    return Markup(publish_parts(said, writer="html5", settings_overrides=PLAIN)["body"])
