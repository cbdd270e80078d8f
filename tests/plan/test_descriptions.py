"""What describes itself names only what there is, all there is to name is used, and what is amiss is a sentence."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from conftest import ROOT
from fading.cli import main
from fading.errors import FadingError
from fading.experiments import EXPERIMENTS
from fading.influence import ESTIMATORS
from fading.plan import descriptions, settings
from fading.plan.closure import there
from fading.plan.parts import PARTS, made_of
from fading.plan.plan import Plan, read_plan
from fading.plan.wiring import READS, SOURCES
from fading.provenance.folder import StudyFolder

check = descriptions.check_descriptions.__wrapped__


class Described(dict):
    """Descriptions by name, each in a file of its name."""

    def source(self, name: str) -> str:
        return f"{name}.py"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"reads": {"spectrum": "spectrum_at_noon"}}, "edge.py: reads: found spectrum_at_noon; accepted are dataset"),
        ({"settings": ("case", "seeds")}, "edge.py: settings: found seeds; accepted are case"),
        ({"settings": ("seed")}, "edge.py: settings: found s; accepted are case"),
        ({"tables": {"edge": {"output": "edge", "maen": "estimate"}}}, "found maen; accepted are output, mean, by"),
        ({"figures": {"edge": ("lo",)}}, "edge.py: figures: found lo; accepted are"),
        ({"of": "seed"}, "edge.py: of: found seed; accepted are run, regime"),
        ({"needs": "cases"}, "edge.py: needs: found cases; accepted is a method of fading.plan.plan.Plan"),
        ({"needs": "removal"}, "edge.py: needs: found removal; accepted is a method"),
    ],
)
def test_an_experiment_that_names_what_there_is_not_is_refused(monkeypatch, change, sentence):
    check()
    edge = replace(EXPERIMENTS["divergence"], **change)
    monkeypatch.setattr(descriptions, "EXPERIMENTS", Described(dict(EXPERIMENTS) | {"edge": edge}))
    with pytest.raises(FadingError) as raised:
        check()
    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"settings": ("dampin",)}, "mine.py: settings: found dampin; accepted are curvature"),
        ({"settings": ("damping")}, "mine.py: settings: found d; accepted are curvature"),
        ({"own": {"depth": {"type": "integer"}}}, "mine.py: own: depth has no default"),
    ],
)
def test_an_estimator_that_takes_what_there_is_not_is_refused(monkeypatch, change, sentence):
    mine = replace(ESTIMATORS["abif"], **change)
    monkeypatch.setattr(descriptions, "ESTIMATORS", Described(dict(ESTIMATORS) | {"mine": mine}))
    with pytest.raises(FadingError) as raised:
        check()
    assert sentence in str(raised.value)


def test_every_source_and_part_is_used():
    read = {source for experiment in EXPERIMENTS.values() for source in experiment.reads.values()}
    read |= {source.__name__ for sources in READS.values() for source in sources.values()}
    assert SOURCES.keys() == read
    named = {part for experiment in EXPERIMENTS.values() for part in experiment.settings}
    own = (ROOT / "workflow/scripts/fading/plan/settings.py").read_text()
    assert {part for part in PARTS if f'"{part}"' not in own and f"parts.{part}(" not in own} <= named
    rules = "".join(file.read_text() for file in (ROOT / "workflow/rules").glob("*.smk"))
    assert [rule for rule in settings.RULES if f'settings("{rule}")' not in rules] == []


def test_settings_that_would_overwrite_each_other_are_refused():
    plan = read_plan(ROOT, "config/config.yaml")
    with pytest.raises(FadingError, match="assumptions.steps have steps twice"):
        made_of(plan, ("recorded", "assumptions.steps"), {"case": "bert-reviews", "run": "0", "regime": "calm"})


def test_only_planted_cases_run_beside_the_studys():
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config["assumptions"]["cases"] = ["resnet-fashion", "resnet-planted"]
    plan = Plan(config, yaml.safe_load((ROOT / "config/claims.yaml").read_text()))
    assert plan.cases_of("assumptions.cases") == ["resnet-fashion"]
    assert plan.cases_of("correction.planted") == ["resnet-planted"]


def test_a_missing_script_is_told_at_once():
    there("figures/loo.py")
    with pytest.raises(FadingError, match=r"There is no script workflow/scripts/figures/lo.py, which a rule names\."):
        there("figures/lo.py")


def test_an_unreadable_configuration_is_a_sentence_and_a_defect_is_no_verdict(tmp_path, monkeypatch, capsys):
    for folder in ("results/mine", "config"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "Snakefile").touch()
    (tmp_path / "config/mine.yaml").write_text("study: [mine")
    with pytest.raises(FadingError, match="mine.yaml, line 1, is not readable YAML: ") as raised:
        StudyFolder(tmp_path / "results/mine")
    assert "\n" not in str(raised.value)
    monkeypatch.setattr("sys.argv", ["fading", "audit", str(tmp_path / "results/mine")])
    assert main.main() == main.NO_VERDICT
    monkeypatch.setattr("fading.provenance.folder.StudyFolder.__init__", lambda self, folder: 1 / 0)
    assert main.main() == main.NO_VERDICT
    *_, said = capsys.readouterr().err.splitlines()
    assert said.startswith("fading: ZeroDivisionError('division by zero'), a defect of ours; please report it with")
    assert "ZeroDivisionError" in Path(said.split()[-1].removesuffix(".")).read_text()
