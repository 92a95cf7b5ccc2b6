"""The reference side: textbook formulas, computed afresh.

Nothing of ours is imported here, so nothing of ours is on both sides of a comparison; `test_formulas.py` holds the
formulas against numbers that were printed elsewhere.
"""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy import integrate, optimize, stats


def spread(chance: float) -> float:
    """Standard deviation of what happens with that chance or does not."""
    return math.sqrt(chance * (1 - chance))


# -- stations: c servers, offered load a (arrival rate times mean service), utilisation rho = a / c


def erlang_b(servers: int, load: float) -> float:
    """Chance that an arrival is lost where nobody may wait. source   Erlang's first formula (1917)"""
    lost = 1.0
    for n in range(1, servers + 1):
        lost = load * lost / (n + load * lost)
    return lost


def erlang_c(servers: int, load: float) -> float:
    """Chance that an arrival has to wait. source   Erlang's second formula (1917)"""
    lost = erlang_b(servers, load)
    return servers * lost / (servers - load * (1 - lost))


def stays_longer_than(t: float, servers: int, load: float) -> float:
    """M/M/c in units of the mean service: chance of a response (wait and service) above t; c - a must not be 1."""
    waits, spare = erlang_c(servers, load), servers - load
    if abs(spare - 1) < 1e-9:
        return math.exp(-t) * (1 + waits * t)
    return math.exp(-t) * (1 - waits) + waits * (spare * math.exp(-t) - math.exp(-spare * t)) / (spare - 1)


def full_house(servers: int, places: int, load: float) -> tuple[float, float, float]:
    """M/M/c/K: chance that an arrival is refused, mean number in the house, chance that nobody is there; `places`
    counts those being served."""
    weights = [1.0]
    for n in range(1, places + 1):
        weights.append(weights[-1] * load / min(n, servers))
    total = sum(weights)
    return weights[-1] / total, sum(n * weight for n, weight in enumerate(weights)) / total, 1 / total


def mean_wait(rho: float, cv: float) -> float:
    """M/G/1 in units of the mean service. source   Pollaczek and Khinchine (1930, 1932)"""
    return rho / (1 - rho) * (1 + cv**2) / 2


def waits_of_a_law(law: str, cv: float, rho: float) -> tuple[float, float]:
    """M/G/1 with gamma, lognormal or constant service of mean 1: mean and variance of the wait, from the second and
    third moment of the service. source   Takacs (1962)"""
    second = 1 + cv**2
    third = second**3 if law == "lognormal" else 1.0 if not cv else second * (1 + 2 * cv**2)
    mean = rho * second / (2 * (1 - rho))
    return mean, mean**2 + rho * third / (3 * (1 - rho))


def mean_wait_of_steady_servers(servers: int, rho: float) -> float:
    """M/D/c in units of the service. Whoever is there after one service came during it, or was beyond the hands before:
    N' = max(N - c, 0) + Poisson(c rho), whose stationary law has the mean wait by Little's law.
    source   Crommelin (1932)"""
    load, most = servers * rho, servers + int(60 / (1 - rho))
    came = stats.poisson(load).pmf(np.arange(most + 1))
    moves = np.zeros((most + 1, most + 1))
    for n in range(most + 1):
        left = max(n - servers, 0)
        moves[n, left:] = came[: most + 1 - left]
    moves[:, -1] += 1 - moves.sum(axis=1)
    balance = np.vstack((moves.T - np.eye(most + 1), np.ones(most + 1)))
    law = np.linalg.lstsq(balance, np.append(np.zeros(most + 1), 1.0), rcond=None)[0]
    return float((law @ np.arange(most + 1) - load) / load)


def mean_wait_behind(transform: Callable[[float], float]) -> float:
    """GI/M/1 in units of the mean service, from the transform A of the gaps in the same units: an arrival finds the
    line as long as a geometric law says, whose parameter solves sigma = A(1 - sigma). source   Kendall (1953)"""
    sigma = optimize.brentq(lambda s: s - transform(1 - s), 0.0, 1 - 1e-9)
    return float(sigma / (1 - sigma))


def transform_of_gaps(cv: float, rho: float) -> Callable[[float], float]:
    """Of gaps with mean 1 / rho: regular ones, gamma ones where they are steadier than Poisson, and a mixture of two
    exponential ones with balanced means where they are wilder."""
    if not cv:
        return lambda s: math.exp(-s / rho)
    if cv <= 1:
        shape = 1 / cv**2
        return lambda s: (shape * rho / (shape * rho + s)) ** shape
    first = share_of_the_short(cv)
    return lambda s: sum(p * 2 * p * rho / (2 * p * rho + s) for p in (first, 1 - first))


def share_of_the_short(cv: float) -> float:
    """Of a mixture of two exponential laws with balanced means, for its coefficient of variation: the first's share."""
    return (1 + math.sqrt((cv**2 - 1) / (cv**2 + 1))) / 2


def erlang_a(servers: int, arrivals: float, leaves: float) -> tuple[float, float]:
    """M/M/c+M with a mean service of one: chances that an arrival waits, and that it leaves. source   Palm (1957)"""
    logs, terms = 0.0, [0.0]
    for n in range(1, 40 * servers + int(40 * arrivals / leaves)):
        logs += math.log(arrivals / (min(n, servers) + max(0, n - servers) * leaves))
        terms.append(logs)
    chances = np.exp(np.array(terms) - max(terms))
    chances /= chances.sum()
    waiting = np.maximum(np.arange(len(chances)) - servers, 0)
    return float(chances[servers:].sum()), float(leaves * (chances @ waiting) / arrivals)


def waits_at_most(x: float, rho: float) -> float:
    """M/D/1: chance of a wait of at most x services. source   Erlang (1909)

    The terms cancel each other, the more so the longer the wait: sixty digits are good beyond x = 60.
    """
    if x < 0:
        return 0.0
    with decimal.localcontext(prec=60):
        r, wait, total = decimal.Decimal(rho), decimal.Decimal(x), decimal.Decimal(0)
        for k in range(math.floor(x) + 1):
            work = r * (wait - k)
            total += (-work) ** k / math.factorial(k) * work.exp() if work or k == 0 else 0
        return float((1 - r) * total)


def refused_by_bucket(rho: float, burst: int) -> float:
    """Share of Poisson calls that a token bucket refuses: an M/D/1 queue with a bound on the work in it."""
    beyond = 1 - waits_at_most(burst - 1, rho)
    return (1 - rho) * beyond / (1 - rho * beyond)


def mean_delay_by_bucket(rho: float, burst: int) -> float:
    """Mean delay of Poisson calls at a shaper: what the wait of that queue exceeds burst - 1."""
    within = sum(integrate.quad(lambda x: 1 - waits_at_most(x, rho), k, k + 1)[0] for k in range(burst - 1))
    return mean_wait(rho, 0) - float(within)


def tandem(arrivals: float, services: Sequence[float]) -> tuple[float, float, Callable[[float], float]]:
    """Single servers one after the other: mean, variance and tail of the time through all, exponential sojourns with
    rates mu - lambda added up. source   Jackson (1957), Reich (1957); the rates must differ"""
    rates = [rate - arrivals for rate in services]

    def longer_than(t: float) -> float:
        return math.fsum(
            math.exp(-rate * t) * math.prod(other / (other - rate) for other in rates if other != rate)
            for rate in rates
        )

    return sum(1 / rate for rate in rates), sum(1 / rate**2 for rate in rates), longer_than


def unserved(buyers: float, units: int) -> tuple[float, float]:
    """Poisson many buyers for so many units: mean number of those who get none, and the chance that there is one."""
    law = stats.poisson(buyers)
    most = int(law.ppf(1 - 1e-15)) + 10
    return (
        math.fsum((n - units) * float(law.pmf(n)) for n in range(units + 1, most)),
        float(law.sf(units)),
    )


# -- holds


def mean_hold(pays_in: stats.rv_continuous | float, ttl: float, abandon: float) -> float:
    """Mean time that a hold lasts: an abandoned one to its TTL, a paid one until paid, but never beyond its TTL."""
    if isinstance(pays_in, int | float):
        paid = min(float(pays_in), ttl)
    else:
        paid = integrate.quad(pays_in.sf, 0, ttl, limit=200)[0]
    return (1 - abandon) * paid + abandon * ttl


def kaufman_roberts(units: int, classes: Sequence[tuple[float, int]]) -> tuple[list[float], float]:
    """Carts of several units, (load, units a cart) each: chance that each class is refused, and mean units held.
    source   Kaufman (1981), Roberts (1981)"""
    weights = [1.0]
    for n in range(1, units + 1):
        weights.append(sum(load * size * weights[n - size] for load, size in classes if size <= n) / n)
    shares = np.array(weights) / sum(weights)
    return [float(shares[max(0, units - size + 1) :].sum()) for _, size in classes], float(
        shares @ np.arange(units + 1)
    )


def grants_until_sold(units: int, buys: float) -> tuple[float, float]:
    """Mean and variance of the reservations granted until all is sold: each is bought with that chance."""
    return units / buys, units * (1 - buys) / buys**2


def all_sold_by(units: int, buys: float, rounds: int) -> float:
    """Endless demand, and whatever is not bought comes back after one TTL: chance that nothing is left after `rounds`
    comebacks."""
    return float((1 - (1 - buys) ** (rounds + 1)) ** units)


# -- drift, with m out-of-band sales a cycle on average


def drift_moments(m: float) -> tuple[float, float]:
    """Mean and variance over time."""
    return m / 2, m / 2 + m**2 / 12


def drift_beyond(k: int, m: float, skips: float = 0.0) -> float:
    """Share of the time with a drift above k; a refresh fails with that chance, whatever the others did."""
    # At a random moment the last n refreshes failed with chance skips^n: the age is n whole cycles and a part of one.
    within = math.fsum(
        (1 - skips) * skips**n * integrate.quad(lambda u, n=n: stats.poisson.cdf(k, m * (n + u)), 0, 1)[0]
        for n in range(1 if not skips else math.ceil(math.log(1e-12) / math.log(skips)))
    )
    return 1 - within


def largest_drift(m: float, cycles: int) -> float:
    """Mean of the largest drift in so many cycles."""
    return math.fsum(1 - float(stats.poisson.cdf(k, m)) ** cycles for k in range(int(m + 40 * math.sqrt(m) + 40)))


def largest_drift_within(k: int, m: float, cycles: int) -> float:
    """Chance that the largest drift in so many cycles is at most k."""
    return float(stats.poisson.cdf(k, m) ** cycles)


def quantile_of_largest_drift(m: float, cycles: int, share: float) -> int:
    return next(k for k in range(10_000) if largest_drift_within(k, m, cycles) >= share)


def oversold_in_one_cycle(shelf: int, local: float, foreign: float, safety: int) -> tuple[float, float]:
    """Poisson local demand, capped at what the shop may sell, and Poisson foreign sales, all from one shelf: the chance
    that it is oversold, and mean units."""
    ours, theirs = stats.poisson(local), stats.poisson(foreign)
    may_sell = shelf - safety
    sold = [float(ours.pmf(n)) for n in range(may_sell)] + [float(ours.sf(may_sell - 1))]
    other = [float(theirs.pmf(n)) for n in range(int(theirs.ppf(1 - 1e-15)) + 10)]
    pairs = [(n + k - shelf, p * q) for n, p in enumerate(sold) for k, q in enumerate(other)]
    return (
        math.fsum(chance for over, chance in pairs if over > 0),
        math.fsum(over * chance for over, chance in pairs if over > 0),
    )


# -- sending again


def receipts(tries: int, ask_lost: float, answer_lost: float) -> tuple[float, float, float, float, float]:
    """A sender tries until answered: chances of 0, 1 and more receipts, mean receipts, chance that it gives up."""
    arrives, silent = 1 - ask_lost, ask_lost + (1 - ask_lost) * answer_lost
    never = ask_lost**tries
    # One receipt, at the k-th try: either answered, or its answer lost and every later ask lost as well.
    once = sum(
        ask_lost**k * arrives * ((1 - answer_lost) + answer_lost * ask_lost ** (tries - 1 - k)) for k in range(tries)
    )
    mean = arrives * (1 - silent**tries) / (1 - silent)
    return never, once, 1 - never - once, mean, silent**tries


def forgotten_meanwhile(window: float, every: float, answer_lost: float) -> float:
    """Sent again every so often until answered; a key counts iff now - first < window: chance of a second effect."""
    return float(answer_lost ** math.ceil(window / every))


# -- stock that is split beforehand


def stranded_units(units: int) -> float:
    """Two regions with so many units each, every buyer from either: units that the other one has when somebody first
    finds nothing. Banach's matchboxes (W. Feller, An Introduction to Probability Theory, vol. 1, 6.8)"""
    return (2 * units + 1) * math.comb(2 * units, units) / 4**units - 1


def lost_sales(units: int, demand: float, regions: int) -> float:
    """Of a Poisson number of buyers of one unit, split evenly as the stock is, those who find nothing."""
    share, mean = units // regions, demand / regions
    beyond = stats.poisson(mean)
    return float(regions * (mean * beyond.sf(share - 1) - share * beyond.sf(share)))


# -- what is rare


def line_before_idle(rho: float, length: int) -> float:
    """M/M/1: chance that the first customer of a busy time sees so many in the house before it is empty again; a
    gambler with one coin. source   Feller, vol. 1, 14.2"""
    ratio = 1 / rho
    return (1 - ratio) / (1 - ratio**length)


def failures_in_a_row(chance: float, row: int, tries: int) -> float:
    """Chance that somewhere in so many tries that many fail one after the other."""
    after = [1.0] + [0.0] * row  # how many have failed last; the last place is where one stays
    for _ in range(tries):
        moved = [(1 - chance) * sum(after[:row])] + [chance * part for part in after[: row - 1]] + [after[row]]
        moved[row] += chance * after[row - 1]
        after = moved
    return after[row]


# -- asking again


def tries(fails: float, attempts: int) -> tuple[float, float]:
    """Mean number of tries, and the chance that one of them succeeds."""
    return (1 - fails**attempts) / (1 - fails), 1 - fails**attempts


def waits_of_backoff(kind: str, base: float, cap: float, retries: int) -> float:
    """Mean of all waits; the n-th bound is base * 2^n, from n = 1 on, and never above the cap. A decorrelated wait is
    drawn evenly from the base to three times the one before, and its law is followed on a grid."""
    bounds = [min(cap, base * 2**n) for n in range(1, retries + 1)]
    if kind != "decorrelated":
        return sum(bounds) * {"none": 0.0, "exponential": 1.0, "equal": 0.75, "full": 0.5}[kind]
    cells = 64_000
    grid = base + (np.arange(cells) + 0.5) * (cap - base) / cells
    law, total = np.zeros(cells), 0.0
    law[0] = 1.0  # begins at the base
    at_cap = 0.0
    for step in range(retries):
        tops = np.minimum(3 * (np.full(cells, base) if not step else grid), 1e18)
        density = np.where(law > 0, law / (tops - base), 0.0)
        reach = np.minimum(np.searchsorted(grid, tops), cells)
        fresh = np.zeros(cells + 1)
        np.add.at(fresh, 0, density.sum() + at_cap / (3 * cap - base))
        np.add.at(fresh, reach, -density)
        fresh[cells] -= at_cap / (3 * cap - base)
        moved = np.cumsum(fresh)[:cells] * (cap - base) / cells
        at_cap = float((density * np.maximum(tops - cap, 0)).sum()) + at_cap * (2 * cap) / (3 * cap - base)
        law = moved * (1 - at_cap) / moved.sum()
        total += float(law @ grid) + at_cap * cap
    return total
