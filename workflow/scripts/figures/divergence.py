"""Draw how far counterfactual parameters move away, when the linear response stops describing it, and for how long."""

from fading.artefacts.job import Job
from fading.figures import style
from matplotlib import pyplot as plt
from matplotlib.ticker import NullLocator

with Job(snakemake) as job:
    style.apply()
    names = style.Names(**job.settings["names"])
    table, horizons = job.read("table"), job.read("expansion_summary")
    table = table[table.counterfactual != "A/A null"]  # exactly zero, or its job would have failed
    cases = table.case.unique()
    figure = plt.figure(figsize=(style.WIDTH, 0.8), layout="constrained")
    axes, leftmost = style.stacks(figure, len(cases), 3, 4.6)
    for (distance, error, horizon), case in zip(axes, cases, strict=True):
        case_rows, of_case = table[table.case == case], horizons[horizons.case == case]
        for regime, group in case_rows.groupby("regime", sort=False):
            colour = names.colour(regime)
            moved = group[group.counterfactual == "up-weighted"].groupby("step")
            for axis, column in ((distance, "norm"), (error, "response_error")):
                low, middle, high = (moved[column].quantile(q) for q in (0, 0.5, 1))
                axis.plot(middle.index, middle, color=colour, label=f"{regime}: median and range", marker=".", ms=5)
                axis.fill_between(low.index, low, high, color=colour, alpha=0.2, lw=0)
            bound = moved.bound.median()
            distance.plot(bound.index, bound, color=colour, ls="--", lw=0.8, label=f"{regime}: growth bound")
            floor = group[group.counterfactual == "noise floor"].groupby("step").norm.median()
            distance.plot(floor.index, floor, color=colour, ls=":", lw=1.2, label=f"{regime}: noise floor")
            rows = of_case[of_case.regime == regime]
            measured, predicted = (rows[rows.statistic == name] for name in ("horizon", "predicted horizon"))
            horizon.scatter(measured.epsilon, measured.estimate, s=12, color=colour)
            horizon.plot(predicted.epsilon, predicted.estimate, color=colour, ls="--", lw=0.8)
        for axis in (distance, error):
            style.count_axis(axis, case_rows.step.max())
            axis.set_yscale("log")
            axis.yaxis.set_minor_locator(NullLocator())
        smallest, largest = case_rows.norm[case_rows.norm > 0].min(), case_rows.norm.max()
        distance.set(ylim=(smallest / 2, 300 * largest))
        distance.set_title(names.title(case))
        error.axhline(1, color="0.7", lw=0.8, zorder=0)
        error.set(xlabel="steps after fork", ylim=(1e-4, 1e3))
        if len(of_case):
            longest = of_case.estimate[of_case.statistic == "horizon"].max()
            horizon.set(xscale="log", xlabel="change of weight $\\varepsilon$", ylim=(0, 1.3 * longest))
        else:
            horizon.set_axis_off()
    for distance, error, horizon in leftmost:
        distance.set_ylabel("distance of parameters\n$\\Vert\\delta_t\\Vert$")
        error.set_ylabel("relative error of\nlinear response")
        horizon.set_ylabel("steps until that\nerror is 50 %")
    style.shared_legend(figure, axes[:, 0], columns=3)
    style.write(job, figure)
