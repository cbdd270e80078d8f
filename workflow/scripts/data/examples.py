"""Draw a case's training and test examples and compute what its frozen part makes of them."""

from fading.artefacts.job import Job
from fading.data import load
from fading.data.drawing import draw_examples

with Job(snakemake) as job:
    settings, weights = job.settings, job.read("weights", optional=True)
    encoder = None if weights is None else load(settings["weights"]).Encoder(weights)
    dataset = load(settings["dataset"])
    job.write("examples", draw_examples(dataset, settings, job.read("source"), encoder, job.progress))
