"""Fetch the movie reviews."""

from fading.datasets import REVIEWS, movie_reviews
from fading.job import Job

with Job(snakemake) as job:
    job.write("reviews", movie_reviews(job.progress), downloads=dict(REVIEWS))
