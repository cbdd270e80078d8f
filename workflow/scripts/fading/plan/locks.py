"""A run that was killed leaves Snakemake's lock behind, and nobody who knows the command to take it away."""

import fcntl
from pathlib import Path

_held = []


def hold(alone: bool, folder: Path = Path(".snakemake")) -> None:
    """Mark this process as one of a run's until it ends, however it ends: by a lock of the system's on a file.

    Where it is to be `alone` and no other process is so marked, Snakemake's own locks are of a run that is no more, and
    are taken away. Where the disk knows no such locks, nothing happens.
    """
    try:
        folder.mkdir(exist_ok=True)
        file = (folder / "running").open("a")
        _held.append(file)  # closed, it would be let go
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for left in (folder / "locks").glob("*.lock") if alone else ():
                left.unlink()
        except BlockingIOError:
            pass  # there is another, and the locks may be its own
        fcntl.flock(file, fcntl.LOCK_SH)
    except OSError:
        return


def running(folder: Path) -> bool:
    """Is a process so marked alive, by the file that it left in the folder?"""
    try:
        with (folder / "running").open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
