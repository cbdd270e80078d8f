"""The command `fading`: ask a study where its results came from, and whether they still follow."""

import argparse
import json
import os
import sys
from pathlib import Path

from fading.errors import FadingError

MISUSED = 3  # not 1 or 2, which are verdicts of an audit


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(MISUSED, f"{self.prog}: {message}; `{self.prog} --help` says what is accepted.\n")


def main() -> int:
    """Run the command. Its exit status is 0, the verdict of an audit (1, 2), or 3 after a sentence on why."""
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
    comparing.add_argument("one", type=Path, help="a folder results/<study>")
    comparing.add_argument("other", type=Path, help="another, such as results/reference")
    comparing.set_defaults(command=_compare)
    exporting = commands.add_parser("export", help="pack a study into an archive to publish")
    exporting.add_argument("study", help="a folder results/<study>")
    exporting.add_argument("archive", type=Path, help="the zip file to write")
    exporting.add_argument("--checkpoints", action="store_true", help="with all tensors and intermediate tables")
    exporting.set_defaults(command=_export)
    return parser


def _count(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"found {text}; accepted is 1 or more")
    return int(text)


def _trace(arguments):
    from fading.trace import lines, trace

    tree = trace(arguments.file)
    print(json.dumps(tree, indent=1) if arguments.json else "\n".join(lines(tree)))
    return 0


def _audit(arguments):
    from fading.audit import HOLDS, as_json, audit, summary, worst
    from fading.reexecute import reexecute
    from fading.study import Study

    study = Study(arguments.study)
    findings = audit(study)
    again = list(reexecute(study, arguments.reexecute, arguments.seed)) if arguments.reexecute else []
    if arguments.json:
        print(as_json([*findings, *again]))
    else:
        for finding in [*(one for one in findings if one.severity != HOLDS), *again]:
            print(finding)
        print(summary(findings))
    return worst([*findings, *again])


def _compare(arguments):
    from fading.compare import compare

    for line in compare(arguments.one, arguments.other):
        print(line)
    return 0


def _export(arguments):
    from fading.export import export
    from fading.study import Study

    export(Study(arguments.study), arguments.archive, arguments.checkpoints)
    print(f"{arguments.archive}: {arguments.archive.stat().st_size / 1e6:.1f} MB")
    return 0
