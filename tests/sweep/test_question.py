"""What is asked of a sweep: paths, values, layouts, the names of cells; and how mistakes in it are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.sim.asked import Mistake
from orderquake.sim.scenario_errors import ScenarioError
from orderquake.sim.scenario_file import load_scenario
from orderquake.sim.settings import with_settings
from orderquake.sim.sweep import cell as cells
from orderquake.sim.sweep import question as questions
from orderquake.sim.sweep import version
from orderquake.sim.sweep.axes import read_choices, read_stretches
from orderquake.sim.sweep.question import Question, asked
from orderquake.sim.units import parse_duration

DAY = load_scenario("last_unit")


def question(*vary: str, ranges: tuple[str, ...] = (), on: Any = ("hot_cold",), **options: Any) -> Question:
    return asked(options.pop("scenario", DAY), on, [*read_choices(vary), *read_stretches(ranges)], **options)


# -- where the cells lie


def test_a_grid_has_a_cell_for_each_crossing_and_design() -> None:
    made = question("policy.reservation_ttl=30s,2min", "workload.buyers=1,2,3", on=("hot_cold", "central"))
    assert len(made.cells) == 12
    assert [cell.number for cell in made.cells] == list(range(12))
    assert made.cells[7].on == "central"
    assert made.cells[7].settings == {"policy.reservation_ttl": "30s", "workload.buyers": 2}
    assert len({cell.identity for cell in made.cells}) == 12


def test_a_latin_hypercube_visits_every_slice_of_each_path_once() -> None:
    made = question(ranges=("policy.reservation_ttl=10s..110s", "workload.buyers=1..10"), points=10, layout="lhs")
    ttl = [parse_duration(cell.settings["policy.reservation_ttl"]) / 10e6 - 1 for cell in made.cells]
    assert sorted(map(int, ttl)) == list(range(10))
    assert sorted(cell.settings["workload.buyers"] for cell in made.cells) == list(range(1, 11))


def test_sobols_points_are_evener_than_dice() -> None:
    from scipy.stats import qmc

    from orderquake.sim.sweep.layout import shares_of

    spread = qmc.discrepancy(shares_of("sobol", 2, 64, seed=1))
    assert spread < np.median([qmc.discrepancy(np.random.default_rng(seed).random((64, 2))) for seed in range(20)]) / 3


@pytest.mark.parametrize("layout", ["lhs", "sobol"])
def test_the_seed_decides_where_points_lie(layout: str) -> None:
    ranges = ("policy.reservation_ttl=1s..15min:log", "service.payment.latency.median=100ms..8s")
    one, same, other = (question(ranges=ranges, points=8, layout=layout, seed=seed).cells for seed in (1, 1, 2))
    assert one == same
    assert [cell.settings for cell in one] != [cell.settings for cell in other]
    assert all(1 <= parse_duration(cell.settings["policy.reservation_ttl"]) / 1e6 <= 900 for cell in one)


def test_values_and_ranges_are_spread_together() -> None:
    made = question("policy.order=pay_first,reserve_first", ranges=("workload.buyers=1..4",), points=8)
    assert made.layout == "lhs"
    orders = [cell.settings["policy.order"] for cell in made.cells]
    assert orders.count("pay_first") == orders.count("reserve_first") == 4


# -- the name of a cell


def test_a_cell_has_another_name_wherever_anything_else_is_asked() -> None:
    base = question("workload.buyers=1,2")
    names = {base.cells[0].identity, base.cells[1].identity}
    for other in (
        question("workload.buyers=1,2", seed=2),
        question("workload.buyers=1,2", runs=11),
        question("workload.buyers=1,2", on=("central",)),
        question("workload.buyers=1,2", scenario=with_settings(DAY, {"horizon": "13 min"})),
        question("workload.clicks_twice=0.1,0.2"),
    ):
        assert names.isdisjoint(cell.identity for cell in other.cells)
    longer = question("workload.buyers=1,2,3")
    assert names < {cell.identity for cell in longer.cells}, "a cell does not depend on its neighbours"


def test_other_code_makes_other_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    before = question("workload.buyers=1").cells[0].identity
    monkeypatch.setattr(questions, "model_version", lambda: "other")
    assert question("workload.buyers=1").cells[0].identity != before


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("sim/world/kernel.py", True),
        ("model/stock.py", True),
        ("sim/checkers/charged_once.py", True),
        ("sim/study/compare.py", True),
        ("sim/scenarios/data/online_retail.csv.gz", True),
        ("sim/sweep/cell.py", True),
        ("sim/sweep/engines.py", False),
        ("sim/report/page.py", False),
        ("sim/verbs/run.py", False),
    ],
)
def test_the_version_follows_the_files_that_could_change_a_number(
    monkeypatch: pytest.MonkeyPatch, name: str, counts: bool
) -> None:
    read = Path.read_bytes
    before = version.model_version.__wrapped__()

    def changed(path: Path) -> bytes:
        return read(path) + (b"\n" if path.as_posix().endswith(name) else b"")

    monkeypatch.setattr(Path, "read_bytes", changed)
    assert (version.model_version.__wrapped__() != before) == counts


def test_a_design_of_ones_own_is_known_by_its_code() -> None:
    def design(units: int) -> type[HotCold]:
        class Mine(HotCold):
            name = "mine"

            def more(self) -> int:
                return units if units else 0

        if units == 2:
            Mine.more = lambda self: 7  # type: ignore[method-assign]
        return Mine

    one, same, other = (question("workload.buyers=1", on=(design(units),)).cells[0].identity for units in (1, 1, 2))
    assert one == same != other
    assert version.design_version("hot_cold") == version.design_version(HotCold) == ""


def test_a_trace_of_ones_own_is_part_of_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    workload = DAY.model_copy(update={"workload": cells.Trace(kind="trace", name="mine.csv")})
    Path("mine.csv").write_text("one")
    before = cells.base_of(workload)
    Path("mine.csv").write_text("two")
    assert cells.base_of(workload) != before
    Path("mine.csv").unlink()
    with pytest.raises(Mistake, match="cannot be read"):
        cells.base_of(workload)


# -- mistakes


@pytest.mark.parametrize(
    ("vary", "says"),
    [
        ("policy.reservation_tl=30s", 'did you mean "reservation_ttl"'),
        ("fault.0.probability=0.3", "leads nowhere"),
        ("policy.reservation_ttl=30", "expected a duration in quotes"),
        ("policy.reservation_ttl=30s,soon", "policy.reservation_ttl"),
        ("workload.buyers=0", "workload.buyers"),
        ("workload.buyers=2.5", "workload.buyers"),
        ("workload.clicks_twice=1.5", "workload.clicks_twice"),
        ("policy.order=pay_frist", "pay_first"),
    ],
)
def test_a_path_or_value_that_does_not_fit_is_told_before_anything_is_played(vary: str, says: str) -> None:
    with pytest.raises(ScenarioError) as error:
        question(vary)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "nothing is varied"),
        ({"vary": ["policy.reservation_ttl"]}, "has no values; expected PATH=VALUE,VALUE"),
        ({"vary": ["policy.reservation_ttl=30s,30 s"]}, "is the same as"),
        ({"vary": ["workload.buyers=1,1"]}, "is the same as"),
        ({"vary": ["workload.buyers=1", "workload.buyers=2"]}, "varied twice"),
        ({"vary": ["workload.buyers=1"], "layout": "gird"}, "expected one of grid, lhs, sobol"),
        ({"vary": ["workload.buyers=1"], "points": 5}, "a grid has one for each crossing"),
        ({"ranges": ["workload.buyers=1..5"], "layout": "grid"}, "has no values to cross"),
        ({"ranges": ["workload.buyers=1..5"]}, "expected --cells N"),
        ({"ranges": ["workload.buyers=1..5"], "layout": "sobol", "points": 6}, "such as 4 or 8"),
        ({"ranges": ["workload.buyers=5..1"], "points": 4}, "ends before it begins"),
        ({"ranges": ["workload.buyers=1"], "points": 4}, "is no range"),
        ({"ranges": ["workload.buyers=1..2:lin"], "points": 4}, "is no range"),
        ({"ranges": ["workload.buyers=few..2"], "points": 4}, '"few" for an end'),
        ({"ranges": ["policy.idle=1..5s"], "points": 4}, "mixes a duration and a number"),
        ({"ranges": ["policy.idle=0s..5s:log"], "points": 4}, "expected more than zero"),
        ({"vary": ["workload.buyers=1,2,3"], "on": ["hot_cold", "central"], "at_most": 5}, "6 cells (3 of workload"),
        ({"vary": ["workload.buyers=1,2,3"], "at_most": 2}, "--at-most 3"),
        ({"vary": ["workload.buyers=1"], "on": ["hot_cold", "hot_cold"]}, "names a design twice"),
        ({"vary": ["workload.buyers=1"], "on": ["hot_clod"]}, 'did you mean "hot_cold"'),
        ({"ranges": ["workload.buyers=1..5"], "sensitivity": "sobel", "points": 50}, "expected one of sobol, morris"),
        ({"ranges": ["workload.buyers=1..5"], "sensitivity": "sobol", "points": 5}, "is too few"),
        ({"ranges": ["workload.buyers=1..5"], "sensitivity": "sobol"}, "expected --cells N"),
        ({"vary": ["workload.buyers=1"], "sensitivity": "sobol", "points": 50}, "needs a range for every path"),
        (
            {"ranges": ["workload.buyers=1..5"], "sensitivity": "sobol", "points": 50, "layout": "lhs"},
            "lays out points of its own",
        ),
    ],
)
def test_a_question_that_cannot_be_answered_is_told_in_words(options: dict[str, Any], says: str) -> None:
    given = {"on": ["hot_cold"], **options}
    with pytest.raises(Mistake) as error:
        axes = [*read_choices(given.pop("vary", ())), *read_stretches(given.pop("ranges", ()))]
        asked(DAY, given.pop("on"), axes, **given)
    assert says in str(error.value)


def test_a_combination_that_contradicts_itself_is_told_with_its_cell() -> None:
    made = question("policy.send_horizon=12h,22h", "policy.message_life=1h,3h")
    with pytest.raises(ScenarioError, match="cell 3 of 4, on hot_cold: "):
        questions.check_cells(made, made.cells)


def test_paths_that_only_make_sense_together_are_looked_at_together() -> None:
    made = question('service.payment.queue_patience={kind="constant",value="1s"}', "service.payment.capacity=4,8")
    questions.check_cells(made, made.cells)
    assert len(made.cells) == 2


def test_a_design_that_refuses_the_store_is_told_or_spared() -> None:
    vary = ["kv.strength=linearizable,quorum"]
    refused = question(*vary, on=("hot_cold", "article"))
    with pytest.raises(ScenarioError, match=r"cell 1 of 4, on hot_cold: .*does not compare before it sets"):
        questions.check_cells(refused, refused.cells)
    spared = question(*vary, on=("hot_cold", "article"), spares_refused=True)
    assert [(cell.on, cell.settings["kv.strength"]) for cell in spared.cells] == [
        ("hot_cold", "linearizable"),
        ("article", "linearizable"),
        ("article", "quorum"),
    ]
    assert list(spared.refused) == [("hot_cold", "quorum")]
