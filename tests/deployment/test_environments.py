"""One pinned environment per kind of job: it installs, and nothing else is needed or changes a byte."""

import ast
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distributions, packages_distributions, requires
from pathlib import Path
from time import perf_counter

import pytest
import yaml
from conftest import ROOT, clone
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from sameness import differences

sys.path.insert(0, str(ROOT / "envs"))
from render import KINDS, LOCK, PYTHON, environment, pins

STAND_IN = Path(__file__).parent / "stand_in_conda"
LOADED = {  # by name, as jobs run
    "download": ["data/*.py"],
    "examples": ["data/*.py", "models/*.py"],
    "source": ["data/files.py"],
    "pretrained": ["data/checkpoints.py"],
    "scores": ["influence/*.py", "models/*.py"],
    "peer": ["peers/*.py", "models/*.py"],
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


def rules_with_scripts() -> dict[str, tuple[str, str]]:
    """The script and the kind of environment of each rule that names them."""
    found = {}
    for file in (ROOT / "workflow/rules").glob("*.smk"):
        for block in re.split(r"\n(?=rule )", file.read_text()):
            script, kind = re.search(r'"../scripts/(\S+)"', block), re.search(r"envs/(\w+).yaml", block)
            if script and kind and "{" not in script[1]:
                found[re.search(r"rule (\w+)", block)[1]] = script[1], kind[1]
    return found


def imported_at_once(*files: str) -> set[str]:
    """The packages that files import when they are imported themselves, or what they import: not those in functions."""
    scripts, names, seen, left = ROOT / "workflow/scripts", set(), set(), set(files)
    while left:
        seen.add(file := left.pop())
        for module in modules_at_once(ast.parse((scripts / file).read_text()).body):
            own = [scripts / f"{module.replace('.', '/')}{end}" for end in (".py", "/__init__.py")]
            left |= {str(path.relative_to(scripts)) for path in own if path.is_file()} - seen
            names.add(module.partition(".")[0])
    return names - sys.stdlib_module_names - {"fading"}


def modules_at_once(body: list[ast.stmt]) -> Iterator[str]:
    """What statements import when they run; those under an `if` are for types alone."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
        elif isinstance(node, (ast.With, ast.Try)):
            yield from modules_at_once(node.body)


RULES = rules_with_scripts()


@pytest.mark.parametrize("rule", RULES)
def test_what_a_rule_imports_is_in_its_own_environment(rule):
    script, kind = RULES[rule]
    library = ROOT / "workflow/scripts/fading"
    loaded = [file for pattern in LOADED.get(rule, []) for file in library.glob(pattern) if file.stem != "__init__"]
    if rule == "download":
        loaded = [file for file in loaded if "def fetch(" in file.read_text()]
    if rule == "peer":
        loaded = [file for file in loaded if file.stem != "bergson"]  # which no environment has
    files = (str(file.relative_to(ROOT / "workflow/scripts")) for file in loaded)
    packages, pinned = packages_distributions(), pins_of(kind)
    for name in imported_at_once(script, *files):
        assert {canonicalize_name(one) for one in packages[name]} & pinned, f"{rule}: {kind} is without {name}"


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


@pytest.mark.slow
@pytest.mark.deployment
@pytest.mark.parametrize("kind", KINDS)
def test_plain_pip_installs_an_environment_into_an_empty_one(kind, tmp_path):
    installed(kind, tmp_path)


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
    """Snakemake runs in an environment of its own that has nothing of what jobs need: it lends scripts its packages."""
    folder, base = clone(tmp_path / "clone"), installed("base", tmp_path)
    path = os.pathsep.join(map(str, (STAND_IN / "bin", base / "bin", os.environ["PATH"])))
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    command = [base / "bin/snakemake", "--cores", "2", "--sdm", "conda", "--configfile", "config/smoke.yaml"]
    subprocess.run(command, cwd=folder, env=clean | {"PATH": path}, check=True)
    assert differences(smoke / "results/smoke", folder / "results/smoke") == []
