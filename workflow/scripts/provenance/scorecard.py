"""Write what came out into the pages that say so, from the committed claims and tables."""

import json
from pathlib import Path

import pandas as pd
from fading.artefacts import store
from fading.artefacts.job import Job
from fading.evidence.findings import findings, with_findings
from fading.report.recorded import recorded_tables

with Job(snakemake) as job:
    committed = {Path(file).stem: store.read(file) for file in snakemake.input.tables}
    costs = {Path(file).parent.name: json.loads(Path(file).read_text()) for file in snakemake.input.costs}
    claims, peers, benchmark = map(store.read, snakemake.input.default)
    committed["costs"] = pd.DataFrame(costs[snakemake.config["study"]]["stages"])
    committed["claims of the default study"] = claims
    templates = {Path(file).stem: Path(file).read_text() for file in snakemake.input.templates}
    readme, config = Path("README.md"), snakemake.config
    readme.write_text(with_findings(readme.read_text(), templates.pop("findings"), committed, config))
    for page, template in templates.items():
        Path(f"docs/{page}.md").write_text(findings(template, committed, config) + "\n")
    Path("workflow/report/recorded.html").write_text(recorded_tables(costs, peers, benchmark))
