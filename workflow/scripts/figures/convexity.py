"""Draw the Hessian's spectrum along training, and what damping and the Gauss-Newton matrix buy."""

import numpy as np
from fading.artefacts.job import Job
from fading.experiments.convexity import RATIO
from fading.experiments.effects import PROXIMAL, RETRAINING
from fading.figures import style
from matplotlib import pyplot as plt
from matplotlib.ticker import NullLocator

LOOKS = {  # of curvature and truth
    ("hessian", RETRAINING): ("Hessian, against retraining", 0, "-", "o"),
    ("gauss-newton", RETRAINING): ("Gauss-Newton, against retraining", 1, "-", "o"),
    ("hessian", PROXIMAL): ("Hessian, against the proximal response", 0, ":", "s"),
    ("gauss-newton", PROXIMAL): ("Gauss-Newton, against the proximal response", 1, ":", "s"),
}

with Job(snakemake) as job:
    style.apply()
    names = style.Names(**job.settings["names"])
    spectra, summary, remedies = job.read("table"), job.read("convexity_summary"), job.read("remedies")
    spectra = spectra[spectra.seed == spectra.seed.iloc[0]]  # the first run's, which are along training
    cases = spectra.case.unique()
    figure, axes = plt.subplots(2, len(cases), figsize=(style.WIDTH, 4.6), squeeze=False, layout="constrained")
    for (top, bottom), case in zip(axes.T, cases, strict=True):
        ratios = summary[(summary.case == case) & (summary.statistic == RATIO)].set_index("step")
        for number, (step, masses) in enumerate(spectra[spectra.case == case].groupby("step")):
            name = ("start", "half-way", "end")[number]
            row = ratios.loc[step]
            interval = f" [{row.ci_low:.2g}, {row.ci_high:.2g}]" if row.ci_low < row.ci_high else ""
            text = f"{name}: {row.estimate:.2g}{interval}"
            top.plot(masses.value, masses.weight, marker=".", ms=3, lw=0.7, color=style.PALETTE[number], label=text)
        largest = 10 ** np.floor(np.log10(spectra[spectra.case == case].value.abs().max()))
        top.set_xscale("symlog", linthresh=largest / 100)
        top.set_xticks([-largest, 0, largest], [f"{tick:g}" for tick in (-largest, 0, largest)])
        top.xaxis.set_minor_locator(NullLocator())
        top.set(yscale="log", ylim=(1e-13, 3), xlabel="eigenvalue")
        top.set_title(names.label(case).replace(", ", "\n"))
        top.axvline(0, color="0.7", lw=0.8, zorder=0)
        top.legend(title="$\\lambda_{\\min}/\\lambda_{\\max}$ at", fontsize=6, title_fontsize=6, loc="lower center")
        rows = remedies[remedies.case == case]
        for key, (text, colour, line, marker) in LOOKS.items():
            curve = rows[(rows.curvature == key[0]) & (rows.truth == key[1])].sort_values("damping")
            look = {"color": style.PALETTE[colour], "ls": line, "marker": marker, "ms": 3.5}
            bottom.plot(curve.damping, curve.spearman, label=text, **look)
            bottom.fill_between(curve.damping, curve.ci_low, curve.ci_high, color=look["color"], alpha=0.12, lw=0)
        bottom.axhline(0, color="0.7", lw=0.8, zorder=0)
        bottom.set(xscale="log", xlabel="damping $\\lambda$", ylim=(-1.08, 1.08))
    axes[0, 0].set_ylabel("weight (share of eigenvalues)")
    axes[1, 0].set_ylabel("Spearman correlation of\ninfluence with the truth")
    style.shared_legend(figure, axes[1], columns=2)
    style.write(job, figure)
