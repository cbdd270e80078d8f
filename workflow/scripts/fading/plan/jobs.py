"""Every job of a study, found by what its crate is made from."""

from dataclasses import dataclass
from functools import cache

from fading.experiments import EXPERIMENTS
from fading.peers import PEERS
from fading.plan.plan import Plan
from fading.plan.settings import settings, table_rule
from fading.plan.wiring import Need, frames, needs

CRATE, ON_REQUEST = "crate", ("peers", "benchmark")


@dataclass(frozen=True)
class Job:
    """A job: its rule, its wildcards but for the study, its settings, and the jobs whose outputs it reads."""

    rule: str
    wildcards: dict[str, str]
    settings: dict
    reads: tuple[Need, ...]

    @property
    def name(self) -> str:
        """What tells it from all other jobs of the study."""
        return job_name(self.rule, self.wildcards)


def job_name(rule: str, wildcards: dict[str, str]) -> str:
    """A job's rule and the values of its wildcards but for the study, in the order of their names."""
    return " ".join([rule, *(value for name, value in sorted(wildcards.items()) if name != "study")])


def jobs(plan: Plan, *targets: str) -> list[Job]:
    """The jobs that the targets need, each after those that it reads. A target is a rule; `crate` needs them all."""
    known: dict[tuple, Job] = {}

    def follow(rule, wildcards):
        if job_name(rule, wildcards) in known:
            return
        read = tuple(_flat(reads(plan, rule, wildcards).values()))
        for need in read:
            follow(need.rule, need.wildcards)
        known[job_name(rule, wildcards)] = Job(rule, wildcards, settings(plan, rule, wildcards), read)

    for target in targets:
        follow(target, {})
    return list(known.values())


def reads(plan: Plan, rule: str, wildcards: dict[str, str]) -> dict[str, Need | list[Need]]:
    """What a job reads, by name."""
    return needs(plan, rule, wildcards) or _of_the_study(plan).get(rule, {})


@cache
def _of_the_study(plan):
    """What rules without wildcards read."""
    tables = {name: Need(table_rule(name), "table", {}) for name in plan.tables}
    read = {table_rule(name): {"frames": frames(plan, name)} for name in plan.tables}
    read["claims"] = {"tables": [tables[name] for name in plan.claimed_tables]}
    for experiment in EXPERIMENTS.values():
        for topic, (own, *beside) in experiment.figures.items():
            drawn = {"table": tables[own], **{name.replace("-", "_"): tables[name] for name in beside}}
            if experiment.pictures:
                cases = plan.cases_of(experiment.cases)
                drawn["examples"] = [Need("examples", "examples", {"case": case}) for case in cases]
            read[f"figure_{topic}"] = drawn
    read["figure_claims"] = {"table": Need("claims", "claims", {})}
    read[CRATE] = {"results": [_figure(topic) for topic in [*plan.topics, "claims"]]}
    return read | _on_request(plan)


def _on_request(plan):
    """What tables and figures read that no study depends on."""
    cases = plan.config["peers"]["cases"]
    firsts = {case: {"case": case, "run": plan.runs(case)[0]} for case in [*plan.cases, *cases]}
    compared = [
        Need("peer", "row", {**firsts[case], "comparison": f"{library}-{what}"})
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


def record(kind: str, rule: str, wildcards: dict[str, str]) -> str:
    """Where a job's log (kind "logs") or times stand; the wildcards' values, or patterns of them."""
    root = f"results/{wildcards['study']}" if "study" in wildcards else "resources"
    values = [value for name, value in sorted(wildcards.items()) if name != "study"]
    suffix = {"logs": "log", "times": "tsv"}[kind]
    return f"{root}/{kind}/{'/'.join([rule, '.'.join(values)]) if values else rule}.{suffix}"
