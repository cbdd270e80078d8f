"""Draw who predicts what leaving out parts of the training set does, how large that is, and what flips predictions."""

from fading.artefacts.job import Job
from fading.experiments.removal import ANOTHER_ORDER, ANOTHER_SEED, ONE_ULP, THIS_RUN
from fading.figures import style
from matplotlib import pyplot as plt

CEILING = (ANOTHER_ORDER, ANOTHER_SEED)

with Job(snakemake) as job:
    style.apply()
    names = style.Names(**job.settings["names"])
    table, sizes, flips = job.read("table"), job.read("removal_size"), job.read("removal_flips")
    scored = table[table.truth == THIS_RUN]
    cases = list(scored.case.unique())
    figure, axes = plt.subplots(
        3,
        len(cases),
        figsize=(style.WIDTH, 6.2),
        squeeze=False,
        sharey="row",
        layout="constrained",
        height_ratios=[1.8, 1, 1],
    )
    for column, case in zip(axes.T, cases, strict=True):
        upper, middle, lower = column
        for estimator, line in scored[scored.case == case].groupby("estimator", sort=False):
            look = {"ls": ":", "lw": 1} if estimator in CEILING else {}
            colour = names.colour(estimator)
            upper.plot(line["share"], line.lds, marker=".", ms=4, color=colour, label=names.short(estimator), **look)
            upper.fill_between(line["share"], line.ci_low, line.ci_high, color=colour, alpha=0.12, lw=0)
        upper.axhline(0, color="0.7", lw=0.8, zorder=0)
        of_case = sizes[sizes.case == case]
        left_out, noise = (of_case[(of_case.what == ONE_ULP) == ulp] for ulp in (False, True))
        left_out = left_out.sort_values("share")
        middle.plot(left_out["share"], left_out["size"], marker=".", color="0.2", label="left out")
        middle.axhline(noise["size"].iloc[0], color="0.6", ls="--", lw=1, label=ONE_ULP)
        middle.set(yscale="log")
        for ranking, line in flips[flips.case == case].groupby("ranking", sort=False):
            lower.plot(
                line.removed, line.flipped, marker="o", ms=3, color=names.colour(ranking), label=names.short(ranking)
            )
        for axis in (upper, middle):
            axis.set(xscale="log", xlabel="share left out at random")
        lower.set(xscale="log", xlabel="most helpful left out", ylim=(-0.03, 1.03))
        upper.set_title(names.label(case).replace(", ", "\n"))
    for axis, label in zip(axes[:, 0], ("linear datamodeling\nscore", "change of loss (nats)", "flipped"), strict=True):
        axis.set_ylabel(label)
    style.shared_legend(figure, axes.flat, columns=5)
    job.write("png", figure)
    job.write("svg", figure)
