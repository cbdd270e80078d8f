"""How many bytes a job may hold at once, a matter of running: what would take more goes in parts, or is refused.

The default is a fixed number and no share of what is free: parts differ in their rounding, and so would results from
one machine to the next.
"""

import re

from fading.errors import FadingError

UNITS = {"MiB": 2**20, "GiB": 2**30}
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


def fitting(each: int, most: int, share: float = 0.5) -> int:
    """How many things of so many bytes fit in a share of the budget: at most `most`, at least one."""
    return max(1, min(most, int(share * _limit) // max(1, each)))


def require(needed: int, what: str) -> None:
    """Raise FadingError, with the numbers, if `what` needs more bytes than the budget has."""
    if needed > _limit:
        raise FadingError(
            f"{what} needs {readable(needed)} at once and the budget is {readable(_limit)}: "
            f"give more by --config budget='{-(-needed // UNITS['GiB'])} GiB', or ask for less."
        )


def readable(count: int) -> str:
    """Bytes for people to read."""
    unit = "GiB" if count >= UNITS["GiB"] else "MiB"
    return f"{count / UNITS[unit]:.3g} {unit}"
