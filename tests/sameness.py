"""Two runs of a study, file by file."""

from pathlib import Path

TIMED = ("times", "logs")  # what a run took and said
CRATE = "ro-crate-metadata.json"  # holds times


def differences(one: Path, other: Path) -> list[str]:
    """The artefacts that one of two results has alone, or with other bytes; times, logs and the crate apart."""
    files = [
        {
            str(file.relative_to(folder)): file
            for file in folder.rglob("*")
            if file.is_file() and file.relative_to(folder).parts[0] not in TIMED and file.name != CRATE
        }
        for folder in (one, other)
    ]
    names = sorted(files[0].keys() | files[1].keys())
    return [
        name
        for name in names
        if not all(name in found for found in files) or files[0][name].read_bytes() != files[1][name].read_bytes()
    ]
