"""The command `fading`: ask an artefact where it came from."""

import argparse
import os
import sys

from fading.errors import FadingError
from fading.trace import trace


def main() -> int:
    """Run the command; its exit status is 0, or 1 after a sentence that says what is wrong."""
    parser = argparse.ArgumentParser(prog="fading", description="Ask an artefact of the study where it came from.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    tracing = commands.add_parser("trace", help="print an artefact's ancestry down to the pinned downloads")
    tracing.add_argument("file", help="a figure, table, checkpoint or any other artefact")
    tracing.set_defaults(lines=lambda arguments: trace(arguments.file))
    arguments = parser.parse_args()
    try:
        for line in arguments.lines(arguments):
            print(line)
        sys.stdout.flush()
    except FadingError as error:
        print(f"fading: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
