"""Write the README's section of results from the committed claims."""

from pathlib import Path

from fading.artefacts.job import Job
from fading.evidence.scorecard import with_results

with Job(snakemake) as job:
    readme = Path("README.md")
    readme.write_text(with_results(readme.read_text(), job.read("claims")))
