"""Draw whether planted errors are found, and what mending those that were found is worth."""

import numpy as np
from fading.artefacts.job import Job
from fading.experiments.correction.names import NOTHING, RANDOM, REMEDIES
from fading.figures import style
from matplotlib import pyplot as plt

with Job(snakemake) as job:
    style.apply()
    names = style.Names(**job.settings["names"])
    precisions, mended = job.read("table"), job.read("planted_recovery")
    cases = precisions.case.unique()
    figure, axes = plt.subplots(len(cases), 2, figsize=(style.WIDTH, 1.9 * len(cases) + 0.4), squeeze=False)
    for (left, right), case in zip(axes, cases, strict=True):
        precision = precisions[precisions.case == case]
        gains = mended[(mended.case == case) & (mended.against == NOTHING) & (mended.method != NOTHING)]
        methods = list(gains.method.unique())
        chance = precision.average_precision[precision.method == RANDOM].item()
        left.axvline(chance, color="0.4", lw=0.8, ls=":", zorder=0)
        left.barh(
            [-methods.index(name) for name in precision.method],
            precision.average_precision,
            xerr=[precision.average_precision - precision.ci_low, precision.ci_high - precision.average_precision],
            color=[names.colour(name) for name in precision.method],
            error_kw={"lw": 1},
        )
        for number, remedy in enumerate(REMEDIES):
            remedy_gains = gains[gains.remedy == remedy]
            places = [-methods.index(name) + 0.17 - 0.34 * number for name in remedy_gains.method]
            ends = [remedy_gains.gain - remedy_gains.ci_low, remedy_gains.ci_high - remedy_gains.gain]
            look = {"fmt": "os"[number], "ms": 3.5, "lw": 1, "color": ("0.1", "0.55")[number]}
            right.errorbar(100 * remedy_gains.gain, places, xerr=100 * np.array(ends), label=remedy, **look)
        right.axvline(0, color="0.5", lw=0.8, zorder=0)
        left.set(xlabel="average precision", xlim=(0, 1))
        right.set(xlabel="test accuracy gained (percentage points)")
        left.set_yticks([-place for place in range(len(methods))], [names.short(name) for name in methods])
        right.set_yticks([-place for place in range(len(methods))], [])
        for axis in (left, right):
            axis.set_ylim(0.6 - len(methods), 0.6)
        left.set_title(names.label(case))
    style.shared_legend(figure, axes[:, 1], columns=2)
    style.write(job, figure)
