"""Compare what retraining showed, step by step after a fork, with what estimators and theory predicted."""

from fading.assumptions import divergence
from fading.continuations import decomposition, fading_correlations, fading_curve
from fading.job import Job
from fading.tables import by_estimator, located, predicted, stack

with Job(snakemake) as job:
    settings = job.settings
    chunks = job.read("changes")
    changes = stack(chunks, ["loss_change", "norm", "members", "epsilon"])
    response = predicted(chunks)
    found = by_estimator(job.read("scores"))
    scores = {name: found[name] for name in settings["estimators"]}
    eta_lambda_max = settings["learning_rate"] * job.read("spectrum")["all_values"].max()
    where = {"case": job.wildcards["case"], "regime": job.wildcards["regime"], "seed": job.seed}
    correlations = fading_correlations(changes, scores, response, settings["steps"])
    job.write("correlations", located(correlations, **where))
    rates = {"learning_rate": settings["learning_rate"], "eta_lambda_max": eta_lambda_max}
    job.write("fading", located(fading_curve(correlations), **where, **rates))
    job.write("decomposition", located(decomposition(changes, response, settings["steps"]), **where))
    moved = divergence.curve(changes, response, settings["steps"])
    statistics = divergence.statistics(moved, response["reused"], eta_lambda_max)
    job.write("divergence", located(moved, **where))
    job.write("divergence_statistics", located(statistics, **where))
