"""How many bytes a job may hold at once, a matter of running: what would take more goes in parts, or is refused.

The default is a fixed number and no share of what is free: parts differ in their rounding, and so would results from
one machine to the next. Things that a job holds at the same time have shares that make no more than the whole.
"""

import re

from fading.errors import FadingError

UNITS = {"MiB": 2**20, "GiB": 2**30}
SIZES = {"GiB": 2**30, "MiB": 2**20, "KiB": 2**10}
DEFAULT = "4 GiB"


def limit() -> int:
    """The budget in bytes."""
    return _limit


def set_limit(text: str) -> None:
    """Set the budget, as by "4 GiB". Raises FadingError for what is no number of MiB or GiB."""
    global _limit
    _limit = parsed(text)


def parsed(text: str) -> int:
    """A number of bytes, as of "4 GiB" or "500MiB". Raises FadingError for anything else."""
    found = re.fullmatch(r"(\d+) ?(MiB|GiB)", str(text))
    if not found or not int(found[1]):
        raise FadingError(f"budget: found {text}; accepted is a number of MiB or GiB above 0, such as {DEFAULT}.")
    return int(found[1]) * UNITS[found[2]]


_limit = parsed(DEFAULT)


def as_text() -> str:
    """The budget, as lineage records it: parts follow it, and they round differently."""
    return f"{_limit // UNITS['MiB']} MiB"


def fitting(each: int, most: int, share: float) -> int:
    """How many things of so many bytes fit in a share of the budget: at most `most`, at least one."""
    return max(1, min(most, int(share * _limit) // max(1, each)))


def require(needed: int, what: str, share: float) -> None:
    """Raise FadingError, with the numbers, if `what` needs more bytes than its share of the budget."""
    if needed > share * _limit:
        more = -(-needed // int(share * UNITS["GiB"]))
        raise FadingError(
            f"{what} needs {readable(needed)} at once, and of the budget, {readable(_limit)}, has "
            f"{readable(int(share * _limit))}: give more by --config budget='{more} GiB', or ask for less."
        )


def readable(count: int) -> str:
    """Bytes for people to read."""
    unit, size = next((unit, size) for unit, size in SIZES.items() if count >= size or size == 2**10)
    return f"{count / size:.3g} {unit}"
