"""Draw how far counterfactual parameters move away, and when the linear response stops describing it."""

from fading import style
from fading.job import Job
from matplotlib import pyplot as plt
from matplotlib.ticker import NullLocator

with Job(snakemake) as job:
    style.apply()
    table = job.read("table")
    table = table[table.counterfactual != "A/A null"]  # exactly zero, or its job would have failed
    cases = table.case.unique()
    figure, axes = plt.subplots(2, len(cases), figsize=(style.WIDTH, 3.9), squeeze=False, layout="constrained")
    for (distance, error), case in zip(axes.T, cases, strict=True):
        here = table[table.case == case]
        for regime, group in here.groupby("regime", sort=False):
            colour = style.colour(regime)
            moved = group[group.counterfactual == "up-weighted"].groupby("step")
            for axis, column in ((distance, "norm"), (error, "response_error")):
                low, middle, high = (moved[column].quantile(q) for q in (0, 0.5, 1))
                axis.plot(middle.index, middle, color=colour, label=f"{regime}: median and range", marker=".", ms=5)
                axis.fill_between(low.index, low, high, color=colour, alpha=0.2, lw=0)
            floor = group[group.counterfactual == "noise floor"].groupby("step").norm.median()
            distance.plot(floor.index, floor, color=colour, ls=":", lw=1.2, label=f"{regime}: noise floor")
        for axis in (distance, error):
            style.count_axis(axis, here.step.max())
            axis.set_yscale("log")
            axis.yaxis.set_minor_locator(NullLocator())
        distance.set_title(style.label(case).replace(", ", "\n"))
        error.axhline(1, color="0.7", lw=0.8, zorder=0)
        error.set(xlabel="steps after fork", ylim=(1e-4, 1e3))
    axes[0, 0].set_ylabel("distance of parameters\n$\\Vert\\delta_t\\Vert$")
    axes[1, 0].set_ylabel("relative error of\nlinear response")
    style.shared_legend(figure, axes[0], columns=3)
    job.write("png", figure)
    job.write("svg", figure)
