"""Compare leave-one-out retraining, and the proximal response, with what each estimator predicted of them."""

from fading.job import Job
from fading.tables import PROXIMAL, RETRAINING, leave_one_out_correlations, leave_one_out_pairs, located, stack

with Job(snakemake) as job:
    truths = {
        RETRAINING: stack(job.read("changes"), ["loss_change", "members", "epsilon"]),
        PROXIMAL: job.read("proximal"),
    }
    scores = dict(zip(job.settings["estimators"], job.read("scores"), strict=True))
    where = {"case": job.wildcards["case"], "seed": job.seed}
    job.write("pairs", located(leave_one_out_pairs(truths, scores), **where))
    job.write("correlations", located(leave_one_out_correlations(truths, scores), **where))
