"""What is measured, a file per experiment: which truth is made, what is compared with it, and by which statistic.

Here belongs what turns trained models, scores and counterfactuals into the numbers that tables show. Drawing them does
not (figures), nor what several experiments share of statistics (evidence) and of retraining (training).

An experiment's file exports, beside its functions, EXPERIMENT, its description. The rule and the script that run it
have the file's name.
"""

from dataclasses import dataclass, field

from fading.registry import Registry


@dataclass(frozen=True)
class Experiment:
    """An experiment: what it is of, and which public tables and figures show it.

    `stage` is the target of the workflow that makes it. `of` is "run" or "regime", `cases` the key of the configuration
    that lists its cases (the study's where there is none); of these it is of those that have what it `needs`, which a
    method of fading.plan.plan.Plan of that name says, and of all seeds or of the first alone. `reads` names,
    for each input of the script, a source of fading.plan.wiring, and `settings` the parts of the script's settings, of
    fading.plan.parts, and keys of the configuration. `tables` says, by name, which output of the rule is joined over
    all jobs, and what becomes of it: the `mean` of a column, with its interval, `by` columns of keys and on a `scale`
    (fading.evidence.tables.averaged), or what a `function` of the library makes of it. `figures` says which tables
    each draws, the first its own; with `pictures` they show the cases' examples too.
    """

    stage: str
    of: str
    reads: dict[str, str]
    settings: tuple[str, ...]
    tables: dict[str, dict]
    figures: dict[str, tuple[str, ...]] = field(default_factory=dict)
    cases: str | None = None
    needs: str | None = None
    first_seed: bool = False
    pictures: bool = False


EXPERIMENTS = Registry("experiments", Experiment, hyphen="_")  # as rules are named
