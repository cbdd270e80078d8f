"""Write what came out into the pages that say so, from the committed claims and tables."""

from pathlib import Path

from fading.artefacts import store
from fading.artefacts.job import Job
from fading.evidence.findings import findings, with_findings
from fading.evidence.scorecard import with_results

with Job(snakemake) as job:
    files = {Path(file).stem: file for file in snakemake.input.tables}
    committed = {name: store.read(file) for name, file in files.items()}
    results, readme = Path("docs/results.md"), Path("README.md")
    results.write_text(with_results(results.read_text(), committed["claims"]))
    template, verdict = (Path(file).read_text() for file in (snakemake.input.findings, snakemake.input.verdict))
    readme.write_text(with_findings(readme.read_text(), template, committed, snakemake.config))
    Path("docs/verdict.md").write_text(findings(verdict, committed, snakemake.config) + "\n")
