"""Draw the scorecard: how far each claim's estimate lies on its side of the threshold."""

import numpy as np
from fading.artefacts.job import Job
from fading.evidence.claims import CONTRADICTED, INCONCLUSIVE, NOT_TESTED, SUPPORTED, VOID, margin
from fading.evidence.scorecard import WHOSE
from fading.figures import style
from matplotlib import pyplot as plt
from matplotlib.ticker import NullLocator

with Job(snakemake) as job:
    style.apply()
    names = style.Names(**job.settings["names"])
    table = job.read("table").dropna(subset="estimate").sort_values("assumption", kind="stable")
    table = table.sort_values("source", key=lambda sources: sources.map(list(WHOSE).index), kind="stable")
    rows = -np.arange(len(table)) - 2 * table.source.map(list(WHOSE).index).to_numpy()
    margins = {name: margin(table, name).to_numpy() for name in ("estimate", "ci_low", "ci_high")}
    ends = np.sort([margins["ci_low"], margins["ci_high"]], axis=0)
    lowest = rows.min(initial=0)  # a study may judge no claim
    figure, axis = plt.subplots(figsize=(style.WIDTH, 0.16 * (1 - lowest) + 1.1), layout="constrained")
    for decided in (SUPPORTED, INCONCLUSIVE, CONTRADICTED, VOID):
        matches = (table.verdict == decided).to_numpy()
        if matches.any():
            axis.hlines(rows[matches], ends[0][matches], ends[1][matches], color=names.colour(decided), lw=1.5)
            axis.scatter(margins["estimate"][matches], rows[matches], color=names.colour(decided), s=14, label=decided)
    transform = axis.get_yaxis_transform()  # places across as shares of the width
    axis.axvline(0, color="0.3", lw=0.8, zorder=0)
    axis.set_xscale("symlog", linthresh=0.1)
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set(
        xlabel="distance of the estimate from its threshold, positive on the claim's side", ylim=(lowest - 0.7, 1.7)
    )
    axis.set_yticks(rows, table.assumption + ": " + table.claim, fontsize=6)
    for source, title in WHOSE.items():
        if (table.source == source).any():
            axis.text(0.01, rows[table.source == source].max() + 0.8, title, fontsize=7, transform=transform)
    numbers = axis.secondary_yaxis("right")
    signs = table.direction.map({"at least": "≥", "at most": "≤"})
    texts = [
        row.verdict
        if row.verdict == NOT_TESTED
        else f"{row.estimate:.2g} [{row.ci_low:.2g}, {row.ci_high:.2g}], {sign} {row.threshold:g}"
        for sign, row in zip(signs, table.itertuples(), strict=True)
    ]
    numbers.set_yticks(rows, texts, fontsize=6)
    numbers.tick_params(length=0)
    style.shared_legend(figure, [axis], columns=3)
    style.write(job, figure)
