"""Write what came out into the pages that say so, from the committed claims and tables."""

import json
from pathlib import Path

import pandas as pd
from fading.artefacts import store
from fading.artefacts.job import Job
from fading.evidence.findings import findings, with_findings
from fading.report.recorded import recorded_tables
from fading.report.tables import caption

with Job(snakemake) as job:
    files, config = snakemake.input, snakemake.config
    committed = {Path(file).stem: store.read(file) for file in files.tables}
    costs = {Path(file).parent.name: json.loads(Path(file).read_text()) for file in files.costs}
    committed["costs"] = pd.DataFrame(costs[config["study"]]["stages"])
    committed["claims of the default study"] = store.read(files.default)
    templates = {Path(file).stem: Path(file).read_text() for file in files.templates}
    readme = Path("README.md")
    pages = {readme: with_findings(readme.read_text(), templates.pop("findings"), committed, config)}
    for page, template in templates.items():
        pages[Path(f"docs/{page}.md")] = findings(template, committed, config) + "\n"
    captions = {Path(file).stem: Path(file).read_text() for file in files.captions}
    measured = {
        name: (store.read(file), caption(captions[name], f"table_{name}", config))
        for name, file in zip(captions, files.measured, strict=True)
    }
    pages[Path("workflow/report/recorded.html")] = recorded_tables(costs, measured)
    for page, text in pages.items():  # once all are made: a number that is missing leaves them as they were
        page.write_text(text)
