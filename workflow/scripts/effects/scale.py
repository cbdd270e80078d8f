"""Say how large a network is, how long it trained and how well it predicts."""

from fading.artefacts.job import Job
from fading.evidence.tables import located
from fading.experiments.scale import size

with Job(snakemake) as job:
    settings = job.settings
    counts = {name: settings[name] for name in ("examples", "test_examples", "batch_size")}
    found = size(job.read("checkpoints"), job.read("curve"), **counts)
    job.write("size", located(found, case=job.wildcards["case"], seed=settings["seed"]))
