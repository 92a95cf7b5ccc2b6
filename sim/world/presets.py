"""Latencies that somebody has measured and published, by name: data, each with its source.

    latency = { kind = "preset", name = "dynamodb_put" }

The laws are fits by eye to the quantiles beside them; a test keeps each within what it says. Nothing is drawn here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

PresetName: TypeAlias = Literal[
    "dynamodb_put",
    "dynamodb_transaction",
    "lambda_init_go",
    "lambda_init_java",
    "lambda_init_node",
    "lambda_init_python",
    "redis_like",
    "step_functions_hop",
    "step_functions_hop_cold",
]


class Measured(NamedTuple):
    """One measurement.

    law         a distribution, as a scenario would write it
    quantiles   what was measured: share -> milliseconds
    within      how far the law may be from them, as a share
    source      where to look it up
    """

    law: Mapping[str, Any]
    quantiles: Mapping[float, float]
    within: float
    source: str


def _lognormal(median: str, sigma: float) -> dict[str, Any]:
    return {"kind": "lognormal", "median": median, "sigma": sigma}


def _mostly(share: float, usual: dict[str, Any], rare: dict[str, Any]) -> dict[str, Any]:
    parts = [{"weight": share, "of": usual}, {"weight": round(1 - share, 6), "of": rare}]
    return {"kind": "mixture", "parts": parts}


_LAMBDA_PERF = "github.com/maxday/lambda-perf, data/: daily init phases, hello-world, x86_64, 1,024 MB, mid-2026"
_DYNAMODB = "alexdebrie.com/posts/dynamodb-transactions-performance, github.com/alexdebrie/dynamodb-performance-testing"
_SEBS_FLOW = "SeBS-Flow (EuroSys 2025, arXiv 2410.03480), github.com/spcl/sebs-flow-artifact: Step Functions, 2024"

PRESETS: Mapping[PresetName, Measured] = {
    "dynamodb_put": Measured(
        _lognormal("7.55 ms", 0.33),
        {0.5: 7.55, 0.9: 11.3, 0.95: 13.2, 0.99: 16.2},
        0.05,
        f"{_DYNAMODB}: PutItem from Lambda",
    ),
    "dynamodb_transaction": Measured(
        _mostly(0.975, _lognormal("25.3 ms", 0.15), _lognormal("84 ms", 0.4)),
        {0.5: 25.3, 0.9: 30.7, 0.95: 36.4, 0.99: 92.5},
        0.1,
        f"{_DYNAMODB}: TransactWriteItems, 5 items",
    ),
    # Simplified: a cold start is its init phase; matters when placing the sandbox and loading code count (about 0.3 s).
    "lambda_init_go": Measured(
        _mostly(0.985, _lognormal("50 ms", 0.06), _lognormal("75 ms", 0.2)),
        {0.5: 50, 0.9: 54, 0.99: 69},
        0.1,
        f"{_LAMBDA_PERF}; Go on al2023",
    ),
    "lambda_init_java": Measured(
        _mostly(0.97, _lognormal("241 ms", 0.12), _lognormal("560 ms", 0.18)),
        {0.5: 241, 0.9: 286, 0.99: 604},
        0.1,
        f"{_LAMBDA_PERF}; Java 21",
    ),
    "lambda_init_node": Measured(
        _lognormal("141 ms", 0.14),
        {0.5: 141, 0.9: 164, 0.99: 210},
        0.1,
        f"{_LAMBDA_PERF}; Node 22",
    ),
    "lambda_init_python": Measured(
        _mostly(0.97, _lognormal("85 ms", 0.13), _lognormal("135 ms", 0.12)),
        {0.5: 85, 0.9: 102, 0.99: 141},
        0.1,
        f"{_LAMBDA_PERF}; Python 3.12",
    ),
    "redis_like": Measured(
        _lognormal("420 us", 0.48),
        {0.9682: 1.0},
        0.1,
        "github.com/antirez/redis 2.2.14, doc/Benchmarks.html: GET at 50 clients, 96.8 % within 1 ms; the median is an "
        "assumption, on the slow side",
    ),
    "step_functions_hop": Measured(
        _mostly(0.98, _lognormal("155 ms", 0.25), _lognormal("450 ms", 0.4)),
        {0.05: 107, 0.5: 157, 0.75: 184, 0.9: 213, 0.95: 240, 0.99: 437},
        0.1,
        f"{_SEBS_FLOW}; trip booking, warm to warm, one region, 128 MB, n = 1,162",
    ),
    "step_functions_hop_cold": Measured(
        _lognormal("486 ms", 0.10),
        {0.05: 425, 0.5: 486, 0.95: 573},
        0.05,
        f"{_SEBS_FLOW}; trip booking, the next Lambda is cold",
    ),
}
"""Name -> what was measured."""
