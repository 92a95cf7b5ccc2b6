"""Whoever does not answer is asked again at once, and again, and again."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from orderquake.model.architectures.hot_cold import HotCold
from orderquake.model.flow import Ask, Flow
from orderquake.model.patience import patiently

A = TypeVar("A")


class NeverGivesUp(HotCold):
    """Breaks: patience has an end. Seen where layers retry on their own: four attempts in each of three make 64.
    Caught by `backpressure_bounded` in `lost_acks`."""

    name = "never_gives_up"

    def patiently(self, ask: Ask[A]) -> Flow[A]:
        return patiently(ask, replace(self.policy.patience_with(ask.service), attempts=64, base_us=1, cap_us=1))
