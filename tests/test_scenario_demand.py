"""Scenario files that say something wrong of customers, throttles and lines: what is said about them, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_scenario import GOOD, told

POISSON = 'kind = "poisson"\nrate_per_s = 2.0'
BAD: list[tuple[str, str, list[str]]] = [
    # workloads
    (GOOD.replace(POISSON, 'kind = "bursts"\nrate_per_s = 2.0'), "5:2", ["without size or dispersion"]),
    (
        GOOD.replace(POISSON, 'kind = "bursts"\nrate_per_s = 2.0\nsize = 0.5'),
        "8:8",
        ["workload.size is 0.5; expected at least 1"],
    ),
    (GOOD.replace(POISSON, 'kind = "burst"\nrate_per_s = 2.0'), "6:8", ['did you mean "bursts"?']),
    (
        GOOD.replace(POISSON, 'kind = "renewal"\ngap = { kind = "constant", value = "0 s" }'),
        "7:7",
        ["workload.gap is no time at all"],
    ),
    (
        GOOD.replace(POISSON, 'kind = "closed"\ncustomers = 0\nthink = { kind = "constant", value = "1 s" }'),
        "7:13",
        ["workload.customers is 0; expected at least 1"],
    ),
    (GOOD.replace(POISSON, 'kind = "closed"\ncustomers = 3'), "5:2", ["workload.think is missing"]),
    (GOOD.replace(POISSON, 'kind = "profile"'), "5:2", ["without of, file or steps"]),
    (GOOD.replace(POISSON, 'kind = "profile"\nof = "online_retial"'), "7:6", ['did you mean "online_retail"?']),
    (
        GOOD.replace(POISSON, 'kind = "profile"\nfile = "mine.csv"'),
        "7:8",
        ['workload.file is "mine.csv", which cannot be read', "csv file beside the scenario"],
    ),
    (
        GOOD.replace(POISSON, 'kind = "profile"\nof = "online_retail"\nrepeats = "1 day"'),
        "8:11",
        ["workload.repeats is given"],
    ),
    (
        GOOD.replace(POISSON, 'kind = "profile"\nsteps = [{ from = "1 s", rate_per_s = 1.0 }]'),
        "7:9",
        ["workload.steps is out of order"],
    ),
    (
        GOOD.replace(POISSON, 'kind = "profile"\nsteps = [{ from = "0 s", rate_per_s = 0.0 }]'),
        "7:9",
        ["workload.steps is without any customers"],
    ),
    (
        GOOD.replace(POISSON, 'kind = "profile"\nsteps = [{ from = "0 s", rate_per_s = 1.0 }]\nrepeats = "0 s"'),
        "8:11",
        ['workload.repeats is "0 s"; expected more than'],
    ),
    (
        GOOD + 'popularity = { kind = "hot", skus = 100 }\n',
        "8:37",
        ["workload.popularity.skus is 100, but stock.skus is 100"],
    ),
    (GOOD + 'popularity = { kind = "traced" }\n', "8:14", ["workload.popularity", "there is no trace"]),
    # throttles and lines
    (
        GOOD + '[service.payment]\nthrottle = { per_s = 5.0, burst = 1, kind = "shapr" }\n',
        "9:45",
        ['did you mean "shaper"?'],
    ),
    (
        GOOD + "[service.payment]\nthrottle = { per_s = 5.0, burst = 1, queue_bound = 3 }\n",
        "9:52",
        ["nobody waits at a policer"],
    ),
    (
        GOOD + '[service.payment]\naccount_throttle = { per_s = 5.0, burst = 1, kind = "shaper" }\n',
        "9:53",
        ["service.payment.account_throttle.kind", "the throttle of each verb is a policer"],
    ),
    (
        GOOD + '[service.stock]\nqueue_patience = { kind = "constant", value = "1 s" }\n',
        "9:18",
        ["service.stock.queue_patience", "no capacity"],
    ),
]


@pytest.mark.parametrize(("text", "spot", "phrases"), BAD, ids=[f"{phrases[0]} {spot}" for _, spot, phrases in BAD])
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, spot: str, phrases: list[str]) -> None:
    (line,) = told(tmp_path, text)
    assert line.startswith(f"bad.toml:{spot} ")
    assert all(phrase in line for phrase in phrases), line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hour,rate\n0,1\n", "has the columns hour,rate; expected hour,rate_per_s or from_s,rate_per_s"),
        ("hour,rate_per_s\n0,1\n1,2\n", "has 2 hours; expected the 24 of a day or the 168 of a week"),
        ("hour,rate_per_s\n0,1\n2,2\n", "has hour 2 in line 3; expected 1, every hour once"),
        ("from_s,rate_per_s\n5,1\n", "begins with from_s 5 in line 2; expected 0"),
        ("from_s,rate_per_s\n0,1\n0,2\n", "has from_s 0 in line 3; expected more than in the line above"),
        ("from_s,rate_per_s\n0,many\n", 'has "0,many" in line 2; expected two numbers'),
        ("from_s,rate_per_s\n0,-1\n", 'has "0,-1" in line 2; expected finite numbers, no rate below zero'),
        ("from_s,rate_per_s\n0,0\n", "has no rate above zero; expected one at least"),
        ("from_s,rate_per_s\n0,1,2\n", "has 3 fields in line 2; expected from_s and rate_per_s"),
        ("from_s,rate_per_s\n", "has no rate above zero"),
        ("", "has the columns (none)"),
    ],
)
def test_a_mistake_in_a_file_of_rates_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "rates.csv").write_text(text, encoding="utf-8")
    (line,) = told(tmp_path, GOOD.replace(POISSON, 'kind = "profile"\nfile = "rates.csv"'))
    assert line.startswith(f'bad.toml:7:8 workload.file is "rates.csv", which {said}')
