"""Put a study's question, answers, figures and tables on one page."""

from pathlib import Path

from fading.artefacts import pages, store  # noqa: F401, HTML
from fading.artefacts.job import Job
from fading.figures.style import Names
from fading.report.gallery import shown
from fading.report.page import Figure, Study, page
from fading.report.tables import caption

with Job(snakemake) as job:
    settings, files = job.settings, snakemake.input
    look = {Path(file).name: Path(file).read_text() for file in files.code if not file.endswith(".py")}
    config, told = settings["config"], {Path(name).stem: text for name, text in look.items() if name.endswith(".rst")}
    tables = {
        name: (store.read(file), caption(told[by], rule, config))
        for (name, (by, rule)), file in zip(settings["tables"].items(), files.tables, strict=True)
    }
    figures = {
        topic: Figure(file, Path(file).read_bytes(), caption(told[by], f"figure_{topic}", config), store.lineage(file))
        for (topic, by), file in zip(settings["figures"].items(), files.figures, strict=True)
    }
    drawn = dict(zip(settings["pictured"], job.read("examples", optional=True) or [], strict=True))
    study = Study(
        name=settings["study"],
        tables=tables,
        figures=figures,
        read=settings["read"],
        gallery=shown(tables["gallery"][0], drawn) if drawn else [],
        names=Names(**settings["names"]),
    )
    job.write("page", page(study, look))
