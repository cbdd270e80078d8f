"""One pinned environment per kind of job: it installs, and nothing else is needed or changes a byte."""

import ast
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import distributions, packages_distributions, requires
from pathlib import Path
from time import perf_counter

import pytest
import yaml
from conftest import ROOT, clone, outside
from fading.experiments import EXPERIMENTS
from fading.plan.closure import imports
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from rules import Rule, rules
from sameness import differences

sys.path.insert(0, str(ROOT / "envs"))
from render import KINDS, LOCK, PYTHON, environment, pins

SCRIPTS = ROOT / "workflow/scripts"
STAND_IN = Path(__file__).parent / "stand_in_conda"
LOADED = {  # by name, as jobs run: every file that could be
    "download": ["data/*.py"],
    "examples": ["data/*.py", "models/*.py"],
    "source": ["data/files.py"],
    "pretrained": ["data/checkpoints.py"],
    "scores": ["influence/*.py", "models/*.py"],
    "peer": ["peers/*.py", "models/*.py"],
}
ELSEWHERE = {  # by kind, what functions import that its jobs do not call: who fetches neither draws nor reads pictures
    "data": {"matplotlib", "PIL", "tokenizers", "torch", "transformers"},
    "provenance": {"huggingface_hub", "matplotlib", "pooch"},
}


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
            assert here - names <= {"pip"}, (kind, name)


def run_by(rule: Rule) -> list[str]:
    """A rule's script, below workflow/scripts, and what its jobs may load by name."""
    library, scripts = SCRIPTS / "fading", [SCRIPTS / rule.script]
    loaded = [
        file for pattern in LOADED.get(rule.name, []) for file in library.glob(pattern) if file.stem != "__init__"
    ]
    if "{" in rule.script:
        scripts = SCRIPTS.glob("figures/*.py")
    if rule.script == "tables/table.py":
        tables = (table for one in EXPERIMENTS.values() for table in one.tables.values())
        modules = {table["function"].rpartition(".")[0] for table in tables if "function" in table}
        loaded = [library / f"{module.replace('.', '/')}.py" for module in modules]
    if rule.name == "download":
        loaded = [file for file in loaded if "def fetch(" in file.read_text()]
    if rule.name == "peer":
        loaded = [file for file in loaded if file.stem != "bergson"]  # which no environment has
    return [str(file.relative_to(SCRIPTS)) for file in (*scripts, *loaded)]


def needed(files: Iterable[str], statements=ast.walk) -> set[str]:
    """The installed packages that statements of files import; those anywhere in them, unless others are asked for."""
    trees = [ast.parse((SCRIPTS / file).read_text()) for file in files]
    modules = {module for tree in trees for node in statements(tree) for module in modules_of(node)}
    return {module.partition(".")[0] for module in modules} - sys.stdlib_module_names - {"fading"}


def at_once(tree: ast.Module) -> list[ast.stmt]:
    """The statements that run on import, but for those in branches, which are for types."""
    return tree.body


def modules_of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def loaded_at_once(files: Iterable[str]) -> set[str]:
    """The files that run when files are imported: what they import themselves, and so on."""
    seen, left = set(), set(files)
    while left:
        seen.add(file := left.pop())
        for node in at_once(ast.parse((SCRIPTS / file).read_text())):
            for module in modules_of(node):
                own = [SCRIPTS / f"{module.replace('.', '/')}{end}" for end in (".py", "/__init__.py")]
                left |= {str(path.relative_to(SCRIPTS)) for path in own if path.is_file()} - seen
    return seen


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.name)
def test_what_a_rule_imports_is_in_its_own_environment(rule):
    packages, pinned, files = packages_distributions(), pins_of(rule.kind), run_by(rule)
    elsewhere = needed(imports(*files)) - ELSEWHERE.get(rule.kind, set())
    for name in needed(loaded_at_once(files), at_once) | elsewhere:
        assert {canonicalize_name(one) for one in packages[name]} & pinned, f"{rule.kind} is without {name}"


def pins_of(kind: str) -> set[str]:
    """The packages of a kind's environment."""
    *_, pip = yaml.safe_load((ROOT / f"envs/{kind}.yaml").read_text())["dependencies"]
    return {canonicalize_name(pin.split("==")[0]) for pin in pip["pip"]}


def test_only_what_computes_carries_torch():
    assert {kind for kind in KINDS if "torch" in pins_of(kind)} == {"torch", "peers"}


def test_conda_is_asked_for_one_channel_and_one_python():
    for kind in KINDS:
        described = yaml.safe_load((ROOT / f"envs/{kind}.yaml").read_text())
        assert described["channels"] == ["conda-forge"], "conda from 26.7 on looks for nodefaults as a channel"
        assert re.fullmatch(r"python=\d+\.\d+\.\d+", described["dependencies"][0]), "lineage records the patch"


IMPORT = "import importlib, sys; sys.path.insert(0, sys.argv[1]); list(map(importlib.import_module, sys.argv[2:]))"


@pytest.mark.slow
@pytest.mark.deployment
@pytest.mark.parametrize("kind", KINDS)
def test_plain_pip_installs_an_environment_into_an_empty_one(kind, tmp_path):
    """In which all that its rules import can be imported, with nothing of this one's."""
    python = installed(kind, tmp_path) / "bin/python"
    files = loaded_at_once(file for rule in rules() if rule.kind == kind for file in run_by(rule))
    modules = [file.removesuffix(".py").replace("/", ".") for file in sorted(files) if file.startswith("fading/")]
    subprocess.run([python, "-I", "-c", IMPORT, SCRIPTS, *modules], check=True)


def installed(kind: str, folder: Path) -> Path:
    """An environment as conda would make it but for Python itself, checked; its size and time are printed."""
    start = perf_counter()
    if platform.python_version() != PYTHON:
        pytest.skip(f"environments are of Python {PYTHON}, which this is not")
    command = [
        sys.executable,
        STAND_IN / "bin/conda",
        "env",
        "create",
        "--file",
        ROOT / f"envs/{kind}.yaml",
        "--prefix",
        folder / kind,
    ]
    subprocess.run(command, check=True)
    seconds = perf_counter() - start
    subprocess.run([folder / kind / "bin/python", "-m", "pip", "check"], check=True)
    size = sum(file.lstat().st_size for file in (folder / kind).rglob("*"))
    print(f"{kind}: {len(pins_of(kind))} packages, {size / 1e6:.0f} MB, {seconds:.0f} s")
    return folder / kind


@pytest.mark.slow
@pytest.mark.deployment
def test_each_rule_in_the_environment_of_its_kind_makes_the_same_bytes(smoke, tmp_path):
    """Snakemake runs in an environment of its own, so that it lends scripts nothing of `.venv`."""
    folder, base = clone(tmp_path / "clone"), installed("base", tmp_path)
    path = os.pathsep.join(map(str, (STAND_IN / "bin", base / "bin", os.environ["PATH"])))
    clean = {name: value for name, value in outside(PATH=path).items() if name != "VIRTUAL_ENV"}
    command = [base / "bin/snakemake", "--cores", "2", "--sdm", "conda", "--configfile", "config/smoke.yaml"]
    subprocess.run(command, cwd=folder, env=clean, check=True)
    assert differences(smoke / "results/smoke", folder / "results/smoke") == []
