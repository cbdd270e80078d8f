"""Draw how much rankings depend on the trajectory: between checkpoints, orders and seeds, and against the truth."""

import numpy as np
from fading import style
from fading.job import Job
from matplotlib import pyplot as plt

with Job(snakemake) as job:
    style.apply()
    table = job.read("table")
    cases, between, estimators = (table[name].unique() for name in ("case", "between", "estimator"))
    figure, axes = plt.subplots(
        1, len(cases), figsize=(style.WIDTH, 2.6), sharey=True, squeeze=False, layout="constrained"
    )
    places = {name: -float(place) for place, name in enumerate(between)}
    for case, axis in zip(cases, axes[0], strict=True):
        for shift, estimator in zip(np.linspace(0.15, -0.15, len(estimators)), estimators, strict=True):
            mine = table[(table.case == case) & (table.estimator == estimator)]
            ends = [(mine.spearman - mine.ci_low).clip(lower=0), (mine.ci_high - mine.spearman).clip(lower=0)]
            look = {"color": style.colour(estimator), "fmt": "o", "ms": 4, "lw": 1.2}
            axis.errorbar(
                mine.spearman, mine.between.map(places) + shift, xerr=ends, label=style.label(estimator), **look
            )
        axis.axvline(1, color="0.7", lw=0.8, zorder=0)
        axis.axvline(0, color="0.7", lw=0.8, zorder=0)
        axis.set(xlim=(-0.6, 1.08), xlabel="Spearman correlation", ylim=(-len(between) + 0.5, 0.5))
        axis.set_title(style.label(case).replace(", ", "\n"))
    axes[0, 0].set_yticks(list(places.values()), places)
    style.shared_legend(figure, axes[0], columns=2)
    job.write("png", figure)
    job.write("svg", figure)
