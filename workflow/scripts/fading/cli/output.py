"""How answers are put: lines for a terminal or a pipe, and one sentence where there is none."""

import json
import os
import sys
from contextlib import suppress

NO_VERDICT = 3  # not 1 or 2, which are an audit's, and Python's own for what it does not catch


def printable(text) -> str:
    """Text of which a terminal draws every character and obeys none: files name things as they like."""
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in str(text))


def say(line, clean=printable) -> None:
    """Print a line; where nobody reads on, nothing."""
    try:
        print(clean(line), flush=True)
    except BrokenPipeError:  # whoever read it has seen enough; the verdict stays
        _forget_output()
    except OSError:
        _forget_output()
        raise


def say_json(tree) -> None:
    """Print a tree as JSON."""
    say(json.dumps(tree, indent=1), str)  # which escapes what a terminal would obey


def _forget_output():
    """What could not be written would be tried again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def without_verdict(sentence) -> int:
    """Say in one sentence why there is no answer. The exit status."""
    if sys.stderr:
        with suppress(OSError):  # nobody to tell; the status says it
            print(f"fading: {printable(' '.join(str(sentence).split()))}", file=sys.stderr, flush=True)
    return NO_VERDICT
