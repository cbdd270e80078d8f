"""Draw the scorecard: how far each claim's estimate lies on its side of the threshold, by who claims it and on what."""

import numpy as np
from fading.artefacts.job import Job
from fading.evidence.claims import CONTRADICTED, INCONCLUSIVE, NOT_TESTED, SUPPORTED, VOID, margin
from fading.evidence.scorecard import WHOSE
from fading.figures import style
from matplotlib import pyplot as plt
from matplotlib.ticker import NullLocator

ROW = 0.15  # inches


def draw(axis, table, names):
    """The claims of one source, a row each, below the name of what they are on."""
    heads = ~table.assumption.duplicated()
    rows = -(np.arange(len(table)) + heads.cumsum().to_numpy())
    margins = {name: margin(table, name).to_numpy() for name in ("estimate", "ci_low", "ci_high")}
    ends = np.sort([margins["ci_low"], margins["ci_high"]], axis=0)
    for decided in (SUPPORTED, INCONCLUSIVE, CONTRADICTED, VOID):
        matches = (table.verdict == decided).to_numpy()
        if matches.any():
            axis.hlines(rows[matches], ends[0][matches], ends[1][matches], color=names.colour(decided), lw=1.5)
            axis.scatter(margins["estimate"][matches], rows[matches], color=names.colour(decided), s=12, label=decided)
    axis.axvline(0, color="0.3", lw=0.8, zorder=0)
    axis.set_xscale("symlog", linthresh=0.1)
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_yticks(rows, table.claim, fontsize=6)
    axis.tick_params(axis="y", length=0)
    axis.tick_params(axis="x", labelsize=6)
    for row, assumption in zip(rows[heads], table.assumption[heads], strict=True):
        axis.text(0.02, row + 1, f"on {assumption}", fontsize=6, va="center", transform=axis.get_yaxis_transform())
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
    return rows.min(initial=0)  # a study may judge no claim


with Job(snakemake) as job:
    style.apply()
    names = style.Names(**job.settings["names"])
    table = job.read("table").dropna(subset="estimate").sort_values("assumption", kind="stable")
    figure, axes = plt.subplots(1, len(WHOSE), figsize=(2 * style.WIDTH, 1), layout="constrained")
    lowest = 0
    for axis, (source, title) in zip(axes, WHOSE.items(), strict=True):
        lowest = min(lowest, draw(axis, table[table.source == source], names))
        axis.set_title(title)
    figure.set_figheight(ROW * (1 - lowest) + 1)
    for axis in axes:
        axis.set_ylim(lowest - 0.7, 0.7)
    axes[len(WHOSE) // 2].set_xlabel("distance of the estimate from its threshold, positive on the claim's side")
    style.shared_legend(figure, axes, columns=4)
    style.write(job, figure)
