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
# # Sizing Black Friday
#
# A real shop's Friday noon with many times its customers, and a payment provider that lets so many charges pass a second and
# makes the others wait in line. How many customers does the shop bear, and what must it ask of the provider?
#
# Everything here is short, so that it can be turned by hand: a quarter of an hour before the rush, seeded,
# a quarter of a second a run.

# %%
import pandas as pd

from orderquake.sim.planning import plan, replicate_until
from orderquake.sim.run import simulate
from orderquake.sim.scenario_file import load_scenario
from orderquake.sim.settings import with_settings

noon = with_settings(load_scenario("black_friday"), {"horizon": "15 min", "gauge_every": "1 min"})
print(noon.question)

# %% [markdown]
# ## Turn it by hand
#
# One run for each move of a slider. The same seed is the same luck: what changes is what you changed.


# %%
def friday(times_the_customers: int, charges_per_s: float, seed: int = 1) -> pd.DataFrame:
    """How long customers wait for the final answer, and how their orders end."""
    settings = {"workload.scale": float(times_the_customers), "service.payment.throttle.per_s": charges_per_s}
    run = simulate(with_settings(noon, settings), seed=seed)
    decision = run.latency().loc["decision"]
    ended = run.outcomes()
    return pd.DataFrame(
        {
            "orders": [ended["accepted"]],
            "median_s": [decision["p50_s"]],
            "p90_s": [decision["p90_s"]],
            "refunded_share": [ended["refunded"] / ended["accepted"]],
            "verdict": [run.verdict],
        }
    )


pd.concat({scale: friday(scale, 0.33) for scale in (30, 60, 90)}, names=["times the customers"]).droplevel(1)

# %%
from ipywidgets import FloatSlider, IntSlider, interact

interact(
    friday,
    times_the_customers=IntSlider(60, 10, 120, 10, continuous_update=False),
    charges_per_s=FloatSlider(value=0.33, min=0.1, max=2.0, step=0.05, continuous_update=False),
    seed=IntSlider(1, 1, 20, continuous_update=False),
)
# %% [markdown]
# ## Let the plan turn it
#
# Nine in ten customers are to know within half a minute whether the goods come. `plan` probes values with the same seeds until
# each is surely kept, surely missed, or undecided, closes in, and judges both edges anew with seeds that took no part.

# %%
found = plan(noon, "decision.p90 < 30 s", between="40,120", runs=4, resolution=0.4, processes=1)
print(found.headline())
print("confirmed by fresh seeds" if found.is_confirmed else "not confirmed by fresh seeds")
found.curve()[["value", "orders_per_s", "side", "runs", "decides", "decides_low", "decides_high", "limit", "measured"]]

# %% [markdown]
# What decides is the share of customers who wait longer than half a minute: at most one in ten may. The curve, with the interval
# that each value was decided by:

# %%
import matplotlib.pyplot as plt

curve = found.curve()
figure, panel = plt.subplots(figsize=(6, 3), layout="constrained")
below, above = curve.decides - curve.decides_low, curve.decides_high - curve.decides
panel.errorbar(curve.value, curve.decides, yerr=[below, above], fmt="o", capsize=3)
panel.axhline(curve.limit.iloc[0], linestyle="--")
panel.set(xlabel=f"{found.knob.path}, times the customers", ylabel="share who wait longer than 30 s")
# %% [markdown]
# ## A number to sign
#
# Six runs tell how many a mean to within a tenth needs; those are made, and no others (Stein, 1945). Looking at the interval
# after each run, and stopping when it pleases, would be wrong far more often than one time in twenty.

# %%
known = replicate_until(
    noon, "decision.mean", settings={"workload.scale": 40.0}, relative=0.1, first=6, at_most=12, processes=1
)
print(f"{known.mean.value:.3f} s ± {known.mean.half_width:.3f} s from {known.mean.runs} runs. {known.mean.refusal}")
known.frame()[["value", "verdict", "orders"]]

# %% [markdown]
# ## What a thousand orders cost
#
# Counted in a run, at published prices, a source a line. Fees of the provider are kept when the money goes back.

# %%
from orderquake.sim.study.cost import cost_frame, cost_per_thousand

cost_frame(cost_per_thousand(simulate(noon, seed=1).history))[
    ["what", "quantity", "amount", "currency", "price", "source"]
]
