"""Draw predicted against actual leave-one-out effects, the convex controls beside the networks."""

from fading.artefacts.job import Job
from fading.experiments.effects import RETRAINING
from fading.figures import style
from matplotlib import pyplot as plt
from matplotlib.ticker import StrMethodFormatter

ROWS = [("exact", "abif"), ("gradient-dot",), ("unrolled",)]  # the first that the case has


def single_left_out(frame):
    return frame[(frame.truth == RETRAINING) & (frame["size"] == 1)]


with Job(snakemake) as job:
    style.apply()
    names = style.Names(**job.settings["names"])
    table, summary = (single_left_out(job.read(name)) for name in ("table", "loo_summary"))
    cases = sorted(table.case.unique(), key=lambda case: not case.startswith("logistic"))
    figure = plt.figure(figsize=(style.WIDTH, 0.1), layout="constrained")
    axes, leftmost = style.stacks(figure, len(cases), len(ROWS), 5.9)
    for row, estimators in zip(axes.T, ROWS, strict=True):
        for axis, case in zip(row, cases, strict=True):
            pairs, means = table[table.case == case], summary[summary.case == case].set_index("estimator")
            estimator = next((name for name in estimators if name in means.index), None)
            if estimator is None:
                axis.set_axis_off()
                continue
            points, mean = pairs[pairs.estimator == estimator], means.loc[estimator]
            colour = names.colour(estimator)
            axis.scatter(points.predicted, points.actual, s=4, alpha=0.4, lw=0, color=colour, rasterized=True)
            axis.axhline(0, color="0.8", lw=0.6, zorder=0)
            axis.axvline(0, color="0.8", lw=0.6, zorder=0)
            axis.locator_params(axis="y", nbins=3)
            axis.locator_params(axis="x", nbins=2)
            axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axis.tick_params(labelsize=6)
            axis.set_title(f"ρ = {mean.spearman:.2f}\n[{mean.ci_low:.2f}, {mean.ci_high:.2f}]")
            axis.set_xlabel(f"predicted (nats),\n{names.short(estimator)}")
    for axis in leftmost.flat:
        axis.set_ylabel("actual change of\ntest loss (nats)")
    for axis, case in zip(axes[:, 0], cases, strict=True):
        axis.set_title(names.title(case) + "\n" + axis.get_title())
    style.write(job, figure)
