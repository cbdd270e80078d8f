"""Compare what retraining showed, step by step after a fork, with what estimators and theory predicted."""

from fading.artefacts.job import Job
from fading.evidence.tables import located
from fading.experiments.effects import stack, theory
from fading.experiments.fading import decomposition, fading_correlations, fading_curve

with Job(snakemake) as job:
    settings, chunks = job.settings, job.read("changes")
    changes, response = stack(chunks, ["loss_change", "members", "epsilon"]), theory(chunks)
    scores = dict(zip(settings["estimators"], job.read("scores"), strict=True))
    rate, of_batches = settings["learning_rate"], job.read("path")["largest"]
    rates = {
        "learning_rate": rate,
        "eta_lambda_max": rate * job.read("spectrum")["all_values"].max(),
        "eta_lambda_batches": rate * of_batches.mean(),
        "eta_lambda_batches_largest": rate * of_batches.max(),
    }
    where = {"case": job.wildcards["case"], "regime": job.wildcards["regime"], "seed": settings["seed"]}
    correlations = located(fading_correlations(changes, scores, response, settings["steps"]), **where)
    job.write("correlations", correlations)
    job.write("fading", fading_curve(correlations).assign(**rates))
    job.write("decomposition", located(decomposition(changes, response, settings["steps"]), **where))
