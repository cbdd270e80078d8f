"""The command `fading`: ask an artefact where it came from; correct a mis-prediction."""

import argparse
import math
import os
import sys

from fading.errors import FadingError
from fading.methods import FROM_CHECKPOINTS, GRADIENT_DOT
from fading.trace import trace


def main() -> int:
    """Run the command; its exit status is 0, or 1 after a sentence that says what is wrong."""
    parser = argparse.ArgumentParser(prog="fading", description="Ask an artefact of the study where it came from.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    tracing = commands.add_parser("trace", help="print an artefact's ancestry down to the pinned downloads")
    tracing.add_argument("file", help="a figure, table, checkpoint or any other artefact")
    tracing.set_defaults(lines=lambda arguments: trace(arguments.file))
    _add_correct(commands)
    arguments = parser.parse_args()
    try:
        for line in arguments.lines(arguments):
            print(line, flush=True)
    except FadingError as error:
        print(f"fading: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _add_correct(commands):
    correcting = commands.add_parser(
        "correct",
        help="correct a mis-prediction by a few steps on examples that influence it",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    correcting.add_argument("case", help="a case that the study has trained")
    correcting.add_argument("--test-index", type=int, required=True, metavar="I", help="a mis-predicted test example")
    correcting.add_argument("--study", default="default", help="the study that trained the case")
    correcting.add_argument("--seed", type=int, default=0, help="the seed of the run")
    correcting.add_argument("--by", default=GRADIENT_DOT, choices=FROM_CHECKPOINTS, help="the ranking")
    correcting.add_argument("--examples", type=_at_least_one, default=10, help="how many of its examples to take")
    correcting.add_argument("--steps", type=_at_least_one, default=20, help="how many steps to take at most")
    correcting.add_argument("--learning-rate", type=_positive, help="step size; if none is given, 0.06 of training's")
    correcting.set_defaults(lines=_correct)


def _correct(arguments):
    from fading.correct import report  # torch takes seconds to import, and no other command needs it

    return report(
        arguments.study,
        arguments.case,
        arguments.seed,
        arguments.test_index,
        arguments.by,
        arguments.examples,
        arguments.learning_rate,
        arguments.steps,
    )


def _number(kind, accepted, holds):
    """An argument of that kind for which something holds, else argparse's usage error in a sentence."""

    def parse(text):
        try:
            if holds(number := kind(text)):
                return number
        except ValueError:
            pass
        raise argparse.ArgumentTypeError(f"found {text}; accepted is {accepted}")

    return parse


_at_least_one = _number(int, "a whole number from 1", lambda number: number >= 1)
_positive = _number(float, "a finite number above 0", lambda number: 0 < number < math.inf)
