"""What a value may be, and the sentence that refuses another."""

from collections.abc import Collection

from fading.errors import FadingError


def member(key: str, values: list, accepted: Collection, introduction: str = "accepted are") -> None:
    """Raise FadingError, naming the key and the first of the values that is none of the accepted, if one is."""
    for value in values:
        if value not in accepted:
            found = value if str(value).isprintable() else repr(value)
            raise FadingError(f"{key}: found {found}; {introduction} {', '.join(map(str, accepted))}.")


def at_most(key: str, value: float, limit: float, name: str) -> None:
    """Raise FadingError, naming the key and the limit, if the value is beyond it."""
    if value > limit:
        raise FadingError(f"{key}: found {value}; accepted is at most {limit}, {name}.")
