"""Spearman's correlations as scipy has them, and pseudo-values as leaving out each test example in turn gives them."""

import numpy as np
import pytest
from fading.errors import FadingError
from fading.evidence.correlations import spearman_by_example, spearman_pseudo_values
from scipy import stats

RANDOM = np.random.default_rng(0)
KINDS = {"distinct": 9, "tied": 1, "many ties": 0}  # decimals


def drawn(kind, *shape):
    predicted = RANDOM.normal(size=shape)
    return predicted.round(KINDS[kind]), (predicted + RANDOM.normal(size=shape)).round(KINDS[kind])


def jackknife(predicted, actual):
    """One row's correlation and those without each of its test examples."""
    places = np.arange(len(predicted))
    without = [stats.spearmanr(predicted[places != t], actual[places != t]).statistic for t in places]
    return stats.spearmanr(predicted, actual).statistic, np.array(without)


@pytest.mark.parametrize("kind", KINDS)
def test_spearman_by_example_is_scipys_row_by_row(kind):
    predicted, actual = drawn(kind, 5, 30)
    expected = [stats.spearmanr(*rows).statistic for rows in zip(predicted, actual, strict=True)]
    np.testing.assert_allclose(spearman_by_example(predicted, actual), expected, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_pseudo_values_are_those_of_leaving_out_one_test_example(kind):
    predicted, actual = drawn(kind, 2, 3, 16)
    values = spearman_pseudo_values(predicted, actual)
    assert values.shape == (2, 3, 16)
    for place in np.ndindex(2, 3):
        whole, without = jackknife(predicted[place], actual[place])
        assert values[place].mean() == pytest.approx(whole)
        np.testing.assert_allclose(values[place], whole - 15 * (without - without.mean()), atol=1e-12)
        variance = 15 / 16 * ((without - without.mean()) ** 2).sum()  # the jackknife's (Tukey 1958)
        assert values[place].var(ddof=1) / 16 == pytest.approx(variance)


def test_the_same_ranking_has_pseudo_values_of_one():
    predicted = RANDOM.normal(size=(3, 64))
    np.testing.assert_allclose(spearman_pseudo_values(predicted, np.exp(predicted)), 1)
    np.testing.assert_allclose(spearman_pseudo_values(predicted, -predicted), -1)


@pytest.mark.parametrize("function", [spearman_by_example, spearman_pseudo_values])
def test_a_constant_row_has_no_ranking(function):
    predicted, actual = RANDOM.normal(size=(2, 2, 9))
    predicted[0] = 1.0
    assert np.isnan(function(predicted, actual)[0]).all()
    assert np.isnan(function(actual, predicted)[0]).all()
    assert np.isfinite(function(predicted, actual)[1]).all()


@pytest.mark.parametrize("function", [spearman_by_example, spearman_pseudo_values])
@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_changes_that_are_not_finite_have_no_correlation(function, broken):
    finite, other = np.array([[1.0, 2, 3]]), np.array([[1.0, broken, 3]])
    for pair in ((finite, other), (other, finite)):
        with pytest.raises(FadingError, match="not finite"):
            function(*pair)
