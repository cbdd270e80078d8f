"""Print every job that a study has, as JSON: its rule, wildcards, settings and files, whether these are there or not.

    python workflow/plan.py config/smoke.yaml

The library holds results against it without importing Snakemake; this alone does.
"""

import json
import sys
from pathlib import Path

from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings

ON_REQUEST = {"peers", "benchmark", "reference"}  # a study's folder may hold what these leave


def jobs(configfile: str) -> list[dict]:
    """What `rule all` needs is marked as expected. Raises SystemExit with Snakemake's message if it can't say."""
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        try:
            workflow = api.workflow(ResourceSettings(cores=1), ConfigSettings(configfiles=[Path(configfile)]))
            workflow.dag(DAGSettings(targets={"all", *ON_REQUEST}, forceall=True))
            built = workflow._workflow  # the public interface executes or draws a DAG, but does not hand it out
            built._prepare_dag(forceall=True, ignore_incomplete=True, lock_warn_only=True)
            built._build_dag()
        except Exception as error:  # Snakemake has dozens; whichever it is, there is no plan
            sys.exit(str(error))
        dag = built.dag
        (last,) = (job for job in dag.jobs if job.rule.name == "all")
        expected = {last, *dag.bfs(dag.dependencies, last)}
        return [described(job) | {"expected": job in expected} for job in dag.jobs if job.output or job.log]


def described(job) -> dict:
    code = list(job.input.get("code", []))
    return {
        "rule": job.rule.name,
        "wildcards": dict(job.wildcards_dict),
        "settings": job.params.get("settings", {}),
        "inputs": sorted(file for file in job.input if file not in code),
        "code": sorted(code),
        "outputs": list(job.output),
        "logs": list(job.log),
    }


if __name__ == "__main__":
    print(json.dumps(jobs(*sys.argv[1:])))
