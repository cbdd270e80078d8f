"""Draw what first-order predictions leave over: against the weight's change, and against the step."""

import numpy as np
from fading.artefacts.job import Job
from fading.figures import style
from fading.training.counterfactuals import NO_EXAMPLE
from matplotlib import pyplot as plt

with Job(snakemake) as job:
    style.apply()
    names = style.Names(**job.settings["names"])
    table, summary = job.read("table"), job.read("expansion_summary")
    table = table[(table.other_index == NO_EXAMPLE) & (table.epsilon > 0)]
    cases = table.case.unique()
    figure = plt.figure(figsize=(style.WIDTH, 0.5), layout="constrained")
    axes, leftmost = style.stacks(figure, len(cases), 2, 3.7)
    for (top, bottom), case in zip(axes, cases, strict=True):
        for regime, remainders in table[table.case == case].groupby("regime", sort=False):
            colour = names.colour(regime)
            end = remainders[remainders.step == remainders.step.max()].groupby("epsilon").remainder.median()
            slopes = summary[(summary.case == case) & (summary.regime == regime) & (summary.statistic == "slope")]
            top.plot(end.index, end, marker="o", ms=3.5, color=colour, label=f"slope {slopes.estimate.item():.2f}")
            largest = remainders[remainders.epsilon == remainders.epsilon.max()]
            for name, look, text in (
                ("tracin_remainder", {"color": colour, "ls": "--"}, f"{regime}: TracIn"),
                ("remainder", {"color": colour, "ls": "-"}, f"{regime}: linear response"),
                ("random_remainder", {"color": names.colour("random"), "ls": ":"}, "a random direction"),
            ):
                middle = (largest[name] / largest.norm).groupby(largest.step).median()
                bottom.plot(middle.index, middle, label=text, **look)
        guide = np.array([table.epsilon.min(), table.epsilon.max()])
        top.plot(guide, end.iloc[-1] * (guide / guide.max()) ** 2, color="0.7", lw=0.8, zorder=0)
        top.set(xscale="log", yscale="log", xlabel="change of weight $\\varepsilon$")
        top.legend(fontsize=6, loc="lower right", handlelength=1)
        top.set_title(names.title(case))
        bottom.set(yscale="log", ylim=(1e-5, 3e1), xlabel="steps after fork")
        bottom.axhline(1, color="0.7", lw=0.8, zorder=0)
    for top, bottom in leftmost:
        top.set_ylabel("left over by the first order\n$\\Vert\\delta-\\varepsilon\\psi\\Vert$ at the last step")
        bottom.set_ylabel("left over, relative to $\\Vert\\delta\\Vert$")
    style.shared_legend(figure, axes[:, 1], columns=3)
    style.write(job, figure)
