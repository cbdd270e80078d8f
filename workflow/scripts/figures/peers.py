"""Draw how long other libraries and ours take for the same answer, and how far the answers are apart."""

import numpy as np
from fading.artefacts.job import Job
from fading.figures import style
from matplotlib import pyplot as plt

EXACT = 1e-4  # the agreement that float32 allows

with Job(snakemake) as job:
    style.apply()
    names = style.Names(**job.settings["names"])
    table = job.read("table").sort_values(["case", "library", "estimator"], ascending=False)
    rows = np.arange(len(table))
    figure, (time, error) = plt.subplots(
        1, 2, figsize=(style.WIDTH, 0.28 * len(table) + 1.2), sharey=True, width_ratios=[3, 2], layout="constrained"
    )
    time.hlines(rows, table.steps_ours, table.steps, color="0.8", lw=1.5, zorder=0)
    time.scatter(table.steps, rows, color=names.colour("edge"), s=22, label="the other library")
    time.scatter(table.steps_ours, rows, color=names.colour("calm"), s=22, label="fading")
    time.set(xscale="log", xlabel="time, in training steps of the same model")
    compared = table.library + ": " + table.estimator + "\n" + table.case.map(names.label)
    time.set_yticks(rows, compared, fontsize=6)
    agrees = table.relative_error < EXACT
    error.scatter(table.relative_error[agrees], rows[agrees], color="0.3", s=18, label="agrees")
    error.scatter(
        table.relative_error[~agrees],
        rows[~agrees],
        color=names.colour("diverging"),
        s=18,
        marker="X",
        label="differs (see the table's remark)",
    )
    error.axvline(EXACT, color="0.7", lw=0.8, zorder=0)
    error.set(xscale="log", xlabel="relative difference of the results")
    style.shared_legend(figure, (time, error), columns=4)
    style.write(job, figure)
