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
# # Reading a report
#
# A run leaves a folder: a page for people, a JSON object for programs, the whole history for whoever doubts it, and a choice log
# that plays the run again. This notebook makes one and reads it from the outside in.

# %%
import tempfile
from pathlib import Path

from orderquake.sim.asked import load_all
from orderquake.sim.report.page import write_report
from orderquake.sim.run import simulate

asked = next(iter(load_all(["lossy_payments"], "hot_cold").values()))
run = simulate(asked.scenario, seed=2)
folder = Path(tempfile.mkdtemp())
page = write_report(run, folder, asked)
sorted(path.name for path in folder.iterdir())

# %% [markdown]
# ## First the verdict
#
# `valid`, `invalid` with a witness, or `unknown` with a reason. A run is as good as the worst of what its scenario insists on;
# a promise that was never put to the test says so, and does not count.

# %%
import pandas as pd

verdicts = pd.DataFrame(
    {name: (verdict.status, verdict.obligations, verdict.reason) for name, verdict in run.verdicts.items()},
    index=["verdict", "obligations", "reason"],
).T
print(run.verdict, "- it must exercise", ", ".join(run.scenario.must_exercise))
verdicts

# %% [markdown]
# ## Then whether the bad day was bad
#
# A fault that struck nobody proves nothing. Each one says when it was scheduled, and whether somebody was seen to be struck.

# %%
rows = run.history.frame().query("kind == 'fault'")
rows.groupby(["operation", "answer"]).size().unstack(fill_value=0)

# %% [markdown]
# ## Then how long it took, and how far the books drifted
#
# Latencies count from the *intended* arrival, so a queue cannot hide. A quantile that so few values cannot support is left out.

# %%
run.latency()

# %%
run.outcomes()

# %% [markdown]
# ## And when in doubt, one order
#
# The order that was asked for most often is usually the one with the longest story.

# %%
from orderquake.sim.report.story import tell

frame = run.history.frame()
busiest = frame[(frame.kind == "invoke") & (frame.order != "")].order.value_counts().index[0]
print(tell(run.history, busiest))

# %% [markdown]
# ## The same thing for a machine
#
# Everything above stands in one JSON object, under names that stay.

# %%
record = run.to_json()
{key: record[key] for key in ("scenario", "architecture", "seed", "digest", "verdict", "outcomes")}

# %%
assert run.verdict == "valid" and page.exists() and not rows.empty
assert simulate(asked.scenario, seed=2).digest == run.digest, "the same seed is the same run, to the byte"
