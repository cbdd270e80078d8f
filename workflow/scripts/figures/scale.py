"""Draw how long influence lasts, how removal is predicted and how often correction succeeds, by a network's size."""

from fading.artefacts.job import Job
from fading.experiments.correction.names import DESCEND, RANDOM
from fading.experiments.memory import OWN
from fading.experiments.removal import THIS_RUN
from fading.figures import style
from matplotlib import pyplot as plt

ACROSS = {"parameters": "trained parameters", "steps": "steps of training", "test_accuracy": "test accuracy"}
MARKERS = {"unrolled": "o", "ekfac": "s", "abif": "o", "label-neighbours": "s", RANDOM: "x"}


def last(table, *columns):
    """The rows with the largest value of each column in turn, of each case."""
    for column in columns:
        table = table[table[column] == table.groupby("case")[column].transform("max")]
    return table


with Job(snakemake) as job:
    style.apply()
    names = style.Names(**job.settings["names"])
    sizes, lives, removal, correction = (
        job.read(name) for name in ("table", "memory_half_life", "removal", "correction")
    )
    lives = lives[lives.changed == OWN].groupby("case", sort=False).first().reset_index()
    removal = removal[(removal.truth == THIS_RUN) & (removal.share > 0) & removal.estimator.isin(MARKERS)]
    removal = removal[removal.share == removal.groupby("case").share.transform("min")]
    descended = correction[(correction.intervention == DESCEND) & correction.method.isin(MARKERS)]
    rows = {
        "half-life of\na step (steps)": (lives.assign(method=""), "observed"),
        f"datamodeling score,\n{removal.share.min():.0%} left out": (
            removal.rename(columns={"estimator": "method"}),
            "lds",
        ),
        "share of mis-predictions\ncorrected": (last(descended, "k", "relative_rate", "step"), "success"),
    }
    shape = {"sharex": "col", "sharey": "row", "figsize": (style.WIDTH, 5.6)}
    figure, axes = plt.subplots(len(rows), len(ACROSS), **shape)
    cases = {case: style.PALETTE[place % len(style.PALETTE)] for place, case in enumerate(sizes.case)}
    for line, (label, (table, value)) in zip(axes, rows.items(), strict=True):
        table = table.merge(sizes[["case", *ACROSS]], on="case")
        line[0].set_ylabel(label)
        for axis, across in zip(line, ACROSS, strict=True):
            for (case, method), points in table.groupby(["case", "method"], sort=False):
                look = {"marker": MARKERS.get(method, "o"), "color": cases[case], "ls": "", "ms": 4, "lw": 1}
                reach = [points[value] - points.ci_low, points.ci_high - points[value]] if "ci_low" in points else None
                axis.errorbar(points[across], points[value], reach, **look)
        for method in dict.fromkeys(table.method):
            if method:
                line[-1].plot([], [], MARKERS[method], color="0.4", ms=4, label=names.short(method))
        if line[-1].get_legend_handles_labels()[0]:
            line[-1].legend(fontsize=6, loc="center left", bbox_to_anchor=(1, 0.5))
    for case, colour in cases.items():
        axes[0, 0].plot([], [], "o", color=colour, ms=4, label=names.label(case))
    for axis, across in zip(axes[-1], ACROSS, strict=True):
        axis.set_xlabel(ACROSS[across])
        if across != "test_accuracy":
            axis.set_xscale("log")
    style.shared_legend(figure, [axes[0, 0]], columns=3)
    style.write(job, figure)
