"""The time left: exact where all is known, and of unknown machines and jobs within a third."""

import json
import random
from dataclasses import replace

import pytest
from fading.runs.times import FAMILIAR, STARTING, Ahead, Estimate, beyond, expected, spoken

LANES = 2


def job(name: str, rule: str = "training", times: str | None = None) -> Ahead:
    return Ahead(name, "train", rule, times)


def test_what_is_left_is_what_jobs_took_before_at_the_pace_of_this_run():
    one, two, three = job("one"), job("two"), job("three")
    estimate = Estimate({one: 10.0, two: 20.0, three: 6.0}, 1)
    assert (estimate.left(0), estimate.share(0)) == (36 + 3 * STARTING, 0)
    estimate.begin(one, 0)
    assert estimate.left(5) == pytest.approx(36 + 3 * STARTING - 5)
    estimate.end(one, 24)
    pace = (FAMILIAR + 24) / (FAMILIAR + 10 + STARTING)
    assert estimate.left(24) == pytest.approx((26 + 2 * STARTING) * pace)
    estimate.begin(two, 24)
    assert estimate.left(1000) == pytest.approx((6 + STARTING) * pace), "what takes longer may end at any time"
    estimate.end(two, 1000)
    estimate.begin(three, 1000)
    estimate.end(three, 1001)
    assert (estimate.left(1001), estimate.share(1001)) == (0, 1)


def test_lanes_share_what_is_left_but_for_the_longest():
    jobs = [job(str(number)) for number in range(4)]
    assert Estimate(dict.fromkeys(jobs, 8.0), 2).left(0) == 2 * (8 + STARTING)
    assert Estimate(dict(zip(jobs, (98.0, 1.0, 1.0, 1.0), strict=True)), 2).left(0) == 98 + STARTING


def test_a_job_that_nobody_knows_takes_as_long_as_others_of_its_rule_or_stage():
    known, alike, unlike, elsewhere = job("known"), job("alike"), job("unlike", "memory"), Ahead("x", "figures", "draw")
    other = Ahead("y", "figures", "paint")
    estimate = Estimate({known: 10.0, other: 4.0, alike: None, unlike: None, elsewhere: None}, 1)
    assert estimate.left(0) == pytest.approx(3 * (10 + STARTING) + 2 * (4 + STARTING))
    assert Estimate({known: 10.0, elsewhere: None}, 1).left(0) == pytest.approx(2 * (10 + STARTING))
    none = Estimate({alike: None, unlike: None}, 1)
    assert spoken(none.left(0)) == "unknown"
    none.begin(alike, 0)
    none.end(alike, 7)
    assert none.left(7) == 7
    none.lose({unlike})
    assert (none.left(7), none.share(7)) == (0, 0.5)


def test_what_waits_for_a_failed_job_is_not_to_come():
    first, second, third, apart = (Ahead(str(number), "train", "training") for number in range(4))
    second, third = replace(second, after=frozenset({1})), replace(third, after=frozenset({2}))
    jobs = {3: third, 2: second, 1: first, 4: apart}
    assert beyond(set(), jobs) == set()
    assert beyond({2}, jobs) == {second, third}
    assert beyond({1, 4}, jobs) == set(jobs.values())
    estimate = Estimate(dict.fromkeys(jobs.values(), 8.0), 1)
    estimate.begin(first, 0)
    estimate.lose(beyond({1}, jobs))
    assert estimate.left(0) == 8 + STARTING, "the job that stands apart is to come"
    estimate.begin(apart, 0)
    estimate.end(apart, 10)
    assert (estimate.left(10), estimate.share(10)) == (0, 1 / 4), "no other can be done, which does not make it all"
    estimate.lose(set())
    estimate.begin(first, 10)
    assert estimate.left(10) == 3 * (8 + STARTING), "it is tried again, and what waits for it is to come after all"


def test_what_is_expected_is_the_last_measurement_here_or_else_the_references(tmp_path):
    times = "results/own/times/training"
    (tmp_path / times).mkdir(parents=True)
    (tmp_path / times / "a.0.tsv").write_text("s\th:m:s\n12.5\t0:00:12\n")
    (tmp_path / times / "torn.tsv").write_text("s\th:m")
    reference = tmp_path / "results/reference/own"
    reference.mkdir(parents=True)
    (reference / "costs.json").write_text(json.dumps({"jobs": {"training/a.0.tsv": 1.0, "training/b.0.tsv": 2.0}}))
    named = [job(name, times=f"{times}/{name}.tsv") for name in ("a.0", "b.0", "c.0", "torn")]
    assert list(expected([*named, job("none")], tmp_path, "own").values()) == [12.5, 2.0, None, None, 0.0]
    assert list(expected(named, tmp_path, "another").values()) == [12.5, None, None, None]


@pytest.mark.parametrize("slower", [0.6, 1.0, 2.5])
@pytest.mark.parametrize("seed", range(5))
def test_from_a_quarter_of_a_run_on_the_time_left_is_within_a_third(slower, seed):
    """On another machine than the one measured, with noise of a fifth, and one job in ten never seen."""
    draw = random.Random(seed)
    jobs = [job(str(number), draw.choice(["training", "scores", "memory"])) for number in range(200)]
    before = {each: draw.lognormvariate(1.5, 1.0) for each in jobs}
    now = {each: slower * (before[each] * draw.lognormvariate(0, 0.2) + STARTING) for each in jobs}
    estimate = Estimate({each: seconds if draw.random() > 0.1 else None for each, seconds in before.items()}, LANES)
    clock, running, waiting, told = 0.0, {}, [*jobs], []
    while waiting or running:
        while waiting and len(running) < LANES:
            running[waiting[0]] = clock + now[waiting[0]]
            estimate.begin(waiting.pop(0), clock)
        first = min(running, key=running.get)
        clock = running.pop(first)
        estimate.end(first, clock)
        told.append((clock, estimate.left(clock)))
    judged = [(at, left) for at, left in told if clock / 4 <= at <= 0.9 * clock]
    assert len(judged) > 100
    assert max(abs(left / (clock - at) - 1) for at, left in judged) <= 0.3
