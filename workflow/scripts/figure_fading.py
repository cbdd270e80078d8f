"""Draw how the agreement of predicted with actual influence fades over training steps."""

import math

from fading import style
from fading.job import Job
from matplotlib import pyplot as plt

COLUMNS = 3
DRAWN = ("linear-response", "gradient-dot", "abif", "exact", "ekfac", "cg")  # the table has all

with Job(snakemake) as job:
    style.apply()
    table = job.read("table")
    table = table[table.estimator.isin(DRAWN)]
    panels = list(table.groupby(["case", "regime"], sort=False))
    rows = math.ceil(len(panels) / COLUMNS)
    figure, axes = plt.subplots(
        rows, COLUMNS, figsize=(style.WIDTH, 1.8 * rows + 0.5), sharey=True, squeeze=False, layout="constrained"
    )
    for axis, ((case, regime), panel) in zip(axes.flat, panels, strict=False):
        for estimator, lines in panel.groupby("estimator", sort=False):
            reference = estimator == "linear-response"
            for i, (_, line) in enumerate(lines.groupby("seed")):
                look = {"color": style.colour(estimator), "ls": "--" if reference else "-", "marker": ".", "ms": 5}
                axis.plot(line.step, line.spearman, label=style.label(estimator) if i == 0 else None, **look)
                axis.fill_between(line.step, line.ci_low, line.ci_high, color=look["color"], alpha=0.2, lw=0)
        eta_lambda = panel.eta_lambda_max.mean()
        axis.set(title=f"{style.label(case)}\n{regime}: $\\eta\\lambda_{{\\max}}$ = {eta_lambda:.2g}")
        style.count_axis(axis, panel.step.max())
        axis.axhline(0, color="0.7", lw=0.8, zorder=0)
    for axis in list(axes.flat)[len(panels) :]:
        axis.set_axis_off()
    for axis in axes.flat[max(0, len(panels) - COLUMNS) : len(panels)]:
        axis.set_xlabel("steps after up-weighting began")
    for axis in axes[:, 0]:
        axis.set(ylabel="Spearman correlation,\npredicted and actual", ylim=(-0.8, 1.08))
    style.shared_legend(figure, axes.flat, columns=2)
    job.write("png", figure)
    job.write("svg", figure)
