"""Compare leave-one-out retraining, and the proximal response, with what each estimator predicted of them."""

from fading.artefacts.job import Job
from fading.evidence.tables import located
from fading.experiments.effects import PROXIMAL, RETRAINING, UNROLLED, stack
from fading.experiments.leave_one_out import correlations, pairs, unrolled_truth

with Job(snakemake) as job:
    settings = job.settings
    truths = {
        RETRAINING: stack(job.read("changes"), ["loss_change", "members", "epsilon"]),
        PROXIMAL: job.read("proximal"),
    }
    scores = dict(zip(settings["estimators"], job.read("scores"), strict=True))
    where = {"case": job.wildcards["case"], "seed": settings["seed"]}
    job.write("pairs", located(pairs(truths, scores), **where))
    if settings["unrolled"]:
        truths[UNROLLED] = unrolled_truth(scores[settings["unrolled"]], truths[RETRAINING])
    job.write("correlations", located(correlations(truths, scores), **where))
