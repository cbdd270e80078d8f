"""Draw what the fading of influence consists of, as stacked shares of a correlation of one."""

import math

import numpy as np
from fading.artefacts.job import Job
from fading.experiments.fading import CURVATURE, KEPT, PARTS, PATH, REST, REUSE, TOGETHER
from fading.figures import style
from matplotlib import pyplot as plt

COLUMNS = 3
NAMES = {
    KEPT: "kept by the gradient dot product",
    CURVATURE: "decay of high-curvature directions",
    REUSE: "re-use of the example",
    PATH: "change of curvature and gradients along the path",
    TOGETHER: "decay, re-use and path together",
    REST: "beyond first order",
}

with Job(snakemake) as job:
    style.apply()
    names = style.Names(**job.settings["names"])
    table = job.read("table")
    panels = list(table.groupby(["case", "regime"], sort=False))
    rows = math.ceil(len(panels) / COLUMNS)
    figure, axes = plt.subplots(
        rows, COLUMNS, figsize=(style.WIDTH, 1.7 * rows + 0.5), sharey=True, squeeze=False, layout="constrained"
    )
    for axis, ((case, regime), panel) in zip(axes.flat, panels, strict=False):
        shares = panel.pivot(index="step", columns="part", values="share")
        above, below = np.zeros(len(shares)), np.zeros(len(shares))
        for part in filter(shares.columns.__contains__, PARTS):
            share = shares[part].to_numpy()
            bottom = np.where(share >= 0, above, below)
            axis.bar(range(len(shares)), share, 0.8, bottom, color=names.colour(part), label=NAMES[part])
            above, below = above + share.clip(min=0), below + share.clip(max=0)
        axis.set_xticks(range(len(shares)), shares.index)
        axis.axhline(0, color="0.3", lw=0.6)
        axis.axhline(1, color="0.7", lw=0.6, zorder=0)
        axis.set_title(f"{names.title(case, 30)}\n{regime}")
    style.finish_grid(axes, len(panels), "steps after up-weighting began")
    for axis in axes[:, 0]:
        axis.set_ylabel("share of the\ncorrelation")
    style.shared_legend(figure, axes.flat, columns=2)
    style.write(job, figure)
