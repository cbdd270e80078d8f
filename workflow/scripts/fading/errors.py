class FadingError(Exception):
    """Something the user can mend. Its text is one sentence: what is wrong, what was found, what is accepted."""
