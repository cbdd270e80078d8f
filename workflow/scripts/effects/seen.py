"""Divide what examples did to the losses after training by the epoch in which they were seen."""

from fading.artefacts.job import Job
from fading.evidence.tables import located
from fading.experiments.seen import by_epoch

with Job(snakemake) as job:
    uses = job.read("uses")
    frame = by_epoch(uses["uses.step"], uses["uses.example"], uses["uses.effect"])
    job.write("seen", located(frame, case=job.wildcards["case"], seed=job.settings["seed"]))
