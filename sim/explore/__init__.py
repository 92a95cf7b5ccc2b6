"""Choices, controllers, swarms and exhaustive search over the same flows; nothing here imports SimPy, and no clock but
that of a campaign, which tells how long it takes, is read."""
