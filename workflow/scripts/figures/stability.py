"""Draw where each solver converges: its residual by damping, and how its scores agree with the best solution's."""

import numpy as np
from fading.artefacts.job import Job
from fading.evidence.tables import most_products
from fading.figures import style
from matplotlib import colors
from matplotlib import pyplot as plt

KINDS = {"hessian": "Hessian", "gauss-newton": "Gauss-Newton"}
ORDER = ["explicit", "CG", "MINRES", "LiSSA", "Arnoldi"]

with Job(snakemake) as job:
    style.apply()
    names = style.Names(**job.settings["names"])
    table = most_products(job.read("table"))
    table = table.assign(name=(table.solver + " " + table.setting.replace("standard", "")).str.strip())
    cases = table.case.unique()
    rows = sorted(table.name.unique(), key=lambda name: (ORDER.index(name.split()[0]), name))
    figure, axes = plt.subplots(
        len(KINDS), len(cases), figsize=(style.WIDTH, 5.4), sharey=True, squeeze=False, layout="constrained"
    )
    scale = colors.LogNorm(1e-6, 1e2)
    for kind, line in zip(KINDS, axes, strict=True):
        for case, axis in zip(cases, line, strict=True):
            cells = table[(table.case == case) & (table.curvature == kind)].groupby(["name", "damping"])
            residual = cells.residual.median().unstack().reindex(rows)
            shown = residual.replace([np.inf], 1e30).clip(1e-6, 1e2)
            image = axis.pcolormesh(shown.to_numpy(), norm=scale, cmap="cividis_r", edgecolors="white", lw=0.5)
            agreement = cells.agreement.mean().unstack().reindex(rows)
            for y, name in enumerate(rows):
                for x, damping in enumerate(residual.columns):
                    if np.isfinite(agreement.loc[name, damping]):
                        dark = shown.loc[name, damping] > 1e-2
                        text = f"{agreement.loc[name, damping]:.2f}".replace("0.", ".")
                        axis.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=5, color="wk"[not dark])
            axis.set_xticks(np.arange(len(residual.columns)) + 0.5, [f"{damping:g}" for damping in residual.columns])
            axis.set_yticks(np.arange(len(rows)) + 0.5, rows, fontsize=6)
            axis.tick_params(length=0)
            axis.set_title(names.label(case).replace(", ", "\n") + "\n" + KINDS[kind])
    axes[0, 0].invert_yaxis()
    for axis in axes[-1]:
        axis.set_xlabel("damping $\\lambda$")
    figure.colorbar(
        image, ax=axes, label="relative residual (median); above 1 it has diverged", extend="both", shrink=0.6
    )
    style.write(job, figure)
