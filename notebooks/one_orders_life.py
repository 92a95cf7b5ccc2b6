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
# # One order's life
#
# A shop sells single units of a few hundred products, and several people want each within the same second, from two places.
# We run that day once, see that it adds up, and then follow one order from the click to the ledger.

# %%
from orderquake.sim.run import simulate

run = simulate("last_unit", seed=3)
print(run.scenario.question)
print(run.verdict)

# %% [markdown]
# The verdict is the worst of what the scenario insists on. Each checker says how often its promise was put to the test; a
# check that tested nothing would say *unknown*, never *valid*.

# %%
import pandas as pd

pd.DataFrame(
    {name: (verdict.status, verdict.obligations, verdict.reason) for name, verdict in run.verdicts.items()},
    index=["verdict", "obligations", "reason"],
).T

# %% [markdown]
# ## Who got the unit?
#
# Everything that was asked, answered and done is one table. Here is what happened to one product: four people wanted it.

# %%
history = run.history.frame()
sku = history.query("operation == 'hold'").sku.iloc[0]
wanted = history.query("operation == 'ordered' and sku == @sku").order.tolist()
history[history.order.isin(wanted) & (history.operation == "notice") & history.is_new][
    ["time", "order", "to_state"]
].assign(time_s=lambda rows: rows.pop("time") / 1e6)

# %% [markdown]
# ## The winner's story

# %%
from orderquake.sim.report.story import sequence_diagram, tell

winner = history.query("operation == 'hold' and sku == @sku").order.iloc[0]
print(tell(run.history, winner))

# %% [markdown]
# And a loser's: the money was taken first, as the policy `pay_first` has it, so it has to go back.

# %%
loser = next(order for order in wanted if order != winner)
print(tell(run.history, loser))

# %% [markdown]
# The same as a sequence diagram; any Mermaid viewer draws it.

# %%
print(sequence_diagram(run.history, winner))

# %% [markdown]
# ## What did it cost the customers?
#
# *Checkout* lasts until the order is registered, *decision* until the customer has the final answer. Both are counted from
# the intended arrival, so a queue cannot hide.

# %%
run.latency()

# %% [markdown]
# ## Reserve first instead
#
# Nobody who loses would have to be refunded. Same customers, same luck, another order of steps.

# %%
from orderquake.sim.scenario_file import load_scenario, set_by_path

other = simulate(set_by_path(load_scenario("last_unit"), "policy.order", "reserve_first"), seed=3)
pd.DataFrame({"pay first": run.outcomes(), "reserve first": other.outcomes()})

# %%
assert run.verdict == other.verdict == "valid"
assert other.outcomes()["refunded"] == 0 < run.outcomes()["refunded"]
