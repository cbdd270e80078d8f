"""Why a job failed that could not say so itself."""

import re
from collections.abc import Iterator
from pathlib import Path

FAILED = re.compile(r"^Error in rule (\w+):$(?:\n    .*)*?\n    log: (\S+)", re.MULTILINE)


def killed(log: Path, budget: str) -> Iterator[str]:
    """A sentence for each failed job of a run, by Snakemake's log of it, that left no word: it was killed."""
    for rule, said in dict.fromkeys(FAILED.findall(log.read_text())):
        if Path(said).is_file() and not Path(said).stat().st_size:
            yield (
                f"A job of {rule} ended without a word: it was killed, or could not start. If memory was short: a job "
                f"may hold its budget, now {budget}, and 2 GiB more; --config budget='2 GiB' or --cores 1 needs less, "
                "and what is finished is kept."
            )
