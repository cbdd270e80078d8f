"""Draw how long influence lasts, how removal is predicted and how often correction succeeds, by a network's size."""

from fading.artefacts.job import Job
from fading.experiments.correction.names import DESCEND, LABEL_NEIGHBOURS, OF_LABEL, RANDOM
from fading.experiments.memory import OWN
from fading.experiments.removal import THIS_RUN
from fading.experiments.scale import CENSORED, FORECAST, OBSERVED, half_lives_by_case
from fading.figures import style
from matplotlib import pyplot as plt
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

ACROSS = {"parameters": "trained parameters", "steps": "steps of training", "test_accuracy": "test accuracy"}
MARKERS = {CENSORED: "^", FORECAST: "_", "ekfac": "s", LABEL_NEIGHBOURS: "s", OF_LABEL: "^", RANDOM: "x"}


def extreme(table, column, end):
    """The rows of each case with its largest or smallest value of a column."""
    return table[table[column] == table.groupby("case")[column].transform(end)]


with Job(snakemake) as job:
    style.apply()
    names = style.Names(**job.settings["names"])
    sizes, lives = job.read("table"), job.read("memory_half_life")
    lives = half_lives_by_case(lives[lives.changed == OWN])
    removal = job.read("removal").rename(columns={"estimator": "method"})
    removal = extreme(removal[(removal.truth == THIS_RUN) & (removal.removed > 1)], "share", "min")
    corrected = job.read("correction")
    corrected = corrected[corrected.intervention == DESCEND]
    corrected = extreme(extreme(extreme(corrected, "k", "max"), "relative_rate", "max"), "step", "max")
    rows = {
        "half-life of\na step (steps)": (lives, "half_life", [OBSERVED, CENSORED, FORECAST]),
        f"datamodeling score,\n{removal.share.min():.0%} left out": (removal, "lds", ["unrolled", "ekfac", RANDOM]),
        "share of mis-predictions\ncorrected": (corrected, "success", ["abif", LABEL_NEIGHBOURS, OF_LABEL, RANDOM]),
    }
    figure, axes = plt.subplots(3, 3, sharex="col", sharey="row", figsize=(style.WIDTH, 5.6))
    drawn = [case for case in sizes.case if any(case in set(table.case) for table, *_ in rows.values())]
    colours = style.distinct(drawn)
    axes[0, 0].set_yscale("log")
    for line, (label, (table, value, methods)) in zip(axes, rows.items(), strict=True):
        points = table[table.method.isin(methods)].merge(sizes[["case", *ACROSS]], on="case")
        line[0].set_ylabel(label)
        for axis, across in zip(line, ACROSS, strict=True):
            for point in points.to_dict("records"):
                low, high = (point.get(end, point[value]) for end in ("ci_low", "ci_high"))
                reach = [[point[value] - low], [high - point[value]]]
                marker, colour = MARKERS.get(point["method"], "o"), colours[point["case"]]
                axis.errorbar(point[across], point[value], reach, marker=marker, color=colour, ms=4, lw=1)
        for method in methods:
            line[-1].plot([], [], MARKERS.get(method, "o"), color="0.4", ms=4, label=names.short(method))
        line[-1].legend(fontsize=6, loc="center left", bbox_to_anchor=(1, 0.5))
    for case, colour in colours.items():
        axes[0, 0].plot([], [], "o", color=colour, ms=4, label=names.label(case))
    for axis, (across, label) in zip(axes[-1], ACROSS.items(), strict=True):
        axis.set(xlabel=label, xscale="linear" if across == "test_accuracy" else "log")
    for axis in (axes[0, 0].yaxis, axes[-1, 1].xaxis):
        axis.set(major_locator=LogLocator(subs=(1, 2, 5)), major_formatter=StrMethodFormatter("{x:g}"))
        axis.set_minor_locator(NullLocator())
    style.shared_legend(figure, [axes[0, 0]], columns=2)
    style.write(job, figure)
