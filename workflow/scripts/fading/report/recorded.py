"""What the committed studies cost, and other libraries beside this one: a part of every study's page."""

import pandas as pd
from markupsafe import Markup, escape

from fading.report.tables import html

BEGIN = "<!-- written by `snakemake scorecard` -->"
COSTS = {
    "jobs": "jobs",
    "core_minutes": "core-minutes",
    "longest": "longest job (s)",
    "most_memory": "most memory of one (MiB)",
}


def recorded_tables(costs: dict[str, dict], measured: dict[str, tuple[pd.DataFrame, Markup]]) -> str:
    """Tables in HTML. `costs` are by study: its machine and stages, as `snakemake reference` writes them down.

    `measured` are by name further tables and what is said of them.
    """
    stages = {study: pd.DataFrame(told["stages"]).set_index("stage")[[*COSTS]] for study, told in costs.items()}
    for study, table in stages.items():
        table.columns = [f"{study}: {title}" for title in COSTS.values()]
    machines = "; ".join(f"{study} on {_machine(told['machine'])}" for study, told in costs.items())
    said = Markup(f"<p>What the committed studies cost, by stage: {escape(machines)}.</p>\n")
    tables = {"costs": (pd.concat(stages.values(), axis=1).reset_index(), said), **measured}
    return "\n".join([BEGIN, *(_part(name, table, said) for name, (table, said) in tables.items())])


def _machine(told):
    return f"{told['processor']} ({told['cores']} cores, {told['system']}, Python {told['python']})"


def _part(name, table, said):
    return (
        f'<details class="data" id="recorded-{name}"><summary>Table <code>{name}</code></summary>\n{said}'
        f'<div class="scroll" tabindex="0" role="region" aria-label="Table {name}">{html(table, name)}</div>\n'
        "</details>"
    )
