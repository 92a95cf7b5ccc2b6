"""Gauges: what an operator's dashboard would show, read at regular moments. Reading changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orderquake.sim.world.world import World


class Gauges:
    """Name -> (moments in microseconds, values). Utilisation is the share of slots busy since the last reading."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.kernel = world.kernel
        self.every_us = world.scenario.gauge_every
        self.moments: list[int] = []
        self.values: dict[str, list[float]] = {}
        self.worked_us: dict[str, int] = {}
        self.kernel.after(self.every_us, self.read)

    def read(self, _: Any = None) -> None:
        world = self.world
        self.kernel.after(self.every_us, self.read)
        self.moments.append(self.kernel.now)
        for name, replica in world.wire.replicas.items():
            if replica.capacity is None:
                continue
            worked = replica.utilisation_us()
            share = (worked - self.worked_us.get(name, 0)) / (self.every_us * replica.capacity)
            self.worked_us[name] = worked
            self.show(f"utilisation.{name}", share)
            self.show(f"queue.{name}", len(replica.waiting))
        self.show("utilisation.workers", world.workers.busy / len(world.workers.all))
        stores: Any = world.stores
        queue = stores["queue"]
        self.show("queue.orders", len(queue.waiting))
        self.show("dead_letters", len(queue.dead))
        orders = world.design.order_rows(stores)
        self.show("backlog.unposted", len(orders.unposted.entries))
        self.show("backlog.open", len(orders.open.entries))

    def show(self, name: str, value: float) -> None:
        self.values.setdefault(name, []).append(value)

    def series(self) -> dict[str, tuple[list[int], list[float]]]:
        """Every gauge's moments (microseconds) and values."""
        return {name: (self.moments, values) for name, values in self.values.items()}
