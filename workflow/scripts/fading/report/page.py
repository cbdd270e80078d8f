"""The page: which figures stand in which section, and everything that its template shows."""

import io
import json
from dataclasses import dataclass
from itertools import chain

import pandas as pd
from markupsafe import Markup
from PIL import Image

from fading.evidence.claims import CONTRADICTED, INCONCLUSIVE, LEVEL, NOT_TESTED, PAPER, SUPPORTED, VOID
from fading.evidence.scorecard import WHOSE
from fading.experiments.memory import OWN
from fading.experiments.removal import THIS_RUN
from fading.figures.style import Names
from fading.report.charts import Chart, specification
from fading.report.pictures import address
from fading.report.tables import for_readers, html
from fading.report.templates import filled

MOST_ROWS = 1500  # of a table on the page
VERDICTS = (SUPPORTED, INCONCLUSIVE, CONTRADICTED, VOID, NOT_TESTED)
SECTIONS = {  # by what claims call it: the figures that belong to it
    "fading": ("memory", "fading", "decomposition"),
    "removal": ("removal",),
    "convexity": ("convexity",),
    "stability": ("stability",),
    "trajectory": ("trajectory",),
    "expansion": ("expansion",),
    "divergence": ("divergence",),
    "leave-one-out": ("loo",),
    "correction": ("correction", "gallery", "planted"),
    "scale": ("scale",),
}
RANK = "rank correlation with what happened"
CHARTS = {  # by figure
    "memory": Chart(
        "memory",
        "age",
        "spearman",
        ("steps since the example was drawn", RANK),
        "estimator",
        ("case", "regime"),
        kept=lambda rows: rows.changed == OWN,
    ),
    "fading": Chart(
        "fading-summary", "step", "spearman", ("steps since up-weighting began", RANK), "estimator", ("case", "regime")
    ),
    "removal": Chart(
        "removal",
        "share",
        "lds",
        ("share of the training set left out", "linear datamodeling score"),
        "estimator",
        ("case",),
        kept=lambda rows: rows.truth == THIS_RUN,
    ),
    "correction": Chart(
        "correction",
        "step",
        "success",
        ("steps", "share of mis-predictions corrected"),
        "method",
        ("case", "intervention", "k", "relative_rate"),
    ),
}


@dataclass(frozen=True)
class Figure:
    """A figure of the study: its file, the bytes of its PNG, its caption in HTML, and its lineage."""

    file: str
    png: bytes
    caption: Markup
    lineage: dict

    @property
    def address(self) -> str:
        """Its picture, of at most 256 colours, within an address."""
        return address(Image.open(io.BytesIO(self.png)).convert("RGB").quantize(256, dither=Image.Dither.NONE))


@dataclass(frozen=True)
class Study:
    """What a page is of: the study's name, and by name its tables, the claims among them, with captions, and figures.

    `read` are the tables that each figure is drawn from, `gallery` is of fading.report.gallery.
    """

    name: str
    tables: dict[str, tuple[pd.DataFrame, Markup]]
    figures: dict[str, Figure]
    read: dict[str, list[str]]
    gallery: list[dict]
    names: Names

    @property
    def command(self) -> str:
        """That makes it."""
        return "snakemake" if self.name == "default" else f"snakemake --configfile config/{self.name}.yaml"


def page(study: Study, files: dict[str, str]) -> str:
    """The page in HTML, which needs no other file; `files` has its template, page.html, and what that includes."""
    claims, _ = study.tables["claims"]
    tested = claims[claims.verdict != NOT_TESTED]
    counts = {source: _counts(claims[claims.source == source]) for source in WHOSE}
    sections = {
        section: {
            "claims": [row for source in WHOSE for row in _of(tested, section, source)],
            "papers": _counts(tested[(tested.assumption == section) & (tested.source == PAPER)]),
            "figures": [topic for topic in topics if topic in study.figures],
        }
        for section, topics in SECTIONS.items()
    }
    return filled(
        "page.html",
        files,
        study.names,
        study=study,
        whose=WHOSE,
        counts=counts,
        adjusted=int(((claims.source == PAPER) & (claims.verdict == SUPPORTED) & (claims.p_holm <= LEVEL)).sum()),
        sections={name: section for name, section in sections.items() if section["claims"] or section["figures"]},
        failed=list(tested[tested.verdict != SUPPORTED].fillna({"because": ""}).itertuples()),
        charts={
            topic: Markup(
                json.dumps(specification(chart, study.tables[chart.table][0], study.names)).replace("</", "<\\/")
            )
            for topic, chart in CHARTS.items()
            if topic in study.figures
        },
        tables={
            name: html(for_readers(table), name) for name, (table, _) in study.tables.items() if len(table) <= MOST_ROWS
        },
        first={
            name: topic
            for topic in reversed([*chain(*SECTIONS.values()), "claims"])
            for name in study.read.get(topic, [])
        },
    )


def _counts(claims):
    return [(verdict, count) for verdict in VERDICTS if (count := int((claims.verdict == verdict).sum()))]


def _of(claims, assumption, source):
    chosen = claims[(claims.assumption == assumption) & (claims.source == source)]
    return list(chosen.fillna({"because": ""}).itertuples())
