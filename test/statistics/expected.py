"""Computes, with scipy and pymannkendall, what internal/bench/stat must give.

usage: expected.py [--check]

Without arguments it writes internal/bench/stat/testdata/expected.json anew; with
--check it compares and exits 1 when the libraries disagree with that file.
"""

import itertools
import json
import math
import pathlib
import sys

import numpy as np
import pymannkendall
from scipy import stats

FILE = pathlib.Path(__file__).parents[2] / "internal/bench/stat/testdata/expected.json"
SEED = 20261121


def min_samples(p):
    """Fewest requests of which at most one would exceed percentile p with a chance of 1 %."""
    n = 2
    while stats.binom.cdf(1, n, 1 - p) > 0.01:
        n += 1
    return n


def percentiles(rng):
    for n in (1, 2, 7, 20, 100):
        values = rng.lognormal(size=n).round(3)
        for p in (0.5, 0.9, 0.95, 0.99, 0.999):
            yield {"values": values.tolist(), "p": p,
                   "want": float(np.quantile(values, p, method="inverted_cdf"))}


def upper_bounds():
    """The overlatencies allowed are the most whose binomial tail stays at 1 %."""
    for n, p in ((64, 0.9), (200, 0.9), (130, 0.95), (700, 0.95), (662, 0.99), (2000, 0.5)):
        over = int(np.searchsorted(stats.binom.cdf(np.arange(n), n, 1 - p), 0.01, side="right")) - 1
        yield {"n": n, "p": p, "over": over}


def shares():
    """How surely a share p is within a limit, or is not, when over of n were beyond it."""
    for over, n, p in ((0, 459, 0.99), (1, 662, 0.99), (2, 662, 0.99), (14, 662, 0.99), (15, 2648, 0.99), (30, 400, 0.9), (0, 10, 0.5), (10, 10, 0.5)):
        least = stats.binomtest(n - over, n, p, alternative="greater")
        most = stats.binomtest(n - over, n, p, alternative="less")
        yield {"over": over, "n": n, "p": p, "met": 1 - float(least.pvalue), "missed": 1 - float(most.pvalue)}


def medians(rng):
    for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 40):
        values = rng.gamma(3, size=n).round(3)
        interval = stats.quantile_test(values, q=0.5, p=0.5).confidence_interval(0.95)
        yield {"values": values.tolist(), "want": float(np.median(values)),
               "lo": number(interval.low), "hi": number(interval.high)}


def number(x):
    """None for an interval that scipy leaves open."""
    return float(x) if np.isfinite(x) else None


def mann_whitney(rng):
    pairs = [(rng.normal(size=m).round(3), rng.normal(d, size=n).round(3))
             for m, n, d in ((1, 1, 0), (2, 3, 1), (5, 5, 0), (5, 5, 2), (5, 5, 9), (8, 10, 1), (10, 10, 0.5))]
    for a, b in pairs:
        yield case(a, b, stats.mannwhitneyu(a, b, method="exact").pvalue)
    for m, n in ((4, 4), (5, 5), (5, 6), (6, 6)):  # many ties: every permutation is tried
        a, b = rng.integers(0, 5, m), rng.integers(1, 6, n)
        method = stats.PermutationMethod(n_resamples=np.inf)
        yield case(a, b, stats.mannwhitneyu(a, b, method=method).pvalue)
    for m, n in ((30, 40), (50, 25)):
        a, b = rng.integers(0, 30, m), rng.integers(3, 33, n)
        yield case(a, b, stats.mannwhitneyu(a, b, method="asymptotic").pvalue)


def case(a, b, p):
    return {"a": a.tolist(), "b": b.tolist(), "u": float(stats.mannwhitneyu(a, b).statistic), "p": float(p)}


def ratios(rng):
    """Quotients that an exact Mann-Whitney test at 5 % does not reject, by trying every one."""
    for m, n in ((1, 1), (3, 3), (4, 4), (5, 5), (5, 7), (10, 10)):
        a, b = rng.lognormal(0.2, 0.2, m).round(6), rng.lognormal(0, 0.2, n).round(6)
        quotients = np.sort([x / y for x, y in itertools.product(a, b)])
        kept = [q for q in quotients if accepts(a, b, q)]
        yield {"a": a.tolist(), "b": b.tolist(), "want": float(np.median(quotients)),
               "lo": float(kept[0]), "hi": float(kept[-1])}


def accepts(a, b, q):
    """Either side of the quotient is a shift that the test keeps."""
    return any(stats.mannwhitneyu(a, b * q * nudge, method="exact").pvalue > 0.05 for nudge in (1 - 1e-9, 1 + 1e-9))


def trends(rng):
    series = {
        "white": rng.normal(100, 5, 20),
        "rising": 100 + 2 * np.arange(20) + rng.normal(0, 3, 20),
        "falling": 50 - 0.3 * np.arange(30) + rng.normal(0, 1, 30),
        "rising slowly": 100 + 0.1 * np.arange(40) + rng.normal(0, 0.5, 40),
        "tied": rng.integers(8, 12, 25).astype(float),
        "short": np.array([3.0, 1.0, 4.0, 1.5]),
        "correlated": correlated(rng, 60, 0.7),
        "correlated rising": correlated(rng, 60, 0.5) + np.arange(60),
    }
    for name, x in series.items():
        x = x.round(4)
        got = pymannkendall.hamed_rao_modification_test(x)
        plain = pymannkendall.original_test(x)
        yield {"name": name, "values": x.tolist(), "slope": float(got.slope), "p": number(got.p),
               "correction": float(got.var_s / plain.var_s)}


def correlated(rng, n, r):
    x = np.zeros(n)
    for i in range(1, n):
        x[i] = r * x[i - 1] + rng.normal()
    return 100 + x


def spearmans(rng):
    for n in (3, 10, 50):
        a, b = rng.integers(0, 20, n), rng.normal(size=n).round(3)
        yield {"a": a.tolist(), "b": b.tolist(), "want": float(stats.spearmanr(a, b).statistic)}


def expected():
    rng = np.random.default_rng(SEED)
    return {
        "min_samples": [{"p": p, "want": min_samples(p)} for p in (0.5, 0.9, 0.95, 0.99, 0.999)],
        "percentile": list(percentiles(rng)),
        "upper_bound": list(upper_bounds()),
        "share": list(shares()),
        "median": list(medians(rng)),
        "mann_whitney": list(mann_whitney(rng)),
        "ratio": list(ratios(rng)),
        "trend": list(trends(rng)),
        "spearman": list(spearmans(rng)),
    }


def same(a, b):
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, (int, float)):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
    return a == b


def main():
    got = expected()
    if sys.argv[1:] == ["--check"]:
        if not same(json.loads(FILE.read_text()), json.loads(json.dumps(got))):
            sys.exit(f"{FILE.name} is not what scipy and pymannkendall say: run this without --check and look at the difference")
        print("statistics: scipy and pymannkendall agree with", FILE.name)
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(json.dumps(got, allow_nan=False) + "\n")


main()
