"""Draw who predicts what leaving out parts of the training set does, how large that is, and what flips predictions."""

from fading.artefacts.job import Job
from fading.experiments.removal import ANOTHER_ORDER, ANOTHER_SEED, ONE_ULP, THIS_RUN
from fading.figures import style
from matplotlib import pyplot as plt

OTHER_RUNS = (ANOTHER_ORDER, ANOTHER_SEED)
RUNGS = ("unrolled", "source", "ekfac", "cg", "abif", "datainf", "trak-ensemble", "tracin", "gradient-dot", "random")
LABELS = ("linear datamodeling\nscore", "change of test\nloss (nats)", "predictions\nflipped")


with Job(snakemake) as job:
    style.apply()
    names = style.Names(**job.settings["names"])
    table, sizes, flips = job.read("table"), job.read("removal_size"), job.read("removal_flips")
    scored = table[table.truth == THIS_RUN].sort_values("share")
    cases = list(scored.case.drop_duplicates().sort_index())
    heights = {"height_ratios": [2.2, 1, 1], "layout": "constrained"}
    figure, axes = plt.subplots(3, len(cases), figsize=(style.WIDTH, 6.6), squeeze=False, sharey="row", **heights)
    for (upper, middle, lower), case in zip(axes.T, cases, strict=True):
        lines = dict(list(scored[scored.case == case].groupby("estimator")))
        for name in (name for name in (*RUNGS, *OTHER_RUNS) if name in lines):
            line = lines[name]
            upper.plot(line["share"], line.lds, marker=".", ms=4, label=names.short(name), **names.look(name))
            upper.fill_between(line["share"], line.ci_low, line.ci_high, color=names.colour(name), alpha=0.1, lw=0)
        upper.axhline(0, color="0.7", lw=0.8, zorder=0)
        of_case = sizes[sizes.case == case].sort_values("share")
        left_out, noise = of_case[of_case.what != ONE_ULP], of_case[of_case.what == ONE_ULP]
        middle.plot(left_out["share"], left_out["size"], marker=".", color="0.2", label="part left out")
        middle.axhline(noise["size"].iloc[0], color="0.6", ls="--", lw=1, label=ONE_ULP)
        middle.set(yscale="log")
        for ranking, line in flips[flips.case == case].groupby("ranking", sort=False):
            lower.plot(
                line.removed, line.flipped, marker="o", ms=3, color=names.colour(ranking), label=names.short(ranking)
            )
        for axis in (upper, middle):
            axis.set(xscale="log", xlabel="share left out at random")
        if case in set(flips.case):
            lower.set(xscale="log", xlabel="most helpful left out", ylim=(-0.03, 1.03))
            lower.set_xticks(counts := sorted(flips.removed.unique()), counts)
            lower.minorticks_off()
        else:
            lower.set_axis_off()
        upper.set_title(names.label(case).replace(", ", "\n"), fontsize=7)
    first = next((place for place, case in enumerate(cases) if case in set(flips.case)), 0)
    for line, place, label in zip(axes, (0, 0, first), LABELS, strict=True):
        line[place].set_ylabel(label)
        line[place].tick_params(labelleft=True)
    style.shared_legend(figure, axes.flat, columns=5)
    style.write(job, figure)
