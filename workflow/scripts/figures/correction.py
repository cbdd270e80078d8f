"""Draw how mis-predictions are corrected: success and what else is kept by step, success by intervention."""

import numpy as np
from fading.artefacts.job import Job
from fading.experiments.correction.names import DESCEND, INTERVENTIONS, ITSELF, OF_LABEL, RANDOM, RETRAIN
from fading.figures import style
from matplotlib import pyplot as plt

BANDS = ("abif", OF_LABEL, RANDOM)  # more of them would hide each other

with Job(snakemake) as job:
    style.apply()
    names = style.Names(**job.settings["names"])
    table = job.read("table")
    cases = table.case.unique()
    kinds = [kind for kind in INTERVENTIONS if kind in set(table.intervention)]
    shape = {"squeeze": False, "width_ratios": [1, 1, 0.9]}
    figure, axes = plt.subplots(len(cases), 3, figsize=(style.WIDTH, 2.1 * len(cases) + 0.8), **shape)
    for (by_step, kept, by_kind), case in zip(axes, cases, strict=True):
        corrections = table[table.case == case]
        descents = corrections[corrections.intervention == DESCEND]
        rates, largest, steps = np.unique(descents.learning_rate), descents.k.max(), np.unique(descents.step)
        rate = rates[len(rates) // 2]
        for method, rows in descents.groupby("method", sort=False):
            look = {**names.look(method), "marker": "o"}
            curve = rows[(rows.learning_rate == rate) & ((rows.k == largest) | (method == ITSELF))]
            by_step.plot(curve.step, curve.success, label=names.short(method), lw=1.2, ms=2.5, **look)
            if method in BANDS:
                by_step.fill_between(curve.step, curve.ci_low, curve.ci_high, color=look["color"], alpha=0.12, lw=0)
            kept.plot(curve.step, curve.retention_equal, lw=1.2, ms=2.5, **look)
        others = corrections[(corrections.intervention != DESCEND)].method.unique()
        for shift, method in zip(np.linspace(0.25, -0.25, len(others)), others, strict=True):
            rows = corrections[(corrections.method == method) & (corrections.k == largest)]
            settled = (rows.learning_rate == rate) & (rows.step == steps[-1])
            rows = rows[settled | (rows.intervention == RETRAIN)]
            ends = [(rows.success - rows.ci_low).clip(lower=0), (rows.ci_high - rows.success).clip(lower=0)]
            places = shift - rows.intervention.map(kinds.index)
            by_kind.errorbar(rows.success, places, xerr=ends, fmt="o", ms=3, lw=1, color=names.colour(method))
        for axis in (by_step, kept):
            style.count_axis(axis, steps[-1])
            axis.set_xticks(steps)
        by_step.set(ylim=(-0.05, 1.05), ylabel="share corrected", xlabel=f"steps (k = {largest}, η = {rate:g})")
        by_step.set_title(names.label(case), loc="left")
        kept.set(ylabel="other predictions kept", xlabel="steps, also beyond the correction")
        by_kind.set(xlim=(-0.05, 1.05), ylim=(0.5 - len(kinds), 0.5), xlabel="share corrected, or misled")
        by_kind.axhline(1.5 - len(kinds), color="0.8", lw=0.8, zorder=0)
        by_kind.set_yticks(-np.arange(len(kinds)), [INTERVENTIONS[kind] for kind in kinds], fontsize=6)
    style.shared_legend(figure, axes.flat, columns=4)
    style.write(job, figure)
