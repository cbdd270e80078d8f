"""The command `fading`: ask a study where its results came from and whether they still follow; correct a prediction."""

import argparse
import json
import math
import os
import sys
import traceback
from pathlib import Path

from fading.errors import FadingError
from fading.experiments.correction.names import FROM_CHECKPOINTS, GRADIENT_DOT

CORRECT = (
    "Rank the training examples by what they do to one mis-predicted test example, and try on the trained model to "
    "correct it: by steps on the most helpful, by steps on the most harmful of other labels under its label (relabel), "
    "by steps up the loss of the most harmful (ascend), and by going on with training without these. Prints what came "
    "of it and draws it into the current folder. ABIF and other rankings that need more than checkpoints are in the "
    "study's own tables."
)
MISUSED, CRASHED = 3, 4  # not 1 or 2, which are verdicts of an audit


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(MISUSED, f"{self.prog}: {message}; `{self.prog} --help` says what is accepted.\n")


def main() -> int:
    """Run the command. Its exit status is 0, an audit's verdict (1, 2), 3 after a sentence on why, 4 for a defect."""
    arguments = _parser().parse_args()
    try:
        status = arguments.command(arguments)
        sys.stdout.flush()
    except FadingError as error:
        print(f"fading: {error}", file=sys.stderr)
        return MISUSED
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception:  # Python would leave with 1
        traceback.print_exc()
        return CRASHED
    return status


def _parser():
    parser = _Parser(prog="fading", description="Ask a study where its results came from.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    tracing = commands.add_parser("trace", help="print an artefact's ancestry down to the pinned downloads")
    tracing.add_argument("file", help="a figure, table, checkpoint or any other artefact")
    tracing.add_argument("--json", action="store_true", help="the ancestry as JSON")
    tracing.set_defaults(command=_trace)
    auditing = commands.add_parser("audit", help="does a study still follow from code, configuration and environment?")
    auditing.add_argument("study", help="a folder results/<study>")
    auditing.add_argument("--json", action="store_true", help="a finding for each file, as JSON")
    auditing.add_argument("--reexecute", type=_count, default=0, metavar="N", help="also recompute N artefacts")
    auditing.add_argument("--seed", type=int, default=0, help="which artefacts to recompute (0)")
    auditing.set_defaults(command=_audit)
    comparing = commands.add_parser("compare", help="what differs between two studies, in a table and a figure")
    comparing.add_argument("first", type=Path, help="a folder results/<study>")
    comparing.add_argument("second", type=Path, help="another, such as results/reference")
    comparing.set_defaults(command=_compare)
    exporting = commands.add_parser("export", help="pack a study into an archive to publish")
    exporting.add_argument("study", help="a folder results/<study>")
    exporting.add_argument("archive", type=Path, help="the zip file to write")
    exporting.add_argument("--checkpoints", action="store_true", help="with all tensors and intermediate tables")
    exporting.set_defaults(command=_export)
    correcting = commands.add_parser(
        "correct", help="correct a mis-prediction by steps on examples that influence it", description=CORRECT
    )
    correcting.add_argument("case", help="a case that the study has trained")
    correcting.add_argument("--test-index", type=int, required=True, metavar="I", help="a mis-predicted test example")
    correcting.add_argument("--study", default="default", help="the study that trained the case (default)")
    correcting.add_argument("--seed", type=int, default=0, help="the seed of the run (0)")
    correcting.add_argument(
        "--by", default=GRADIENT_DOT, choices=FROM_CHECKPOINTS, help=f"the ranking ({GRADIENT_DOT})"
    )
    correcting.add_argument("--examples", type=_count, default=10, metavar="K", help="how many it takes of an end (10)")
    correcting.add_argument("--steps", type=_count, default=20, metavar="S", help="how many steps it may take (20)")
    correcting.add_argument("--learning-rate", type=_rate, metavar="ETA", help="step size (0.03 of training's)")
    correcting.set_defaults(command=_correct)
    return parser


def _count(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"found {text}; accepted is 1 or more")
    return int(text)


def _rate(text):
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0 < rate < math.inf:
        raise argparse.ArgumentTypeError(f"found {text}; accepted is a number above 0")
    return rate


def _trace(arguments):
    from fading.provenance.trace import lines, trace

    tree = trace(arguments.file)
    print(json.dumps(tree, indent=1) if arguments.json else "\n".join(lines(tree)))
    return 0


def _audit(arguments):
    from fading.provenance.audit import HOLDS, as_json, audit, summary, worst
    from fading.provenance.folder import StudyFolder
    from fading.provenance.reexecute import reexecute

    study = StudyFolder(arguments.study)
    findings = audit(study)
    again = list(reexecute(study, arguments.reexecute, arguments.seed)) if arguments.reexecute else []
    if arguments.json:
        print(as_json([*findings, *again]))
    else:
        for finding in [*(finding for finding in findings if finding.severity != HOLDS), *again]:
            print(finding)
        print(summary(findings))
        if again:
            print(f"{len(again)} made again: {sum(finding.severity == HOLDS for finding in again)} with the same bytes")
    return worst([*findings, *again])


def _compare(arguments):
    from fading.provenance.compare import compare

    for line in compare(arguments.first, arguments.second):
        print(line)
    return 0


def _export(arguments):
    from fading.provenance.export import export
    from fading.provenance.folder import StudyFolder

    export(StudyFolder(arguments.study), arguments.archive, arguments.checkpoints)
    print(f"{arguments.archive}: {arguments.archive.stat().st_size / 1e6:.1f} MB")
    return 0


def _correct(arguments):
    from fading.cli.correct import report

    how = arguments.by, arguments.examples, arguments.learning_rate, arguments.steps
    for line in report(arguments.study, arguments.case, arguments.seed, arguments.test_index, *how):
        print(line, flush=True)
    return 0
