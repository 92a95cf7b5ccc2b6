"""Every distribution against its closed form.

False alarms: each moment is gated at z = 4.5 (two-sided normal tail 6.8e-6), each quantile by ranks at that tail.
With about 140 gates here, a sound sampler fails this file about 10 times in 10,000 seeds; the seed is fixed. Where a
law has no fourth moment, the sampled variance is not gated: its error has no scale; where the fourth is nearly the
last (Pareto), the normal tail is only near.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from orderquake.sim.units import MS, SECOND, parse_duration
from orderquake.sim.world.delays import Distribution, Empirical, Hyperexponential, Lognormal, delay
from orderquake.sim.world.presets import PRESETS
from orderquake.sim.world.shapes import FOREVER_US
from orderquake.sim.world.streams import Stream, Streams

N = 200_000
Z = 4.5


LAWS: list[tuple[dict[str, Any], Any]] = [
    ({"kind": "uniform", "low": "2 ms", "high": "8 ms"}, stats.uniform(2_000, 6_000)),
    ({"kind": "exponential", "mean": "40 ms"}, stats.expon(scale=40_000)),
    ({"kind": "lognormal", "median": "700 ms", "sigma": 0.5}, stats.lognorm(s=0.5, scale=700_000)),
    (
        {"kind": "lognormal", "p50": "40 ms", "p99": "60 ms"},
        stats.lognorm(s=math.log(1.5) / stats.norm.ppf(0.99), scale=40_000),
    ),
    (
        {"kind": "lognormal", "mean": "1 s", "cv": 0.5},
        stats.lognorm(s=math.sqrt(math.log(1.25)), scale=1e6 / math.sqrt(1.25)),
    ),
    ({"kind": "gamma", "mean": "50 ms", "cv": 0.5}, stats.gamma(4, scale=12_500)),
    ({"kind": "gamma", "mean": "50 ms", "cv": 1.0}, stats.expon(scale=50_000)),
    ({"kind": "erlang", "stages": 1, "mean": "40 ms"}, stats.expon(scale=40_000)),
    ({"kind": "erlang", "stages": 4, "mean": "40 ms"}, stats.erlang(4, scale=10_000)),
    ({"kind": "weibull", "shape": 0.7, "scale": "80 ms"}, stats.weibull_min(0.7, scale=80_000)),
    ({"kind": "weibull", "shape": 1.5, "mean": "80 ms"}, stats.weibull_min(1.5, scale=80_000 / math.gamma(5 / 3))),
    ({"kind": "pareto", "shape": 5.0, "minimum": "30 ms"}, stats.pareto(5, scale=30_000)),
    ({"kind": "pareto", "shape": 2.5, "minimum": "30 ms"}, stats.pareto(2.5, scale=30_000)),
    ({"kind": "shifted", "by": "5 ms", "of": {"kind": "exponential", "mean": "10 ms"}}, stats.expon(5_000, 10_000)),
    (
        {"kind": "shifted", "by": "1 ms", "of": {"kind": "pareto", "shape": 6.0, "minimum": "2 ms"}},
        stats.pareto(6, loc=1_000, scale=2_000),
    ),
]
TRUNCATED: list[tuple[dict[str, Any], Any]] = [
    (
        {"kind": "truncated", "at_most": "60 ms", "of": {"kind": "exponential", "mean": "40 ms"}},
        stats.truncexpon(1.5, scale=40_000),
    ),
    (
        {"kind": "truncated", "at_least": "20 ms", "of": {"kind": "exponential", "mean": "40 ms"}},
        stats.expon(20_000, 40_000),
    ),
    (
        {
            "kind": "truncated",
            "at_least": "20 ms",
            "at_most": "90 ms",
            "of": {"kind": "pareto", "shape": 0.9, "minimum": "10 ms"},
        },
        stats.truncpareto(0.9, 4.5, scale=20_000),
    ),
]
IDS, IDS_TRUNCATED = ([" ".join(map(str, law.values())) for law, _ in laws] for laws in (LAWS, TRUNCATED))


def drawn(law: dict[str, Any], seed: int = 1) -> np.ndarray[Any, np.dtype[np.int64]]:
    return delay(**law).sample(np.random.Generator(np.random.Philox(key=seed)), N)


@pytest.mark.parametrize(("law", "reference"), LAWS, ids=IDS)
def test_mean_and_variance_are_those_of_the_closed_form(law: dict[str, Any], reference: Any) -> None:
    assert delay(**law).mean_us == pytest.approx(reference.mean(), rel=1e-9)
    assert delay(**law).variance == pytest.approx(reference.var(), rel=1e-9)


@pytest.mark.parametrize(("law", "reference"), LAWS, ids=IDS)
def test_sampled_moments_agree_with_the_closed_form(law: dict[str, Any], reference: Any) -> None:
    samples = drawn(law)
    standard_error = reference.std() / math.sqrt(N)
    assert abs(samples.mean() - reference.mean()) < Z * standard_error
    excess = float(reference.stats(moments="k"))
    if not math.isfinite(excess):
        return
    variance_error = reference.var() * math.sqrt((excess + 2) / N)
    assert abs(samples.var(ddof=1) - reference.var()) < Z * variance_error


@pytest.mark.parametrize("q", [0.01, 0.5, 0.9, 0.99, 0.999])
@pytest.mark.parametrize(("law", "reference"), LAWS + TRUNCATED, ids=IDS + IDS_TRUNCATED)
def test_sampled_quantiles_enclose_the_exact_one(law: dict[str, Any], reference: Any, q: float) -> None:
    tail = stats.norm.sf(Z)
    low, high = stats.binom.ppf(tail, N, q), stats.binom.ppf(1 - tail, N, q)
    ordered = np.sort(drawn(law))
    assert ordered[int(low) - 1] - 1 <= reference.ppf(q) <= ordered[int(high)] + 1  # rounding moves by half at most


def test_a_mixture_has_the_moments_of_its_parts() -> None:
    law = {
        "kind": "mixture",
        "parts": [
            {"weight": 98, "of": {"kind": "lognormal", "median": "155 ms", "sigma": 0.25}},
            {"weight": 2, "of": {"kind": "lognormal", "median": "450 ms", "sigma": 0.4}},
        ],
    }
    fast, slow = stats.lognorm(s=0.25, scale=155_000), stats.lognorm(s=0.4, scale=450_000)
    mean = 0.98 * fast.mean() + 0.02 * slow.mean()
    variance = 0.98 * fast.moment(2) + 0.02 * slow.moment(2) - mean**2
    assert delay(**law).mean_us == pytest.approx(mean, rel=1e-9)
    assert delay(**law).variance == pytest.approx(variance, rel=1e-9)
    samples = drawn(law)
    assert abs(samples.mean() - mean) < Z * math.sqrt(variance / N)
    above = 0.98 * fast.sf(437_000) + 0.02 * slow.sf(437_000)
    assert abs((samples > 437_000).mean() - above) < Z * math.sqrt(above * (1 - above) / N)


@pytest.mark.parametrize(("law", "reference"), TRUNCATED, ids=IDS_TRUNCATED)
def test_a_truncated_law_is_conditioned_and_its_moments_are_numeric(law: dict[str, Any], reference: Any) -> None:
    samples = drawn(law)
    assert abs(samples.mean() - reference.mean()) < Z * reference.std() / math.sqrt(N)
    assert delay(**law).mean_us == pytest.approx(reference.mean(), rel=0.01)
    assert delay(**law).variance == pytest.approx(reference.var(), rel=0.03)
    assert samples.min() >= parse_duration(law.get("at_least", "0 s"))
    if "at_most" in law:
        assert samples.max() <= parse_duration(law["at_most"])
        at_the_edge = (samples >= 0.99 * samples.max()).mean()
        assert at_the_edge < 0.02, "nothing piles up at the limit"


def test_a_truncated_law_is_the_same_however_many_are_asked_for_at_once() -> None:
    law = delay(kind="truncated", of={"kind": "exponential", "mean": "40 ms"}, at_most="60 ms")
    for n in (1, 7, 1024, 3000):
        assert law.sample(np.random.Generator(np.random.Philox(key=5)), n).shape == (n,)


@pytest.mark.parametrize(
    ("law", "mean_us", "variance"),
    [
        ({"kind": "pareto", "shape": 0.9, "minimum": "1 s"}, math.inf, math.inf),
        ({"kind": "pareto", "shape": 1.0, "minimum": "1 s"}, math.inf, math.inf),
        ({"kind": "pareto", "shape": 1.5, "minimum": "1 s"}, 3 * SECOND, math.inf),
        ({"kind": "pareto", "shape": 2.0, "minimum": "1 s"}, 2 * SECOND, math.inf),
        ({"kind": "shifted", "by": "1 s", "of": {"kind": "pareto", "shape": 2.0, "minimum": "1 s"}}, 3e6, math.inf),
        (
            {"kind": "truncated", "at_least": "2 s", "of": {"kind": "pareto", "shape": 1.0, "minimum": "1 s"}},
            math.inf,
            math.inf,
        ),
    ],
    ids=str,
)
def test_moments_that_do_not_exist_are_infinite(law: dict[str, Any], mean_us: float, variance: float) -> None:
    assert delay(**law).mean_us == mean_us
    assert delay(**law).variance == variance


def test_the_heaviest_tail_does_not_overflow_the_clock() -> None:
    samples = drawn({"kind": "pareto", "shape": 0.1, "minimum": "1 s"})
    assert samples.min() >= SECOND
    assert samples.max() == FOREVER_US


HYPER: list[tuple[dict[str, Any], list[float], list[float]]] = [
    ({"probabilities": [0.2, 0.5, 0.3], "means": ["1 s", "10 ms", "0 s"]}, [0.2, 0.5, 0.3], [1e6, 1e4, 0.0]),
    (
        {"mean": "1 s", "cv": 2.0},
        [0.5 + math.sqrt(0.15), 0.5 - math.sqrt(0.15)],
        [0.5e6 / (0.5 + math.sqrt(0.15)), 0.5e6 / (0.5 - math.sqrt(0.15))],
    ),
]


@pytest.mark.parametrize(("given", "chances", "means"), HYPER, ids=["by branch", "balanced"])
def test_a_hyperexponential_is_a_mixture_of_exponentials(
    given: dict[str, Any], chances: list[float], means: list[float]
) -> None:
    law = delay(kind="hyperexponential", **given)
    mean = sum(p * m for p, m in zip(chances, means, strict=True))
    second = sum(2 * p * m**2 for p, m in zip(chances, means, strict=True))
    fourth = sum(24 * p * m**4 for p, m in zip(chances, means, strict=True))
    assert law.mean_us == pytest.approx(mean, rel=1e-9)
    assert law.variance == pytest.approx(second - mean**2, rel=1e-9)
    samples = drawn({"kind": "hyperexponential", **given}).astype(float)
    assert abs(samples.mean() - mean) < Z * math.sqrt((second - mean**2) / N)
    assert abs((samples**2).mean() - second) < Z * math.sqrt((fourth - second**2) / N)
    for t in (5_000.5, 200_000.5, 3_000_000.5):
        above = sum(p * math.exp(-t / m) for p, m in zip(chances, means, strict=True) if m)
        assert abs((samples > t).mean() - above) < Z * math.sqrt(above * (1 - above) / N)


def test_two_balanced_branches_share_the_time_and_meet_the_cv() -> None:
    law = Hyperexponential.model_validate({"mean": "1 s", "cv": 2.0})
    chances, means = law.branches()
    assert chances @ means == pytest.approx(SECOND)
    assert chances[0] * means[0] == pytest.approx(chances[1] * means[1])
    assert law.variance == pytest.approx((2 * SECOND) ** 2)
    assert delay(kind="hyperexponential", mean="1 s", cv=1.0).variance == pytest.approx(SECOND**2)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_is_as_near_to_what_was_measured_as_it_says(name: str) -> None:
    law: Distribution = delay(kind="preset", name=name)
    samples = drawn({"kind": "preset", "name": name})
    measured = PRESETS[name]  # type: ignore[index]
    assert measured.source
    for share, milliseconds in measured.quantiles.items():
        assert np.quantile(samples, share) / MS == pytest.approx(milliseconds, rel=measured.within)
    assert law.mean_us == pytest.approx(samples.mean(), rel=0.02)


@pytest.mark.parametrize("law", [law for law, _ in LAWS + TRUNCATED], ids=IDS + IDS_TRUNCATED)
def test_every_law_is_good_for_a_stream_and_reads_back_what_it_writes(law: dict[str, Any]) -> None:
    written = delay(**law)
    assert delay(**written.model_dump(mode="json", exclude_none=True)) == written
    stream: Stream = Streams(3).of("arrivals", written)
    assert [stream.draw(n) for n in range(4)] == [Streams(3).of("arrivals", written).draw(n) for n in range(4)]


def test_a_constant_is_constant() -> None:
    samples = drawn({"kind": "constant", "value": "5 ms"})
    assert set(samples.tolist()) == {5 * MS}
    assert delay(kind="constant", value="5 ms").variance == 0


def test_measured_times_are_drawn_alike() -> None:
    law = {"kind": "empirical", "samples": ["1 ms", "2 ms", "2 ms", "9 ms"]}
    samples = drawn(law)
    assert delay(**law).mean_us == 3_500
    assert delay(**law).variance == pytest.approx(np.var([1_000, 2_000, 2_000, 9_000]))
    for value, share in ((1_000, 0.25), (2_000, 0.5), (9_000, 0.25)):
        assert abs((samples == value).mean() - share) < Z * math.sqrt(share * (1 - share) / N)


@pytest.mark.parametrize(
    "law",
    [law for law, _ in LAWS]
    + [
        {"kind": "constant", "value": "0 s"},
        {"kind": "exponential", "mean": "1 us"},
        {"kind": "lognormal", "median": "1 us", "sigma": 3.0},
    ],
    ids=lambda law: " ".join(str(value) for value in law.values()),
)
def test_samples_are_whole_microseconds_and_never_negative(law: dict[str, Any]) -> None:
    samples = drawn(law)
    assert samples.dtype == np.int64
    assert samples.shape == (N,)
    assert samples.min() >= 0


def test_the_same_generator_state_draws_the_same() -> None:
    law = {"kind": "gamma", "mean": "50 ms", "cv": 2.0}
    assert np.array_equal(drawn(law, seed=7), drawn(law, seed=7))
    assert not np.array_equal(drawn(law, seed=7), drawn(law, seed=8))


def test_a_lognormal_meets_the_quantiles_it_was_given() -> None:
    law = Lognormal.model_validate({"p50": "500 ms", "p99": "5 s"})
    mu, sigma = law.parameters()
    exact = stats.lognorm(s=sigma, scale=math.exp(mu))
    assert exact.ppf([0.5, 0.99]) == pytest.approx([500 * MS, 5 * SECOND])


@pytest.mark.parametrize(
    ("law", "phrase"),
    [
        ({"kind": "uniform", "low": "5 ms", "high": "2 ms"}, "expected at least low"),
        ({"kind": "lognormal", "p50": "60 ms", "p99": "40 ms"}, "expected more than p50"),
        ({"kind": "lognormal", "p50": "60 ms", "p99": "60 ms"}, "expected more than p50"),
        ({"kind": "lognormal", "median": "60 ms"}, "expected median and sigma, or p50 and p99, or mean and cv"),
        ({"kind": "lognormal", "median": "1 s", "p99": "2 s"}, "a lognormal with median and p99"),
        ({"kind": "lognormal"}, "a lognormal with neither"),
        ({"kind": "lognormal", "median": "0 s", "sigma": 0.5}, "expected more than zero"),
        ({"kind": "lognormal", "median": "1 s", "sigma": 0.0}, "greater than 0"),
        ({"kind": "gamma", "mean": "1 s", "cv": -1.0}, "greater than 0"),
        ({"kind": "mixture", "parts": []}, "expected at least one part"),
        (
            {"kind": "mixture", "parts": [{"weight": 0, "of": {"kind": "constant", "value": "1 s"}}]},
            "greater than 0",
        ),
        ({"kind": "empirical"}, "expected samples, or file, column and unit"),
        ({"kind": "empirical", "samples": [12]}, "expected a duration"),
        ({"kind": "empirical", "file": "t.csv"}, "given without column and unit"),
        ({"kind": "empirical", "file": "t.csv", "samples": ["1 s"]}, "expected one of the two"),
        ({"kind": "empirical", "file": "no.csv", "column": "a", "unit": "ms"}, "cannot be read"),
        ({"kind": "constant", "value": "1 s", "vlaue": "2 s"}, "Extra inputs"),
        ({"kind": "constant", "value": 5}, "expected a duration"),
        ({"kind": "weibul", "mean": "1 s"}, "expected tags"),
        ({"kind": "weibull", "mean": "1 s"}, "Field required"),
        ({"kind": "weibull", "shape": 2.0}, "a weibull with neither; expected one of scale and mean"),
        ({"kind": "weibull", "shape": 2.0, "scale": "1 s", "mean": "1 s"}, "with mean and scale"),
        ({"kind": "weibull", "shape": 0.01, "scale": "1 s"}, "greater than or equal to 0.1"),
        ({"kind": "pareto", "shape": 0.0, "minimum": "1 s"}, "greater than or equal to 0.1"),
        ({"kind": "pareto", "shape": 2.0, "minimum": "0 s"}, "expected more than zero"),
        ({"kind": "erlang", "stages": 0, "mean": "1 s"}, "greater than or equal to 1"),
        ({"kind": "erlang", "stages": 1.5, "mean": "1 s"}, "valid integer"),
        ({"kind": "hyperexponential"}, "with neither; expected probabilities and means, or mean and cv"),
        ({"kind": "hyperexponential", "mean": "1 s", "means": ["1 s"]}, "with mean and means"),
        ({"kind": "hyperexponential", "mean": "1 s", "cv": 0.5}, "greater than or equal to 1"),
        (
            {"kind": "hyperexponential", "probabilities": [0.5, 0.4], "means": ["1 s", "2 s"]},
            "0.9 in all; expected probabilities that add up to 1",
        ),
        (
            {"kind": "hyperexponential", "probabilities": [0.5, 0.5], "means": ["1 s"]},
            "1 for 2 probabilities; expected one mean for each",
        ),
        ({"kind": "hyperexponential", "probabilities": [], "means": []}, "expected probabilities that add up to 1"),
        ({"kind": "shifted", "by": "1 s"}, "Field required"),
        ({"kind": "truncated", "of": {"kind": "exponential", "mean": "1 s"}}, "truncated nowhere"),
        (
            {"kind": "truncated", "of": {"kind": "exponential", "mean": "1 s"}, "at_least": "2 s", "at_most": "1 s"},
            'expected at least at_least, "2 s"',
        ),
        (
            {"kind": "truncated", "of": {"kind": "constant", "value": "3 s"}, "at_most": "1 s"},
            "keeps nothing of what it truncates",
        ),
        (
            {"kind": "truncated", "of": {"kind": "exponential", "mean": "1 s"}, "at_least": "20 s"},
            "expected limits that keep at least 0.1 %",
        ),
        ({"kind": "preset", "name": "dynamo_put"}, "dynamodb_put"),
        ({"kind": "windows", "of": {"kind": "constant", "value": "1 s"}, "windows": []}, "expected tags"),
    ],
)
def test_an_impossible_distribution_is_refused(law: dict[str, Any], phrase: str) -> None:
    with pytest.raises(ValidationError) as error:
        delay(**law)
    assert phrase in str(error.value)


def test_measured_times_may_lie_in_a_file_beside_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("at,took_ms\n1,12\n2,0.5\n", encoding="utf-8")
    given = {"kind": "empirical", "file": "t.csv", "column": "took_ms", "unit": "ms"}
    law = Empirical.model_validate(given, context={"folder": str(tmp_path)})
    assert law.samples == (12_000, 500)
    assert law.file is None, "once read, the samples stand for themselves"
    assert Empirical.model_validate(law.model_dump(mode="json", exclude_none=True)) == law


@pytest.mark.parametrize(
    ("text", "change", "phrase"),
    [
        ("at,took\n1,12\n", {"column": "tok"}, '"tok", not in t.csv; expected one of at, took'),
        ("at,took\n1,12\n2,soon\n", {}, 'line 3 has "soon"'),
        ("at,took\n1,-4\n", {}, "negative time -4"),
        ("at,took\n", {}, "without samples"),
        ("at,took\n1,12\n", {"unit": "min"}, "'us', 'ms' or 's'"),
    ],
)
def test_a_bad_file_of_times_is_named_with_its_line(
    tmp_path: Path, text: str, change: dict[str, str], phrase: str
) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    given = {"kind": "empirical", "file": "t.csv", "column": "took", "unit": "ms"} | change
    with pytest.raises(ValidationError) as error:
        Empirical.model_validate(given, context={"folder": str(tmp_path)})
    assert phrase in str(error.value)
