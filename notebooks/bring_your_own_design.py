# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Bring your own design
#
# A design is a class: which stores it has, what it does at the front door, what one step of an order is, which jobs run behind.
# The quickest way to a design of your own is to say what yours does *otherwise* than one that is there. Here a shop believes
# that it may skip a step: a paid order whose reservation was granted is told "fulfilled" at once, and the reservation is left to
# itself, because "it lasts fifteen minutes, and the post goes out every minute".

# %%
from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.order import Order, State


class Hasty(HotCold):
    """hot_cold, but who has a reservation is served: nobody makes it stand for good."""

    name = "hasty"

    async def consume(self, order: Order) -> Order:
        if order.cancel_asked:
            return self.undo(order)
        return self.move(order, State.FULFILLED)


# %% [markdown]
# Four hundred people want two hundred units within a minute. Reservations last fifteen minutes, as they usually do.

# %%
from orderquake.sim.run import simulate
from orderquake.sim.scenario_file import load_scenario, set_by_path

sale = set_by_path(set_by_path(load_scenario("flash_sale"), "workload.orders", 400), "stock.units_per_sku", 10)
calm = simulate(sale, on=Hasty, seed=1)
calm.verdict

# %% [markdown]
# Valid: on such a day the shop gets away with it, because the post is faster than the reservation. One valid run says little,
# and this is what it does not say: what the design relies on is a race between two clocks. Let the reservation be the faster one.

# %%
rushed = set_by_path(sale, "policy.reservation_ttl", "10 s")
run = simulate(rushed, on=Hasty, seed=1)
for name, verdict in run.verdicts.items():
    if verdict.status == "invalid":
        print(f"{name}: {verdict.reason}")

# %% [markdown]
# Units whose reservation had lapsed were sold a second time. The witness of a verdict is a handful of rows; the orders behind
# them have stories.

# %%
from orderquake.sim.report.story import tell

guilty = next(verdict for verdict in run.verdicts.values() if verdict.status == "invalid")
rows = [run.history[index] for index in guilty.witness]
print(tell(run.history, next(row.order for row in rows if row.order)))

# %% [markdown]
# The design that it was derived from makes the reservation stand for good before it says "fulfilled", and passes both days.

# %%
sound = [simulate(day, seed=1).verdict for day in (sale, rushed)]
sound

# %% [markdown]
# A class works wherever a design's name does: `simulate(day, on=Hasty)`. To make it known to the command line, register it under
# the entry point group `orderquake.architectures`.

# %%
assert (calm.verdict, run.verdict, *sound) == ("valid", "invalid", "valid", "valid")
