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
# # Hot path against central and orchestrated
#
# The record is away for a few minutes while customers come. Three designs meet the same customers, with the same cards and the
# same luck on the wire: `hot_cold` answers from caches, `central` does every step in the record, `orchestrated_repaired`
# drives each order by a durable workflow. What do customers notice, and what does each design pay for it?

# %%
from orderquake.sim.compared import side_by_side

designs = ["hot_cold", "central", "orchestrated_repaired"]
made = side_by_side(
    "record_offline",
    designs,
    runs=3,
    horizon="6 min",
    workload__rate_per_s="1.0",
    fault__0__from="2 min",
    fault__0__for="2 min",
)
made.scenario.question

# %% [markdown]
# Nobody breaks a promise: what differs is who can be served. Three seeds bound nothing by themselves, and say so.

# %%
import pandas as pd

pd.DataFrame({design: {**made.counts(design), "how sure": made.bound(design)} for design in designs}).T

# %% [markdown]
# ## Who was answered while the record was away?
#
# *Registered*: the share of those who came during the outage and heard that their order is taken, before it was over.
# *Decided*: the share that knew how it ended.

# %%
table = made.frame()
table.loc[["registered_while_away", "decided_while_away"], designs]

# %% [markdown]
# ## How long did they wait, and what did it cost?
#
# Differences are paired: the same seed on two designs is the same crowd, so most of the luck falls out of the difference. The
# columns marked ± are half-widths of intervals at 95 %; a difference that is not larger than its half-width may be chance.

# %%
measures = ["checkout_p50", "checkout_p99", "decision_p50", "decision_p99", "messages", "hops", "transitions"]
table.loc[measures]

# %% [markdown]
# The caches buy short answers during an outage; the price is the time until the record hears of an order (`sync_lag`), and a
# protocol that has to get the refresh right. That is what the notebook on the last unit is about.

# %%
table.loc[["sync_lag", "drift", "oversold", "unrefunded", "stuck"], designs]

# %%
answered = table.loc["registered_while_away"]
assert answered["hot_cold"] > 0.9 > answered["central"]
assert all(made.counts(design)["invalid"] == 0 for design in designs)
