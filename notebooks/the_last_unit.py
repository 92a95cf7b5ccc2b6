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
# # The last unit
#
# Two people want the last unit of a product. A cache answers them, and a job copies the count from the system of record into the
# cache every five minutes. Nothing fails: no crash, no lost message, no slow disk. Can the unit be sold twice?
#
# We look at *every* way in which the steps of the two orders and of the two jobs can follow one another, first for the refresh
# that most shops write first, then for its obvious repair, then for a refresh by version.

# %%
from orderquake.sim.explore.proof import prove

article = prove(on="overwrites_on_refresh", orders=2, skus=1, units=1, promises=["never_oversold"])
print(article)

# %% [markdown]
# It can, in a handful of steps and without any fault: the last step promises the unit for the second time. The record has not heard of the first order when the count is copied, so
# the copy puts back a unit that has been sold.
#
# ## The obvious repair
#
# Subtract what is reserved at the moment when the count is applied. That breaks the story above, and leaves a longer one: a post
# that reaches the record between the read and the copy is neither in the count nor among the reservations.

# %%
repaired = prove(on="subtracts_at_apply", orders=2, skus=1, units=1, promises=["never_oversold"])
print(repaired)

# %% [markdown]
# ## By version
#
# The snapshot says which posts it contains, and a commitment is dropped exactly by a snapshot that contains it. Now nothing is
# found, by any of the promises, and since everything was looked at, that means something: for two orders, one unit, one refresh
# and one post.

# %%
sound = prove(on="hot_cold", orders=2, skus=1, units=1)
print(sound)

# %% [markdown]
# ## And at scale
#
# A proof at small scope says nothing of two thousand orders; a simulation does, with a bound. The scenario `stale_refresh` is made
# of nothing but such races. Four seeds without a violation bound the chance of one, and not very tightly: more seeds would.

# %%
from orderquake.sim.run import simulate
from orderquake.sim.study.intervals import share_in_words

seeds = range(1, 5)
verdicts = {
    design: [simulate("stale_refresh", on=design, seed=seed).verdicts["never_oversold"].status for seed in seeds]
    for design in ("article", "hot_cold")
}
for design, found in verdicts.items():
    print(design, share_in_words(found.count("invalid"), len(found), "runs oversell"))

# %%
assert (article.verdict, repaired.verdict, sound.verdict) == ("invalid", "invalid", "valid")
assert not article.scope.faults and not repaired.scope.faults and article.steps < repaired.steps
assert verdicts["article"].count("invalid") == len(seeds) and verdicts["hot_cold"].count("valid") == len(seeds)
