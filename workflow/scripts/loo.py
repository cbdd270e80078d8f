"""Compare leave-one-out retraining, and the proximal response, with what each estimator predicted of them."""

from fading.job import Job
from fading.tables import (
    PROXIMAL,
    RETRAINING,
    UNROLLED,
    by_estimator,
    leave_one_out_correlations,
    leave_one_out_pairs,
    located,
    stack,
    unrolled_truth,
)

with Job(snakemake) as job:
    truths = {
        RETRAINING: stack(job.read("changes"), ["loss_change", "members", "epsilon"]),
        PROXIMAL: job.read("proximal"),
    }
    settings, found = job.settings, by_estimator(job.read("scores"))
    scores = {name: found[name] for name in settings["estimators"]}
    where = {"case": job.wildcards["case"], "seed": job.seed}
    job.write("pairs", located(leave_one_out_pairs(truths, scores), **where))
    if settings["unrolled"]:
        truths[UNROLLED] = unrolled_truth(scores[settings["unrolled"]])
    job.write("correlations", located(leave_one_out_correlations(truths, scores), **where))
