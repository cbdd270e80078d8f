"""Draw how the agreement of predicted with actual influence fades over training steps."""

import math

from fading.artefacts.job import Job
from fading.figures import style
from matplotlib import pyplot as plt

COLUMNS = 3
DRAWN = ("linear-response", "horizon", "gradient-dot", "abif", "exact", "ekfac", "cg")  # the table has all

with Job(snakemake) as job:
    style.apply()
    names = style.Names(**job.settings["names"])
    by_seed, means = (frame[frame.estimator.isin(DRAWN)] for frame in (job.read("table"), job.read("fading_summary")))
    panels = list(means.groupby(["case", "regime"], sort=False))
    rows = math.ceil(len(panels) / COLUMNS)
    figure, axes = plt.subplots(
        rows, COLUMNS, figsize=(style.WIDTH, 1.8 * rows + 0.5), sharey=True, squeeze=False, layout="constrained"
    )
    for axis, ((case, regime), panel) in zip(axes.flat, panels, strict=False):
        curves = by_seed[(by_seed.case == case) & (by_seed.regime == regime)]
        for estimator, line in panel.groupby("estimator", sort=False):
            look = names.look(estimator)
            axis.plot(line.step, line.spearman, label=names.label(estimator), marker=".", ms=5, **look)
            axis.fill_between(line.step, line.ci_low, line.ci_high, color=look["color"], alpha=0.2, lw=0)
            for _, curve in curves[curves.estimator == estimator].groupby("seed"):
                axis.plot(curve.step, curve.spearman, lw=0.5, alpha=0.5, **look)
        sharpness = f"{curves.eta_lambda_batches.mean():.2g}, up to {curves.eta_lambda_batches_largest.max():.2g}"
        axis.set(title=f"{names.title(case, 30)}\n{regime}: $\\eta\\lambda_{{\\max}}$ {sharpness}")
        style.count_axis(axis, panel.step.max())
        axis.axhline(0, color="0.7", lw=0.8, zorder=0)
    style.finish_grid(axes, len(panels), "steps after up-weighting began")
    for axis in axes[:, 0]:
        axis.set(ylabel="Spearman correlation,\npredicted and actual", ylim=(None, 1.08))
    style.shared_legend(figure, axes.flat, columns=2)
    style.write(job, figure)
