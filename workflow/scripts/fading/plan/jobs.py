"""Every job of a study, found by what its crate is made from."""

from dataclasses import dataclass
from functools import cache

from fading.experiments import EXPERIMENTS
from fading.peers import PEERS
from fading.plan.descriptions import check_descriptions
from fading.plan.naming import job_name, table_rule
from fading.plan.plan import Plan
from fading.plan.settings import settings
from fading.plan.wiring import GIVEN, READS, SOURCES, Need

STUDY, ON_REQUEST = "crate", ("peers", "benchmark")  # rules that need all of a study, and what else there is


POWER = Need("claims", "power", {})


@dataclass(frozen=True)
class PlannedJob:
    """A job: its rule, its wildcards but for the study, its settings, and the jobs whose outputs it reads.

    `given` are the user's files that it reads.
    """

    rule: str
    wildcards: dict[str, str]
    settings: dict
    reads: tuple[Need, ...]
    given: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What tells it from all other jobs of the study."""
        return job_name(self.rule, self.wildcards)


def jobs(plan: Plan, *targets: str) -> list[PlannedJob]:
    """The jobs that the targets need, each after those that it reads. A target is a rule; `crate` needs them all."""
    check_descriptions()
    known: dict[str, PlannedJob] = {}

    def follow(rule, wildcards):
        if job_name(rule, wildcards) in known:
            return
        read = tuple(_flat(reads(plan, rule, wildcards).values()))
        for need in read:
            follow(need.rule, need.wildcards)
        own = tuple(given(plan, rule, wildcards))
        known[job_name(rule, wildcards)] = PlannedJob(rule, wildcards, settings(plan, rule, wildcards), read, own)

    for target in targets:
        follow(target, {})
    return list(known.values())


def reads(plan: Plan, rule: str, wildcards: dict[str, str]) -> dict[str, Need | list[Need]]:
    """What a job reads, by the names under which its script knows it."""
    if rule in _of_the_study(plan):
        return _of_the_study(plan)[rule]
    if rule in EXPERIMENTS:
        sources = {name: SOURCES[source] for name, source in EXPERIMENTS[rule].reads.items()}
    else:
        sources = READS.get(rule, {})
    read = {name: source(plan, **wildcards) for name, source in sources.items()}
    return {name: need for name, need in read.items() if need is not None}


def given(plan: Plan, rule: str, wildcards: dict[str, str]) -> list[str]:
    """The user's files that a job reads."""
    return GIVEN[rule](plan, **wildcards) if rule in GIVEN else []


def jobs_of(plan: Plan, experiment: str) -> list[dict[str, str]]:
    """The wildcards of an experiment's jobs: each case, run and, where it is of regimes, regime."""
    description = EXPERIMENTS[experiment]
    runs = [
        {"case": case, "run": run}
        for case in plan.cases_of_experiment(experiment)
        for run in plan.runs(case, description.first_seed)
    ]
    if description.of == "run":
        return runs
    return [{**at, "regime": regime} for at in runs for regime in plan.regimes_of(**at)]


def _frames(plan, table):
    """What a public table of an experiment is joined from."""
    experiment = plan.tables[table]
    output = EXPERIMENTS[experiment].tables[table]["output"]
    return [Need(experiment, output, at) for at in jobs_of(plan, experiment)]


@cache
def _of_the_study(plan):
    """What rules without wildcards read."""
    tables = {name: Need(table_rule(name), "table", {}) for name in plan.tables}
    read = {table_rule(name): {"frames": _frames(plan, name)} for name in plan.tables}
    read["claims"] = {"tables": [tables[name] for name in plan.claimed_tables]}
    for name in plan.experiments:
        experiment = EXPERIMENTS[name]
        for topic, (own, *beside) in experiment.figures.items():
            others = {other.replace("-", "_"): tables[other] for other in beside if other in tables}
            drawn = {"table": tables[own], **others}
            if experiment.pictures:
                cases = plan.cases_of_experiment(name)
                drawn["examples"] = [Need("examples", "examples", {"case": case}) for case in cases]
            read[f"figure_{topic}"] = drawn
    read["figure_claims"] = {"table": Need("claims", "claims", {})}
    figures = [_figure(topic) for topic in [*plan.topics, "claims"]]
    read["page"] = {
        "tables": [*tables.values(), Need("claims", "claims", {})],
        "figures": figures,
        "examples": [Need("examples", "examples", {"case": case}) for case in plan.pictured],
    }
    read[STUDY] = {"results": [*figures, *tables.values(), POWER, Need("page", "page", {})]}
    return read | _on_request(plan)


def _on_request(plan):
    """What tables and figures read that no study depends on."""
    cases = plan.config["peers"]["cases"]
    firsts = {case: {"case": case, "run": plan.runs(case)[0]} for case in [*plan.cases, *cases]}
    compared = [
        Need("peer", "row", {**firsts[case], "library": library, "what": what})
        for case in cases
        for library, peer in PEERS.items()
        for what, kinds in peer.compares.items()
        if plan.definition(case)["model"]["kind"] in kinds
    ]
    return {
        "table_peers": {"frames": compared},
        "figure_peers": {"table": Need("table_peers", "table", {})},
        "peers": {"figure": _figure("peers")},
        "benchmark": {"table": Need("table_benchmark", "table", {})},
        "table_benchmark": {"frames": [Need("case_benchmark", "rows", firsts[case]) for case in plan.cases]},
    }


def _figure(topic):
    return Need(f"figure_{topic}", "png", {"topic": topic})


def _flat(sources):
    for source in sources:
        yield from [source] if isinstance(source, Need) else source
