"""Writes expected.json: python3 make.py > expected.json. Made with the numpy and scipy that its "made" names.

The power of the equivalence test integrates over the mean, with the chi-square distribution of the variance inside: another order
of integration than src/mtunet/metrics/power.ts. The power of the t test is scipy's noncentral t.
"""
import json
import numpy as np
import scipy
from scipy import stats
from scipy.integrate import quad

rng = np.random.default_rng(20)

def t_power(n, effect, sd, alpha):
    t, nc = stats.t.ppf(1 - alpha / 2, n - 1), effect * np.sqrt(n) / sd
    return float(stats.nct.sf(t, n - 1, nc) + stats.nct.cdf(-t, n - 1, nc))

def tost_power(n, margin, effect, sd, alpha):
    t, se = stats.t.ppf(1 - alpha, n - 1), sd / np.sqrt(n)
    inside = lambda m: stats.norm.pdf(m, effect, se) * stats.chi2.cdf((n - 1) * ((margin - abs(m)) / t / se) ** 2, n - 1)
    cuts = sorted({p for p in (0.0, effect, effect - 3 * se, effect + 3 * se) if -margin < p < margin} | {-margin, margin})
    return sum(quad(inside, a, b, epsabs=1e-13, epsrel=1e-12, limit=500)[0] for a, b in zip(cuts, cuts[1:]))

means = []
for n in (2, 5, 8, 20, 40):
    d = np.round(rng.normal(0.02, 0.05, n), 4)
    margin = 0.05
    up = stats.ttest_1samp(d, -margin, alternative='greater').pvalue
    down = stats.ttest_1samp(d, margin, alternative='less').pvalue
    ci = [[level, *map(float, stats.ttest_1samp(d, 0).confidence_interval(level))] for level in (0.9, 0.95, 0.99)]
    walsh = [(d[i] + d[j]) / 2 for i in range(n) for j in range(i, n)]
    means.append(dict(values=d.tolist(), margin=margin, tost=float(max(up, down)), intervals=ci, hodges_lehmann=float(np.median(walsh))))

tables = []
for i, j, a, b in ((4, 5, 0.05, 0.03), (2, 2, 0.2, 0.2), (6, 4, 0.3, 0.1)):
    t = np.round(rng.normal(0, a, (i, 1)) + rng.normal(0, b, (1, j)) + rng.normal(0, 0.02, (i, j)) + 0.1, 4)
    tables.append(dict(values=t.tolist()))

powers = [dict(n=n, effect=e, sd=s, alpha=al, p=t_power(n, e, s, al))
          for n, e, s, al in ((2, 1, 1, .05), (5, .5, 1, .05), (20, .05, .08, .05), (20, 0, 1, .05), (34, .5, 1, .05), (12, -1, 1, .01), (200, .2, 1, .05))]
equivalence = [dict(n=n, margin=m, effect=e, sd=s, alpha=al, p=tost_power(n, m, e, s, al))
               for n, m, e, s, al in ((2, 1, 0, 1, .05), (5, 1, 0, .5, .05), (20, .05, 0, .08, .05), (20, .05, .01, .05, .05), (40, .5, 0, 1, .05), (30, 1, -1, 1, .05), (150, .2, .03, .7, .01))]
out = dict(made=f'numpy {np.__version__}, scipy {scipy.__version__}', means=means, tables=tables, t_power=powers, equivalence_power=equivalence)
print(json.dumps(out, indent=1))
