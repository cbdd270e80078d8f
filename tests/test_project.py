"""Files that are generated or repeat each other stay in step."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib

import jinja2
import pytest
import yaml
from conftest import ROOT, clone
from fading.experiments import EXPERIMENTS
from fading.influence import ESTIMATORS
from fading.plan.closure import imports
from fading.plan.plan import PLANTED, read_plan
from fading.plan.settings import settings
from fading.report import tables
from rules import rules


def test_every_rule_with_a_script_names_its_environment():
    assert len(rules()) > 30
    assert [rule.name for rule in rules() if not (rule.script and rule.kind)] == []


def test_no_lock_names_an_address():
    for file in ("study.lock", "installer.lock"):
        assert "://" not in (ROOT / "envs" / file).read_text()


def test_the_readme_takes_two_minutes():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_links_between_pages_resolve():
    for page in (ROOT / "README.md", ROOT / "config/README.md", *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"\]\(([^)#]+)", page.read_text()):
            assert "://" in link or (page.parent / link).exists(), (page.name, link)


def test_every_estimator_is_described():
    page = (ROOT / "docs/estimators.md").read_text()
    assert [name for name in ESTIMATORS if f"`{name}`" not in page] == []


@pytest.mark.parametrize("study", ["config", "smoke"])
def test_captions_of_what_shows_curvature_say_over_how_many_examples(study):
    shows = ("spectr", "scores", "solutions", "changes_proximal")
    captions = {
        name for name, one in EXPERIMENTS.items() if any(source.startswith(shows) for source in one.reads.values())
    }
    assert captions >= {"convexity", "fading", "leave_one_out", "stability", "trajectory"}
    plan = read_plan(ROOT, f"config/{study}.yaml")
    curved = {name for name, one in ESTIMATORS.items() if one.spectrum or "curvature_examples" in one.settings}
    if not any(curved & set(plan.config["definitions"][case]["estimators"]) for case in plan.cases_of(PLANTED)):
        captions.remove("planted")
    own = [case for case in plan.cases if plan.curvature_examples(case) != plan.config["spectrum"]["examples"]]
    for caption in captions | {"claims"}:
        text = (ROOT / f"workflow/report/{caption}.rst").read_text()
        rule = re.findall(r'snakemake.rule == "(\w+)"', text)[-1]
        said = jinja2.Template(text).render(snakemake={"rule": rule, "config": plan.config})
        assert f"Curvature is that of the first {plan.config['spectrum']['examples']} training examples" in said, (
            caption
        )
        for case in own:
            assert f", in {case} of {plan.curvature_examples(case)}" in said, caption


def test_rules_declare_and_compute_nothing():
    lines = 0
    for file in (ROOT / "workflow/rules").glob("*.smk"):
        text = file.read_text()
        lines += len(text.splitlines())
        for function in re.split(r"\n(?=def )", text)[1:]:
            body = re.split(r"\n(?=\S)", function)[0].rstrip().splitlines()
            assert len(body) <= 10, body[0]
    assert lines <= 1000


def test_a_module_at_the_top_is_an_exception():
    library = ROOT / "workflow/scripts/fading"
    assert {file.name for file in library.glob("*.py")} == {"__init__.py", "errors.py", "registry.py"}
    for folder in {file.parent for file in library.rglob("*.py")}:
        assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text())), f"{folder} says what belongs there"


def test_the_library_stands_alone_and_scripts_adapt():
    scripts = ROOT / "workflow/scripts"
    for file in scripts.rglob("*.py"):
        text = file.read_text()
        if scripts / "fading" in file.parents:
            assert not re.search(r"^\s*(import|from) snakemake", text, re.MULTILINE), file
        else:
            assert len(text.splitlines()) <= 60, file
            assert "fading/artefacts/job.py" in imports(str(file.relative_to(scripts)))


def test_what_makes_tables_needs_no_torch():
    functions = {
        one["function"]
        for experiment in EXPERIMENTS.values()
        for one in experiment.tables.values()
        if "function" in one
    }
    program = """
import sys
import tomllib
from importlib import import_module

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocked())
for function in sys.argv[1:]:
    module, _, name = function.rpartition(".")
    getattr(import_module(f"fading.{module}"), name)
"""
    assert functions >= {"experiments.stability.summary", "experiments.fading.drop"}
    done = subprocess.run([sys.executable, "-c", program, *sorted(functions)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_an_installation_that_is_no_link_has_every_module_and_the_schemas(tmp_path):
    """Built and installed from a clone into a folder of its own; every module is then found there, and a plan made."""
    folder = clone(tmp_path / "clone")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--target", str(tmp_path / "installed")]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(folder)], check=True)
    wanted = {
        str(file.relative_to(folder / "workflow/scripts")) for file in (folder / "workflow/scripts/fading").rglob("*.*")
    }
    there = {str(file.relative_to(tmp_path / "installed")) for file in (tmp_path / "installed/fading").rglob("*.*")}
    assert {file for file in wanted if not file.endswith(".pyc")} <= there
    program = """
import sys
import tomllib
from pathlib import Path
from fading.plan import jobs, plan
assert plan.__file__.startswith(sys.argv[1]), plan.__file__
print(len(jobs.jobs(plan.read_plan(Path(sys.argv[2]), "config/smoke.yaml"), "crate")))
"""
    library = os.environ | {"PYTHONPATH": str(tmp_path / "installed")}
    command = [sys.executable, "-c", program, str(tmp_path / "installed"), str(folder)]
    done = subprocess.run(command, cwd=tmp_path, env=library, capture_output=True, text=True, check=True)
    assert int(done.stdout) > 100


def test_nothing_is_contracted_by_einsum():
    """Of three factors, its order and so its rounding depend on whether opt-einsum is installed."""
    assert [file.name for file in (ROOT / "workflow/scripts").rglob("*.py") if "einsum(" in file.read_text()] == []


def test_the_files_by_which_it_is_cited_say_the_same():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    zenodo, codemeta = (json.loads((ROOT / name).read_text()) for name in (".zenodo.json", "codemeta.json"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert zenodo["title"] == codemeta["name"] == cited["title"]
    assert zenodo["version"] == codemeta["version"] == cited["version"] == project["version"]
    assert {zenodo["license"], codemeta["license"].rpartition("/")[2]} == {cited["license"]}
    names = [author["name"] for author in cited["authors"]]
    assert [creator["name"] for creator in zenodo["creators"]] == [one["name"] for one in codemeta["author"]] == names
    assert zenodo["description"] == codemeta["description"] and zenodo["keywords"] == codemeta["keywords"]
    (paper,) = cited["references"]
    assert zenodo["related_identifiers"][0]["identifier"] == paper["identifiers"][0]["value"]


def test_the_gate_is_the_same_everywhere():
    steps = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]["gate"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]


@pytest.mark.parametrize("study", ["config", "full"])
def test_captions_say_on_the_page_what_they_say_in_snakemakes_report(study):
    plan = read_plan(ROOT, f"config/{study}.yaml")
    told = settings(plan, "page", {})
    rules_of = {rule: by for by, rule in told["tables"].values()} | {
        f"figure_{one}": by for one, by in told["figures"].items()
    }
    for rule, by in rules_of.items():
        text = (ROOT / f"workflow/report/{by}.rst").read_text()
        assert tables.caption(text, rule, told["config"]) == tables.caption(text, rule, plan.config) != ""
