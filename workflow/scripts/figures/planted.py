"""Draw whether planted errors are found along training, and what mending those that were found is worth."""

from fading.artefacts.job import Job
from fading.experiments.correction.names import NOTHING, REMEDIES
from fading.figures import style
from matplotlib import pyplot as plt

with Job(snakemake) as job:
    style.apply()
    names = style.Names(**job.settings["names"])
    precisions, mended = job.read("table"), job.read("planted_recovery")
    cases = precisions.case.unique()
    figure, axes = plt.subplots(len(cases), 3, figsize=(style.WIDTH, 2.2 * len(cases) + 0.5), squeeze=False)

    def draw(axis, rows, value, scale=1):
        """A line per method over checkpoints, each at a place of its own, so that intervals stand side by side."""
        steps, methods = list(precisions.step[precisions.case == case].unique()), list(rows.method.unique())
        for number, method in enumerate(methods):
            line = rows[rows.method == method]
            places = [steps.index(step) + 0.5 * (number + 0.5) / len(methods) - 0.25 for step in line.step]
            reach = [scale * (line[value] - line.ci_low), scale * (line.ci_high - line[value])]
            look = {"color": names.colour(method), "label": names.short(method)}
            axis.errorbar(places, scale * line[value], reach, marker="o", ms=3, lw=1, **look)
        axis.set_xticks(range(len(steps)), [f"{step:g}" for step in steps])
        axis.set_xlabel("steps of training")

    for row, case in zip(axes, cases, strict=True):
        row[2].sharey(row[1])
        draw(row[0], precisions[precisions.case == case], "average_precision")
        row[0].set(ylabel="average precision", ylim=(0, 1.02), title=names.label(case))
        gains = mended[(mended.case == case) & (mended.against == NOTHING) & (mended.method != NOTHING)]
        for axis, remedy in zip(row[1:], REMEDIES, strict=True):
            draw(axis, gains[gains.remedy == remedy], "gain", 100)
            axis.axhline(0, color="0.5", lw=0.8, zorder=0)
            axis.set_title(f"{remedy} suspects")
        row[1].set_ylabel("test accuracy gained\n(percentage points)")
    style.shared_legend(figure, axes.flat, columns=4)
    style.write(job, figure)
