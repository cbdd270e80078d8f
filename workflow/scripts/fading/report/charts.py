"""Interactive charts of tables, as Vega-Lite specifications: lines with intervals, by what the reader chooses."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from matplotlib.colors import to_hex

from fading.figures.style import DASHES, Names

LEGEND = {
    **{"orient": "bottom", "columns": 2, "labelLimit": 300, "labelFontSize": 12},
    **{"symbolType": "stroke", "symbolStrokeWidth": 3, "symbolOpacity": 1},
}
LETTERS = {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "gridOpacity": 0.3}
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"  # a name: nothing is loaded from there


@dataclass(frozen=True)
class Chart:
    """What of a table is drawn: `y` with its interval over the logarithm of `x`, a look per value of `lines`.

    It is drawn where the columns of `chosen` have one of the values that they have together, of the rows that `kept`
    says, else of all.
    """

    table: str
    x: str
    y: str
    titles: tuple[str, str]
    lines: str
    chosen: tuple[str, ...]
    kept: Callable[[pd.DataFrame], pd.Series] | None = None


def specification(chart: Chart, table: pd.DataFrame, names: Names) -> dict:
    """The chart of a table in Vega-Lite, its numbers inside, with a list to choose from of what `chosen` has.

    Nothing in it depends on anything but the table and the names.
    """
    rows = table[chart.kept(table)] if chart.kept else table
    low, high = "ci_low", "ci_high"
    drawn = rows.dropna(subset=chart.y)
    kinds = list(dict.fromkeys(drawn[chart.lines]))
    labels = {kind: names.label(kind) for kind in kinds}
    several = [column for column in chart.chosen if drawn[column].nunique() > 1] or [*chart.chosen]
    combined = [" · ".join(names.label(str(part)) for part in key) for key in drawn[several].itertuples(index=False)]
    options, asked = list(dict.fromkeys(combined)), " and ".join(several).replace("_", " ")
    values = drawn[[chart.lines, chart.x, chart.y, low, high, "over"]].assign(
        chosen=combined,
        **{chart.lines: drawn[chart.lines].map(labels)},
        lower=drawn[low].fillna(drawn[chart.y]),  # no width where there is no interval: a band of nothing has no scale
        upper=drawn[high].fillna(drawn[chart.y]),
    )
    x_title, y_title = chart.titles
    x = {"field": chart.x, "type": "quantitative", "title": x_title, "scale": {"type": "log", "nice": False}}
    y = {"field": chart.y, "type": "quantitative", "title": y_title}
    shown = [
        {"field": chart.lines, "title": "line"},
        {"field": chart.x, "title": x_title, "format": ".3~g"},
        {"field": chart.y, "title": y_title, "format": ".3~g"},
        {"field": low, "title": "95 % from", "format": ".3~g"},
        {"field": high, "title": "to", "format": ".3~g"},
        {"field": "over", "title": "over"},
    ]
    line = {"field": chart.lines, "type": "nominal", "title": None, "legend": LEGEND}
    colours = [to_hex(names.colour(kind)) for kind in kinds]
    dashes = [[3 * part for part in DASHES.get(kind, (1, 0))] for kind in kinds]
    colour, dash = ({**line, "scale": {"domain": [*labels.values()], "range": each}} for each in (colours, dashes))
    faded = {"condition": {"param": "line", "value": 1}, "value": 0.1}
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": 300,
        "config": {"axis": LETTERS},
        "data": {"values": values.round(6).astype(object).where(values.notna(), None).to_dict("records")},
        "params": [
            {"name": "shown", "value": options[0], "bind": {"input": "select", "options": options, "name": f"{asked} "}}
        ],
        "transform": [{"filter": "datum.chosen === shown"}],
        "encoding": {"x": x, "color": colour},
        "layer": [
            {
                "mark": {"type": "area", "clip": True},
                "encoding": {
                    "y": {**y, "field": "lower"},
                    "y2": {"field": "upper"},
                    "opacity": {"condition": {"param": "line", "value": 0.15}, "value": 0.03},
                },
            },
            {
                "mark": {"type": "line", "point": {"size": 45}},
                "params": [{"name": "line", "select": {"type": "point", "fields": [chart.lines]}, "bind": "legend"}],
                "encoding": {"y": y, "strokeDash": dash, "opacity": faded, "tooltip": shown},
            },
        ],
    }
