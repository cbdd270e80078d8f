"""Fetch Fashion-MNIST."""

from fading.datasets import FASHION, fashion_mnist
from fading.job import Job

with Job(snakemake) as job:
    job.write("images", fashion_mnist(job.progress), downloads=dict(FASHION))
