"""The command `fading audit`: what holds, what is outdated, what is broken."""

from fading.cli.output import say, say_json, without_verdict
from fading.errors import FadingError

ALL = "all"  # to recompute


def audit_study(arguments) -> int:
    """Audit a study, and recompute what is asked for. The exit status is the worst verdict."""
    from fading.plan.locks import running
    from fading.provenance.audit import HOLDS, as_tree, audit, summary, worst
    from fading.provenance.folder import StudyFolder

    study = StudyFolder(arguments.study)
    if arguments.reexecute and not (study.is_here or arguments.trust):
        raise FadingError(
            f"--reexecute: runs the code of {study.root}, which is not this clone; --trust is accepted where you would."
        )
    findings = audit(study)
    if not arguments.json:
        for finding in findings:
            if finding.severity != HOLDS:
                say(finding)
        if running(study.root / ".snakemake"):
            say("A run is in progress here: what it is about to make again is outdated or missing until it ends.")
        if not study.is_of_this_version:
            say("Planned by this fading: the library of the folder's own workflow is another, and was not run.")
        say(summary(findings))
    try:
        again = _made_again(study, arguments)
    except (FadingError, OSError) as error:  # what was found is found
        if arguments.json:
            say_json(as_tree(findings))
        return without_verdict(error) if worst(findings) == HOLDS else _and_verdict(error, worst(findings))
    if arguments.json:
        say_json(as_tree([*findings, *again]))
    return worst([*findings, *again])


def _and_verdict(error, verdict):
    without_verdict(error)
    return verdict


def _made_again(study, arguments):
    from fading.provenance.audit import HOLDS
    from fading.provenance.reexecute import candidates, reexecute, reexecute_all

    if not arguments.reexecute:
        return []
    every = arguments.reexecute == ALL
    again = list(reexecute_all(study) if every else reexecute(study, arguments.reexecute, arguments.seed))
    if not arguments.json:
        for finding in again:
            if finding.severity != HOLDS or not every:
                say(finding)
        same = sum(finding.severity == HOLDS for finding in again)
        say(f"{len(again)} made again: {same} with the same bytes")
        if not every:
            of = len(candidates(study))
            say(f"One that was altered would have been among them in {len(again) / of:.1%} of such draws from {of}.")
    return again
