"""What the committed studies cost, and other libraries beside this one: a part of every study's page."""

import pandas as pd
from markupsafe import escape

from fading.report.tables import html

COSTS = {
    "jobs": "jobs",
    "core_minutes": "core-minutes",
    "longest": "longest job (s)",
    "most_memory": "most memory of one (MiB)",
}
SAID = {
    "costs": "What the committed studies cost, by stage: the jobs' own times together, the longest, the most memory.",
    "peers": "One quantity of the same model, checkpoint and data by another library and by this one: how far values "
    "differ, as a share of ours, how ranks agree, and what each took, in seconds, training steps and MiB.",
    "benchmark": "What a thing takes here: seconds, training steps, speed beside that of a matrix product, and MiB.",
}


def recorded_tables(costs: dict[str, dict], peers: pd.DataFrame, benchmark: pd.DataFrame) -> str:
    """Their tables in HTML. `costs` are by study: its machine and stages, as `snakemake reference` writes them down."""
    stages = {study: pd.DataFrame(told["stages"]).set_index("stage")[[*COSTS]] for study, told in costs.items()}
    for study, table in stages.items():
        table.columns = [f"{study}: {title}" for title in COSTS.values()]
    tables = {"costs": pd.concat(stages.values(), axis=1).reset_index(), "peers": peers, "benchmark": benchmark}
    machines = "; ".join(f"{study} on {_machine(told['machine'])}" for study, told in costs.items())
    return "\n".join([f"<p>Recorded: {escape(machines)}.</p>", *(_part(name, table) for name, table in tables.items())])


def _machine(told):
    return f"{told['processor']} ({told['cores']} cores, {told['system']}, Python {told['python']})"


def _part(name, table):
    return (
        f'<details class="data" id="recorded-{name}"><summary>Table <code>{name}</code></summary>\n'
        f"<p>{SAID[name]}</p>\n"
        f'<div class="scroll" tabindex="0" role="region" aria-label="Table {name}">{html(table, name)}</div>\n'
        "</details>"
    )
