"""What a study cost: how long its jobs took, and the most memory that one held, as Snakemake measured them."""

import os
import platform
from pathlib import Path

import pandas as pd

MACHINE = "/proc/cpuinfo"


def costs(study: Path, stages: dict[str, str]) -> pd.DataFrame:
    """A row per stage: its jobs, their core_minutes together, longest (seconds) and most_memory (MiB) of one.

    `stages` says which stage a rule belongs to. Jobs take one core each; those that were cut off count from where they
    began for the last time.
    """
    rows = []
    for file in sorted((study / "times").rglob("*.tsv")):
        rule = file.relative_to(study / "times").parts[0].removesuffix(".tsv")
        measured = pd.read_csv(file, sep="\t", na_values="-").iloc[-1]
        rows.append({"stage": stages[rule], "seconds": measured.s, "memory": measured.max_rss})
    by_stage = pd.DataFrame(rows).groupby("stage", sort=False)
    table = by_stage.agg(
        jobs=("seconds", "size"),
        core_minutes=("seconds", lambda seconds: seconds.sum() / 60),
        longest=("seconds", "max"),
        most_memory=("memory", "max"),
    )
    return table.reindex([stage for stage in dict.fromkeys(stages.values()) if stage in table.index]).reset_index()


def machine() -> dict[str, str | int]:
    """What it ran on: processor, number of cores, Python and operating system."""
    lines = Path(MACHINE).read_text().splitlines() if Path(MACHINE).is_file() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return {
        "processor": next(models, platform.processor()),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }
