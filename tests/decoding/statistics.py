"""The chi-square test of outputs against exact probabilities."""

from collections import Counter

from scipy import stats

LEAST = 1e-4  # a correct sampler fails once in ten thousand tests, and the seeds are fixed


def p_value(outputs, exact):
    """How probable outputs at least as far from `exact` (output to probability) are; rare ones in one class."""
    counts = Counter(outputs)
    assert not counts.keys() - {output for output, p in exact.items() if p > 0}, "an impossible output"
    common = [output for output, p in exact.items() if p * len(outputs) >= 5]
    observed = [counts[output] for output in common]
    expected = [exact[output] * len(outputs) for output in common]
    rest = len(outputs) - sum(expected)
    if rest > 1e-6 * len(outputs):
        observed.append(len(outputs) - sum(observed))
        expected.append(rest)
    expected = [value * sum(observed) / sum(expected) for value in expected]
    return stats.chisquare(observed, expected).pvalue if len(observed) > 1 else 1.0
