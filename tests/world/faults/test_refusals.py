"""What is said of a fault that cannot be: file, line, column, what was found, what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_scenario import GOOD, told

HEAD = '[[fault]]\nkind = "{}"\n'


def day(kind: str, *lines: str) -> str:
    return GOOD + HEAD.format(kind) + "".join(f"{line}\n" for line in lines)


OUTAGE = 'target = "stock"\nfrom = "4 min"\nfor = "2 min"'
BAD: list[tuple[str, str, list[str]]] = [
    (day("partion"), "9:8", ['fault[0].kind is "partion"', 'did you mean "partition"?', "See: orderquake faults"]),
    (day("gray"), "8:3", ["fault[0].target is missing", '"order_cache" or "stock"']),
    (day("gray", 'target = "stcok"'), "10:10", ['did you mean "stock"?']),
    (day("gray", 'target = "stock"', 'from = "11 min"'), "11:8", ["never reaches", 'the horizon, "10 min"']),
    (day("gray", 'target = "stock"', "lost = 0.0", "slow = 0.0"), "8:3", ["loses and slows nothing"]),
    # the wire
    (day("delay", 'target = "stock"'), "8:3", ["without probability or nth"]),
    (day("reorder", 'target = "stock"', "share = 0.0"), "11:9", ["expected more than zero"]),
    (day("reorder", 'target = "stock"', 'operation = "chrage"'), "11:13", ["which is no operation of stock"]),
    (day("partition"), "8:3", ["a partition fault without target or between"]),
    (day("partition", 'target = "stock"', 'between = ["eu-west", "us-east"]'), "8:3", ["with target and between"]),
    (day("partition", 'between = ["eu-west", "us-est"]'), "10:23", ["which is no place", 'did you mean "us-east"?']),
    (day("flapping", 'between = ["eu-west", "eu-west"]'), "10:11", ['"eu-west" twice; expected two places']),
    (day("slow_link", 'target = "stock"'), "8:3", ["without factor or add"]),
    (day("slow_link", 'target = "stock"', "factor = 0.5"), "11:10", ["expected more than 1"]),
    (
        day("duplicate", 'target = "payment"', "nth = 1", 'after = { kind = "exponential", mean = "10 min" }'),
        "12:9",
        ['expected nearly all below policy.message_life, "1 h"'],
    ),
    (
        day("delay", 'target = "payment"', "nth = 1", 'by = { kind = "exponential", mean = "10 min" }'),
        "12:6",
        ["longer than any message should"],
    ),
    (day("partition", 'between = ["eu-west", "us-east"]', "heals = false"), "11:9", ["expected a target"]),
    # services
    (day("down", 'target = "stock"', "heals = false", 'for = "1 min"'), "12:7", ["given beside heals = false"]),
    (day("read_only", 'target = "queue"'), "10:10", ['"queue"', 'or "record"']),
    (day("throttled", 'target = "stock"'), "8:3", ["fault[0].per_s is missing"]),
    (day("capacity_cut", 'target = "record"', "to = 15"), "11:6", ["service.record.capacity is 15; expected fewer"]),
    (
        day("applied_but_answer_lost", 'target = "order_cache"', 'operation = "read_order"'),
        "11:13",
        ["changes nothing"],
    ),
    (day("partial_batch", 'target = "stock"', 'operation = "reserve"', "nth = 1"), "11:13", ["which is no batch"]),
    (day("wiped_silently", 'at = "30 min"'), "10:6", ["never reaches"]),
    (day("loses_unflushed", 'target = "stock"', 'at = "1 min"', 'last = "0 s"'), "12:8", ["expected more than zero"]),
    (day("loses_unflushed", 'target = "payment"', 'at = "1 min"'), "10:10", ['"payment"', '"queue"']),
    (day("stale_reads", 'target = "record"', 'behind = "0 s"'), "11:10", ["expected more than zero"]),
    (day("evicts_key", 'target = "record"', 'at = "1 min"'), "10:10", ['"record"', '"stock"']),
    # workers
    (day("killed_at_deadline", 'target = "payment"'), "8:3", ["without probability or nth"]),
    (day("cold_start_storm", 'at = "1 min"', 'target = "mars"'), "11:10", ['"mars", which is no place']),
    (day("old_version", 'design = "hot_colt"'), "10:10", ['did you mean "hot_cold"?', "orderquake architectures"]),
    (day("old_version", 'design = "mine"'), "10:10", ['"mine", which is no architecture; expected one of', "hot_cold"]),
    # patterns
    (day("bad_deploy", 'design = "mine"'), "10:10", ['"mine", which is no architecture; expected one of', "hot_cold"]),
    (day("swizzle_outage", 'services = ["stock", "stock"]'), "10:12", ["a service twice"]),
    (day("swizzle_outage", 'services = ["stock", "queue"]', 'returns = ["stock"]'), "11:11", ["in another order"]),
    (day("rolling_restart", "services = []"), "10:12", ["at least one entry"]),
    (day("rolling_restart", 'services = ["stock"]', 'each = "20 min"'), "8:3", ["ends at 20 min, after the horizon"]),
    (day("regional_evacuation", 'place = "mars"'), "10:9", ['"mars", which is no place']),
    (day("bad_deploy", 'design = "hot_colt"'), "10:10", ['did you mean "hot_cold"?']),
    # two of a kind
    (
        day("down", 'target = "stock"', 'from = "3 min"', 'for = "2 min"') + HEAD.format("failing_over") + OUTAGE,
        "13:3",
        ["fault[1] is a second outage of stock while fault[0] still lasts"],
    ),
    (
        day("stale_reads", 'target = "record"') + HEAD.format("stale_reads") + 'target = "record"',
        "11:3",
        ["a second stale_reads of record"],
    ),
    (
        day("down", 'target = "stock"', 'from = "5 min"', 'for = "15 s"')
        + HEAD.format("rolling_restart")
        + 'services = ["queue", "stock"]\nfrom = "4 min"\neach = "50 s"',
        "13:3",
        ["fault[1] is a second outage of stock while fault[0] still lasts"],
    ),
]


@pytest.mark.parametrize(("text", "spot", "phrases"), BAD, ids=[f"{spot} {said[0]}"[:60] for _, spot, said in BAD])
def test_a_fault_that_cannot_be_is_refused_with_its_place(
    tmp_path: Path, text: str, spot: str, phrases: list[str]
) -> None:
    (line,) = told(tmp_path, text)
    assert line.startswith(f"bad.toml:{spot} "), line
    assert all(phrase in line for phrase in phrases), line
