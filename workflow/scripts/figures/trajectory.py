"""Draw how much rankings depend on the trajectory: between checkpoints, orders and seeds, and against the truth."""

import numpy as np
import pandas as pd
from fading.artefacts.job import Job
from fading.experiments.effects import UNROLLED
from fading.figures import style
from matplotlib import pyplot as plt

UNROLLED_TOO = "ekfac"  # against the truth, beside the estimators that runs are compared by

with Job(snakemake) as job:
    style.apply()
    names = style.Names(**job.settings["names"])
    table, truths = job.read("table"), job.read("loo_summary")
    truths = truths[(truths.truth == UNROLLED) & truths.case.isin(table.case) & (truths["size"] == 1)]
    table = pd.concat([table, truths.assign(between="end and unrolled truth")])
    cases, between = table.case.unique(), table.between.unique()
    estimators = [*dict.fromkeys(job.read("table").estimator), UNROLLED_TOO]
    figure, axes = plt.subplots(
        1, len(cases), figsize=(style.WIDTH, 2.7), sharey=True, squeeze=False, layout="constrained"
    )
    places = {name: -float(place) for place, name in enumerate(between)}
    for case, axis in zip(cases, axes[0], strict=True):
        for shift, estimator in zip(np.linspace(0.2, -0.2, len(estimators)), estimators, strict=True):
            means = table[(table.case == case) & (table.estimator == estimator)]
            ends = [(means.spearman - means.ci_low).clip(lower=0), (means.ci_high - means.spearman).clip(lower=0)]
            look = {"color": names.colour(estimator), "fmt": "o", "ms": 4, "lw": 1.2}
            rows = [places[name] + shift for name in means.between]
            axis.errorbar(means.spearman, rows, xerr=ends, label=names.label(estimator), **look)
        axis.axvline(1, color="0.7", lw=0.8, zorder=0)
        axis.axvline(0, color="0.7", lw=0.8, zorder=0)
        axis.set(xlim=(None, 1.08), xlabel="Spearman correlation", ylim=(-len(between) + 0.5, 0.5))
        axis.set_title(names.label(case).replace(", ", "\n"))
        axis.set_xticks([-0.5, 0, 0.5, 1])
    axes[0, 0].set_yticks(list(places.values()), places)
    style.shared_legend(figure, axes[0], columns=2)
    style.write(job, figure)
