"""Write the scorecard in docs/results.md from the committed claims."""

from pathlib import Path

from fading.artefacts.job import Job
from fading.evidence.scorecard import with_results

with Job(snakemake) as job:
    page = Path("docs/results.md")
    page.write_text(with_results(page.read_text(), job.read("claims")))
