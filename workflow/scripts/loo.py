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
    found = by_estimator(job.read("scores"))
    scores = {name: found[name] for name in job.settings["estimators"]}
    where = {"case": job.wildcards["case"], "seed": job.seed}
    job.write("pairs", located(leave_one_out_pairs(truths, scores), **where))
    unrolled = [unrolled_truth(scores[name]) for name in ("linear-response", "unrolled") if name in scores]
    truths |= dict(zip([UNROLLED], unrolled, strict=False))
    job.write("correlations", located(leave_one_out_correlations(truths, scores), **where))
