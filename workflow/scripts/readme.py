"""Write the README's section of results from the committed claims."""

from pathlib import Path

from fading.claims import with_results
from fading.job import Job

with Job(snakemake) as job:
    readme = Path("README.md")
    readme.write_text(with_results(readme.read_text(), job.read("claims")))
