"""Compare leaving out parts of the training set with what each estimator predicted of it."""

from fading.artefacts.job import Job
from fading.evidence.tables import located
from fading.experiments.effects import stack
from fading.experiments.removal import joined, scores_of_removal, sizes

with Job(snakemake) as job:
    settings, removals = job.settings, joined(job.read("removed"))
    others: dict[str, list] = {}
    for name, chunk in zip(settings["again"], job.read("again"), strict=True):
        others.setdefault(name, []).append(chunk)
    again = {name: joined(chunks) for name, chunks in others.items()}
    left_out = stack(job.read("left_out"), ["loss_change", "members", "epsilon"])
    scores = dict(zip(settings["estimators"], job.read("scores"), strict=True))
    where = {"case": job.wildcards["case"], "seed": settings["seed"]}
    job.write("scores", located(scores_of_removal(removals, again, left_out, scores), **where))
    job.write("sizes", located(sizes(removals, left_out), **where))
