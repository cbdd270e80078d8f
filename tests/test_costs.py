"""What a study cost, from the times of its jobs."""

from fading.provenance.costs import costs, machine

HEADINGS = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time"


def test_times_are_summed_by_stage_in_the_stages_order(tmp_path):
    measured = {
        "scores/a.0.tsv": (90, 700),
        "scores/a.1.tsv": (30, "-"),
        "training/a.0.tsv": (60, 900.5),
        "claims.tsv": (0.6, 100),
    }
    for file, (seconds, memory) in measured.items():
        path = tmp_path / "times" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{HEADINGS}\n{seconds}\t0:01:00\t{memory}\t0\t0\t0\t0\t0\t0\t0\n")
    stages = {"training": "train", "fading": "effects", "scores": "influence", "claims": "figures"}
    table = costs(tmp_path, stages).set_index("stage")
    assert table.index.tolist() == ["train", "influence", "figures"]
    assert table.loc["influence"].to_list() == [2, 2, 90, 700]
    assert table.loc["train"].to_list() == [1, 1, 60, 900.5]
    assert table.loc["figures", "core_minutes"] == 0.01


def test_the_machine_says_what_it_is():
    assert machine()["cores"] >= 1
    assert machine()["python"].startswith("3.")
    assert machine()["system"]
