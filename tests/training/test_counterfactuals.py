"""Which counterfactuals there are."""

import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT, Tiny
from fading.errors import FadingError
from fading.training.counterfactuals import Counterfactual, left_out, share, up_weighted


def test_a_continuation_up_weights_the_first_of_its_first_batch():
    assert up_weighted([7, 3, 9], examples=2, epsilon=0.5) == [
        Counterfactual((7,), 0.5),
        Counterfactual((3,), 0.5),
        Counterfactual((7,), 0.0),
        Counterfactual((), 0.0),
    ]
    with pytest.raises(FadingError, match="has 7 examples, fewer than the 8 to up-weight"):
        up_weighted(range(7), examples=8, epsilon=1.0)


def test_left_out_examples_come_with_mirrors_and_groups_of_some():
    epoch = Tiny.order(6)["indices"][: Tiny.n].tolist()
    counterfactuals = left_out(epoch, count=8, twice=4, size=2)
    singles, doubles, groups = counterfactuals[:8], counterfactuals[8:12], counterfactuals[12:]
    assert [one.epsilon for one in counterfactuals] == [-1] * 8 + [1] * 4 + [-1] * 2
    examples = [single.members[0] for single in singles]
    spaced = [epoch[place] for place in np.linspace(0, Tiny.n - 1, 8).round().astype(int)]
    assert sorted(examples) == sorted(spaced), "evenly spaced"
    assert examples[:4] == spaced[::2], "and so are those that are counted twice"
    assert [double.members for double in doubles] == [single.members for single in singles[:4]]
    assert [group.members for group in groups] == [tuple(examples[:2]), tuple(examples[2:4])]


def test_jobs_share_them_without_loss_or_overlap():
    counterfactuals = left_out(range(Tiny.n), count=5, twice=5, size=2)
    shares = [share(counterfactuals, chunk, size=5) for chunk in range(3)]
    assert [len(part) for part in shares] == [5, 5, 2]
    assert [counterfactual for part in shares for counterfactual in part] == counterfactuals


def test_counting_them_needs_neither_torch_nor_numpy():
    program = "import sys, fading.training.counterfactuals; sys.exit(bool({'torch', 'numpy'} & sys.modules.keys()))"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT / "workflow/scripts")
