"""Files that are generated or repeat each other stay in step."""

import re
import subprocess
import sys
from importlib.metadata import distributions, requires

import yaml
from conftest import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

sys.path.insert(0, str(ROOT / "envs"))
from render import KINDS, LOCK, environment, pins


def test_environments_are_those_of_the_lock():
    packages = pins(LOCK.read_text())
    for kind in KINDS:
        assert (ROOT / f"envs/{kind}.yaml").read_text() == environment(kind, packages), "run: python envs/render.py"


def test_environments_hold_what_their_packages_need():
    installed = {canonicalize_name(one.name) for one in distributions()}
    for kind, roots in KINDS.items():
        *_, pip = yaml.safe_load((ROOT / f"envs/{kind}.yaml").read_text())["dependencies"]
        names = {pin.split("==")[0] for pin in pip["pip"]}
        assert names >= set(roots)
        for pin in pip["pip"]:
            assert re.fullmatch(r"[\w.-]+==[\w.]+( ; [^#]+?)?( --hash=sha256:[0-9a-f]{64})+", pin)
        for name in names & installed:
            needed = [Requirement(text) for text in requires(name) or []]
            here = {
                canonicalize_name(one.name)
                for one in needed
                if one.marker is None or one.marker.evaluate({"extra": ""})
            }
            assert here - names <= {"pip", "sentence-transformers"}, (kind, name)


def test_every_rule_with_a_script_names_its_environment():
    for file in (ROOT / "workflow/rules").glob("*.smk"):
        for rule in re.split(r"\n(?=rule )", file.read_text()):
            assert ("script:" in rule) == ("conda:" in rule), rule


def test_no_lock_names_an_address():
    for file in ("study.lock", "installer.lock"):
        assert "://" not in (ROOT / "envs" / file).read_text()


def test_the_readmes_rule_graph_is_the_workflows():
    command = [sys.executable, "-m", "snakemake", "--rulegraph", "mermaid-js"]
    graph = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", graph))
    drawn = {(names[a], names[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", graph)}
    (block,) = re.findall(r"```mermaid\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    shown = {(a, b) for a, bs in re.findall(r"(\w+) --> (.+)", block) for b in bs.split(" & ")}
    assert shown == drawn
