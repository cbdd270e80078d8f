"""Draw how far counterfactual parameters move away, and when the linear response stops describing it."""

import numpy as np
from fading import style
from fading.job import Job
from matplotlib import pyplot as plt

with Job(snakemake) as job:
    style.apply()
    table = job.read("table")
    table = table[table.counterfactual != "null"]  # exactly zero, or its job would have failed
    cases = table.case.unique()
    figure, axes = plt.subplots(
        2, len(cases), figsize=(style.WIDTH, 3.6), sharey="row", squeeze=False, layout="constrained"
    )
    for (distance, error), case in zip(axes.T, cases, strict=True):
        for regime, group in table[table.case == case].groupby("regime", sort=False):
            colour = style.colour(regime)
            moved = group[group.counterfactual == "up-weighted"].groupby("step")
            floor = group[group.counterfactual == "noise floor"].groupby("step").norm.median()
            for axis, column in ((distance, "norm"), (error, "response_error")):
                low, middle, high = (moved[column].quantile(q) for q in (0, 0.5, 1))
                axis.plot(middle.index, middle, color=colour, label=f"{regime}: median, range", marker=".", ms=5)
                axis.fill_between(low.index, low, high, color=colour, alpha=0.2, lw=0)
                axis.set(xscale="log", yscale="log")
            seen = floor.replace(0, np.nan)
            distance.plot(seen.index, seen, color=colour, ls=":", lw=1, label=f"{regime}: one parameter moved by 1 ulp")
        distance.set_title(style.label(case).replace(", ", "\n"))
        error.axhline(1, color="0.7", lw=0.8, zorder=0)
        error.set_xlabel("steps after the fork")
    axes[0, 0].set_ylabel("distance $\\Vert\\delta_t\\Vert$ of\nparameters")
    axes[1, 0].set_ylabel("relative error of\nlinear response")
    style.shared_legend(figure, axes[0], columns=2)
    job.write("png", figure)
    job.write("svg", figure)
