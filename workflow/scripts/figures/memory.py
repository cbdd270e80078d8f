"""Draw how long what a step did is remembered: by age, half-lives forecast and observed, and by epoch."""

from fading.artefacts.job import Job
from fading.experiments.memory import GRADIENT_DOT, ONCE, OWN, STEP_DOT
from fading.experiments.seen import SHARE
from fading.figures import style
from matplotlib import pyplot as plt

DRAWN = (GRADIENT_DOT, STEP_DOT, ONCE, "abif", "ekfac", "random")  # the table has all
ROWS = {
    "rank correlation with\nthe exact effect": (("spearman", "ci_low", "ci_high"), DRAWN),
    "share of the step\nthat is left": (("slope", "slope_low", "slope_high"), (STEP_DOT,)),
}


def band(axis, line, columns, name, names):
    value, low, high = columns
    axis.plot(line.age, line[value], marker=".", ms=3, label=names.label(name), **names.look(name))
    axis.fill_between(line.age, line[low], line[high], color=names.colour(name), alpha=0.2, lw=0)


with Job(snakemake) as job:
    style.apply()
    names = style.Names(**job.settings["names"])
    table, lives, seen = job.read("table"), job.read("memory_half_life"), job.read("memory_seen", optional=True)
    panels = list(table[table.changed == OWN].groupby(["case", "regime"], sort=False))
    colours = style.distinct(table.case.unique())
    figure = plt.figure(figsize=(style.WIDTH, 3), layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=[3.8 * -(-len(panels) // style.ACROSS), 3])
    stacks, leftmost = style.stacks(upper, len(panels), 2, 3.8, sharex=True)
    for column, ((case, regime), panel) in zip(stacks, panels, strict=True):
        for axis, (values, drawn) in zip(column, ROWS.values(), strict=True):
            for name in drawn:
                band(axis, panel[panel.estimator == name].sort_values("age"), values, name, names)
            axis.axhline(0, color="0.7", lw=0.8, zorder=0)
            style.count_axis(axis, panel.age.max())
            axis.tick_params(labelleft=False)
        column[0].set_title(f"{names.title(case)}\n{regime}", fontsize=7)
        column[0].set_ylim(-1.05, 1.05)
        column[1].set(xlabel="age (steps)", yscale="symlog", ylim=(-2, 10))
        column[1].set_yticks(ticks := (0, 1, 2, 10), ticks)
        column[1].tick_params(labelbottom=True)
    for axis, label in zip(leftmost.flat, [*ROWS] * len(leftmost), strict=True):
        axis.set_ylabel(label)
        axis.tick_params(labelleft=True)
    style.shared_legend(upper, stacks.flat, columns=3)
    left, *beside = lower.subplots(1, 2 if seen is not None else 1, squeeze=False)[0]
    for case, group in lives.dropna(subset="predicted").groupby("case", sort=False):
        left.scatter(group.predicted, group.observed, s=12, color=colours[case], label=names.label(case))
    left.plot(ends := [1, 1.1 * table.age.max()], ends, color="0.7", lw=0.8, zorder=0)
    left.set(xscale="log", yscale="log", xlabel="half-life forecast (steps)", ylabel="half-life observed (steps)")
    for right in beside:
        for case, group in seen[seen.statistic == SHARE].groupby("case", sort=False):
            reach = [group.estimate - group.ci_low, group.ci_high - group.estimate]
            shown = {"color": colours.get(case, "0.5"), "label": names.label(case)}
            right.errorbar(group.epoch, group.estimate, reach, marker="o", ms=3, **shown)
        right.set(xlabel="how often the example had been drawn", ylabel="share of its influence", ylim=(0, 1))
        right.set_xticks(sorted(seen.epoch.unique()))
    style.shared_legend(lower, [left, *beside], columns=2)
    style.write(job, figure)
