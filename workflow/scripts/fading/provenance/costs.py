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
    measured = _measured(study)
    of_rule = measured.job.str.split("/").str[0].str.removesuffix(".tsv")
    by_stage = measured.assign(stage=of_rule.map(stages)).groupby("stage", sort=False)
    table = by_stage.agg(
        jobs=("seconds", "size"),
        core_minutes=("seconds", lambda seconds: seconds.sum() / 60),
        longest=("seconds", "max"),
        most_memory=("memory", "max"),
    )
    return table.reindex([stage for stage in dict.fromkeys(stages.values()) if stage in table.index]).reset_index()


def seconds(study: Path) -> dict[str, float]:
    """The seconds of each job, by its file of times below those of the study."""
    return _measured(study).set_index("job").seconds.round(1).to_dict()


def _measured(study):
    times = study / "times"
    files = sorted(times.rglob("*.tsv"))
    last = pd.DataFrame([pd.read_csv(file, sep="\t", na_values="-").iloc[-1] for file in files])
    jobs = [str(file.relative_to(times)) for file in files]
    return pd.DataFrame({"job": jobs, "seconds": last.s.to_numpy(), "memory": last.max_rss.to_numpy()})


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
