"""Draw how long what a step did is remembered: by age, half-lives forecast and observed, and by epoch."""

from fading.artefacts.job import Job
from fading.experiments.memory import GRADIENT_DOT, ONCE, SETTING, STEP_DOT
from fading.experiments.seen import SHARE
from fading.figures import style
from matplotlib import pyplot as plt

DRAWN = (GRADIENT_DOT, STEP_DOT, ONCE, "abif", "ekfac", "cg")  # the table has all
LEFT = (
    ("spearman", "ci_low", "ci_high", "rank correlation with\nthe exact effect"),
    ("slope", "slope_low", "slope_high", "what is left of a step"),
)

with Job(snakemake) as job:
    style.apply()
    names = style.Names(**job.settings["names"])
    table, lives, seen = job.read("table"), job.read("memory_half_life"), job.read("memory_seen")
    main = table.merge(table.groupby(["case", "regime"], sort=False)[SETTING[2:]].first().reset_index())
    panels = list(main.groupby(["case", "regime"], sort=False))
    figure = plt.figure(figsize=(style.WIDTH, 6.4), layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=[2, 1.1])
    axes = upper.subplots(2, len(panels), sharex=True, sharey="row", squeeze=False)
    for column, ((case, regime), panel) in zip(axes.T, panels, strict=True):
        for axis, (value, low, high, label) in zip(column, LEFT, strict=True):
            for name in DRAWN if value == "spearman" else (STEP_DOT,):
                line = panel[panel.estimator == name].sort_values("age")
                if (
                    name == STEP_DOT
                    and value == "spearman"
                    and line.spearman.equals(panel[panel.estimator == GRADIENT_DOT].spearman)
                ):
                    continue
                axis.plot(line.age, line[value], marker=".", ms=4, color=names.colour(name), label=names.label(name))
                axis.fill_between(line.age, line[low], line[high], color=names.colour(name), alpha=0.2, lw=0)
            axis.axhline(0, color="0.7", lw=0.8, zorder=0)
            style.count_axis(axis, panel.age.max())
            column[0].set_title(f"{names.label(case).replace(', ', chr(10))}\n{regime}")
            if column is axes.T[0]:
                axis.set_ylabel(label)
        column[-1].set_xlabel("steps since")
    style.shared_legend(upper, axes.flat, columns=3)
    left, right = lower.subplots(1, 2)
    for case, group in lives.dropna(subset=["predicted"]).groupby("case", sort=False):
        left.scatter(group.predicted, group.observed, s=12, label=names.label(case))
    ends = [1, table.age.max()]
    left.plot(ends, ends, color="0.7", lw=0.8, zorder=0)
    left.set(xscale="log", yscale="log", xlabel="half-life forecast from the fork (steps)", ylabel="observed (steps)")
    left.legend(fontsize=6)
    for case, group in seen[seen.statistic == SHARE].groupby("case", sort=False):
        right.errorbar(
            group.epoch,
            group.estimate,
            [group.estimate - group.ci_low, group.ci_high - group.estimate],
            marker="o",
            ms=3,
            label=names.label(case),
        )
    right.set(
        xlabel="how often the example had been seen",
        ylabel="share of its influence",
        ylim=(0, 1),
        xticks=sorted(seen.epoch.unique()),
    )
    job.write("png", figure)
    job.write("svg", figure)
