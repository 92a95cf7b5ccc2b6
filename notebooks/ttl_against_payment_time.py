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
# # How long should a reservation last?
#
# A shop that reserves first holds the unit while the customer pays. If the hold lapses before the money is there, somebody
# else may take the unit, and the customer who has just paid gets the money back. If it lasts too long, an abandoned basket
# keeps the unit from others. How long is long enough depends on how long paying takes, so we vary both.

# %%
import tempfile

from orderquake.sim.sweep import sweep

day = {
    "policy.order": "reserve_first",
    "workload.rounds": 20,  # twenty units, each wanted by four people within half a minute
    "workload.within": "30 s",
    "workload.every": "10 s",
    "stock.skus": 20,
    "horizon": "8 min",
    "service.payment.latency": {"kind": "lognormal", "median": "700 ms", "sigma": 0.5},
    "policy.patience.payment.timeout": "60 s",
}
made = sweep(
    "last_unit",
    {
        "policy.reservation_ttl": ["2 s", "10 s", "30 s", "2 min"],
        "service.payment.latency.median": ["700 ms", "4 s", "12 s"],
    },
    settings=day,
    runs=4,
    engine="serial",
    out=tempfile.mkdtemp(),
)
frame = made.frame()
len(made.cells), int(frame.runs.sum()), made.failed

# %% [markdown]
# A row a cell, units in the names. Every cell met the same four days: the same customers, with the same luck.

# %%
ttl, payment = "policy.reservation_ttl_s", "service.payment.latency.median_s"
frame[[ttl, payment, "refunded_share", "refunded_share_half_width", "decision_p50_s", "messages_per_order"]].round(3)

# %% [markdown]
# ## Who paid for nothing?
#
# The share of orders that ended with the money back, by how long a reservation lasts and how long a payment takes.

# %%
refunded = frame.pivot(index=ttl, columns=payment, values="refunded_share")
refunded.style.format("{:.1%}").background_gradient(cmap="cividis_r", axis=None)

# %% [markdown]
# A hold that lasts a few times the median payment is enough; below that, the shop charges people and pays them back. The
# same picture as it stands on the page of a sweep, with the interval of each mean:

# %%
from IPython.display import SVG

from orderquake.sim.report.sweep import pictures

drawn = {picture.name: picture for picture, _ in pictures(made, made.question.paths, {})}
SVG(drawn["map-refunded"].svg["wide"].replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" width="720" ', 1))

# %% [markdown]
# ## Was anything sold twice?
#
# Never, and that is no accident of four days: `hot_cold` does not rely on the hold. A payment that comes too late finds its
# token gone, and is refunded. A zero from so few runs says little by itself, so it never stands bare.

# %%
frame[["oversells_runs", "oversells_low", "oversells_high"]].drop_duplicates()

# %%
from orderquake.sim.study.intervals import share_in_words

share_in_words(int(frame.oversells_runs.max()), len(made.question.seeds))

# %% [markdown]
# ## One cell again
#
# Each cell knows the command that plays one of its runs, with a page of its own.

# %%
worst = made.cells[int(frame.refunded_share.idxmax())]
print(made.question.again(worst, 1))

# %%
assert not made.failed
assert frame.oversells_runs.sum() == 0
assert refunded.loc[2.0, 12.0] > 0.2 > 0.01 > refunded.loc[120.0, 12.0]
