"""The command `fading`: ask a study where its results came from and whether they still follow; correct a prediction."""

import argparse
import math
import sys
import tempfile
import traceback
from pathlib import Path

from fading.cli.audit import ALL, audit_study
from fading.cli.completion import SHELLS, completion
from fading.cli.output import NO_VERDICT, say, say_json, without_verdict
from fading.errors import FadingError
from fading.experiments.correction.names import FROM_CHECKPOINTS, GRADIENT_DOT

CORRECT = (
    "Rank the training examples by what they do to one mis-predicted test example, and try on the trained model to "
    "correct it: by steps on the most helpful, by steps on the most harmful of other labels under its label "
    "(relabel), by steps up the loss of the most harmful (ascend), and by going on with training without these. "
    "Prints what came of it, and puts a picture and a page of it into the current folder. ABIF and other rankings "
    "that need more than checkpoints are in the study's own tables."
)
EXAMPLES = """\
examples:
  fading status                                            how far is the default study?
  fading trace results/default/figures/memory.png          what was this figure made from?
  fading audit results/default                             does everything still hold?
  fading audit results/default --reexecute 5               and give five of its files the same bytes again?
  fading explain fading-resnet                             why is this claim supported, and what would turn it?
  fading compare results/default results/reference/default
  fading correct resnet-fashion --test-index 5             correct a mis-prediction
  eval "$(fading completion bash)"                         complete all this with the tabulator
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(NO_VERDICT, f"{self.prog}: {message}; `{self.prog} --help` says what is accepted.\n")


def main() -> int:
    """Run the command. Its exit status is 0, an audit's verdict (1, 2), or 3 after a sentence on why there is none."""
    for stream in filter(None, (sys.stdout, sys.stderr)):  # a closed one is None
        stream.reconfigure(errors="backslashreplace")  # a terminal may have no lines to draw with
    try:
        arguments = _parser().parse_args()
        return arguments.command(arguments)
    except FadingError as error:
        return without_verdict(error)
    except KeyboardInterrupt:
        return without_verdict("interrupted.")
    except OSError as error:
        return without_verdict(f"{error}.")
    except Exception as error:  # Python would leave with 1
        return without_verdict(f"{error!r}, a defect of ours; please report it{_with_report()}.")


def _with_report():
    try:
        with tempfile.NamedTemporaryFile("w", prefix="fading-", suffix=".txt", delete=False) as report:
            traceback.print_exc(file=report)
    except OSError:  # there is no place for it
        return ""
    return f" with what is in {report.name}"


def _parser():
    parser = _Parser(
        prog="fading",
        description="Ask a study where its results came from, how far it is, and what it found.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    asking = commands.add_parser("status", help="how far a study is, and how long the rest will take")
    asking.add_argument(
        "study", nargs="?", default="results/default", help="a folder results/<study> (results/default)"
    )
    asking.set_defaults(command=_status)
    tracing = commands.add_parser("trace", help="print an artefact's ancestry down to the pinned downloads")
    tracing.add_argument("file", help="a figure, table, checkpoint or any other artefact")
    tracing.add_argument("--json", action="store_true", help="the ancestry as JSON")
    tracing.set_defaults(command=_trace)
    auditing = commands.add_parser("audit", help="does a study still follow from code, configuration and environment?")
    auditing.add_argument("study", help="a folder results/<study>")
    auditing.add_argument("--json", action="store_true", help="a finding for each file, as JSON")
    auditing.add_argument(
        "--reexecute", type=_count_or_all, default=0, metavar="N", help="also recompute N artefacts, or all"
    )
    auditing.add_argument("--trust", action="store_true", help="run the code of another clone or archive for that")
    auditing.add_argument("--seed", type=int, default=0, help="which artefacts to recompute (0)")
    auditing.set_defaults(command=audit_study)
    explaining = commands.add_parser(
        "explain", help="a claim in words: its numbers, where they stand, what would turn it"
    )
    explaining.add_argument("claim", help="its name, such as fading-resnet")
    explaining.add_argument(
        "study",
        type=Path,
        nargs="?",
        default=Path("results/default"),
        help="a folder results/<study> (results/default)",
    )
    explaining.set_defaults(command=_explain)
    comparing = commands.add_parser("compare", help="what differs between two studies, in a table and a figure")
    comparing.add_argument("first", type=Path, help="a folder results/<study>")
    comparing.add_argument("second", type=Path, help="another, such as results/reference/default")
    comparing.set_defaults(command=_compare)
    telling = commands.add_parser("paper", help="the study in a few pages of PDF, by LaTeX")
    telling.add_argument(
        "study", type=Path, help="results/full, or results/reference/full: what has all that it tells of"
    )
    telling.set_defaults(command=_paper)
    exporting = commands.add_parser("export", help="pack a study into an archive to publish")
    exporting.add_argument("study", help="a folder results/<study>")
    exporting.add_argument("archive", type=Path, help="the zip file to write")
    exporting.add_argument("--checkpoints", action="store_true", help="with all tensors and intermediate tables")
    exporting.add_argument("--sign", type=Path, metavar="KEY", help="an SSH key to sign it with, beside it in .sig")
    exporting.set_defaults(command=_export)
    verifying = commands.add_parser("verify", help="who signed an archive?")
    verifying.add_argument("archive", type=Path, help="a zip file with its .sig beside it")
    verifying.add_argument("--signers", type=Path, required=True, help="a file of names and public keys, ssh-keygen(1)")
    verifying.set_defaults(command=_verify)
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
    completing = commands.add_parser("completion", help="what a shell evaluates to complete these commands")
    completing.add_argument("shell", choices=SHELLS)
    completing.set_defaults(command=lambda arguments: _complete(parser, arguments))
    return parser


def _count(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"found {text}; accepted is 1 or more")
    return int(text)


def _count_or_all(text):
    return ALL if text == ALL else _count(text)


def _rate(text):
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0 < rate < math.inf:
        raise argparse.ArgumentTypeError(f"found {text}; accepted is a number above 0")
    return rate


def _status(arguments):
    from fading.provenance.folder import StudyFolder
    from fading.provenance.status import lines, status

    for line in lines(status(StudyFolder(arguments.study))):
        say(line)
    return 0


def _complete(parser, arguments):
    for line in completion(parser, arguments.shell):
        say(line)
    return 0


def _trace(arguments):
    from fading.provenance.trace import lines, trace

    tree = trace(arguments.file)
    if arguments.json:
        say_json(tree)
    else:
        for line in lines(tree):
            say(line)
    return 0


def _explain(arguments):
    from fading.provenance.explain import explain

    for line in explain(arguments.study, arguments.claim):
        say(line)
    return 0


def _compare(arguments):
    from fading.provenance.compare import compare

    for line in compare(arguments.first, arguments.second):
        say(line)
    return 0


def _paper(arguments):
    from fading.artefacts.job import ROOT
    from fading.plan.plan import read_plan
    from fading.plan.reading import naming
    from fading.report.paper import write

    name = arguments.study.resolve().name
    if not (arguments.study / "claims.csv").is_file():
        raise FadingError(f"{arguments.study} has no claims.csv; accepted is a finished study, or its reference.")
    named = naming(name, ROOT / "config")
    if len(named) != 1:
        raise FadingError(
            f"{arguments.study}: found {len(named)} files in config/ of the study {name}; accepted is one."
        )
    plan, pdf = read_plan(ROOT, str(named[0].relative_to(ROOT))), Path(f"fading-{name}.pdf")
    write((ROOT / "workflow/report/paper.tex").read_text(), arguments.study, plan.config, pdf)
    say(pdf)
    return 0


def _export(arguments):
    from fading.provenance.export import export
    from fading.provenance.folder import StudyFolder

    export(StudyFolder(arguments.study), arguments.archive, arguments.checkpoints, arguments.sign)
    say(f"{arguments.archive}: {arguments.archive.stat().st_size / 1e6:.1f} MB")
    return 0


def _verify(arguments):
    from fading.provenance.signatures import verify

    say(f"{arguments.archive} was signed by {verify(arguments.archive, arguments.signers)}, and is as it was then.")
    return 0


def _correct(arguments):
    from fading.cli.correct import report

    how = arguments.by, arguments.examples, arguments.learning_rate, arguments.steps
    for line in report(arguments.study, arguments.case, arguments.seed, arguments.test_index, *how):
        say(line)
    return 0
