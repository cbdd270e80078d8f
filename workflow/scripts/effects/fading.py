"""Compare what retraining showed, step by step after a fork, with what estimators and theory predicted."""

from fading.artefacts.job import Job
from fading.evidence.tables import located
from fading.experiments.effects import stack, theory
from fading.experiments.fading import decomposition, fading_correlations, fading_curve

with Job(snakemake) as job:
    settings, chunks = job.settings, job.read("changes")
    changes, response = stack(chunks, ["loss_change", "members", "epsilon"]), theory(chunks)
    scores = dict(zip(settings["estimators"], job.read("scores"), strict=True))
    rate = settings["learning_rate"]
    rates = {"learning_rate": rate, "eta_lambda_max": rate * job.read("spectrum")["all_values"].max()}
    where = {"case": job.wildcards["case"], "regime": job.wildcards["regime"], "seed": settings["seed"]}
    correlations = fading_correlations(changes, scores, response, settings["steps"])
    job.write("correlations", located(correlations, **where))
    job.write("fading", located(fading_curve(correlations), **where, **rates))
    job.write("decomposition", located(decomposition(changes, response, settings["steps"]), **where))
