"""A service that stands in several places: its members, and the post between them.

A member is asked by whoever stands in its own place, or nearest to it. It answers by itself, sends the asker's question
on to another member, or keeps its answer back until one of the others has confirmed. Letters take the way between two
places; a way that is cut carries none.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from orderquake.model.in_kv import InKv
from orderquake.model.kv import Entry, Id, Seen
from orderquake.model.spread import EVERYBODY, Elsewhere, Member, NotYet, Spread
from orderquake.model.taubyte import Holder
from orderquake.sim import kv as described
from orderquake.sim.world.service import Replica
from orderquake.sim.world.tempo import Source, taken

if TYPE_CHECKING:
    from orderquake.sim.world.delays import Latency
    from orderquake.sim.world.wire import Sending
    from orderquake.sim.world.world import World


class Post:
    """Carries letters between the members of one service, each way's by its own luck.

    sent     under each name, how many were sent, or drawn
    """

    def __init__(self, world: World, service: str, config: described.Spread) -> None:
        self.world = world
        self.kernel = world.kernel
        self.wire = world.wire
        self.service = service
        self.config = config
        self.members: list[MemberReplica] = []
        self.sent: dict[str, int] = {}
        self.lost = world.streams.uniform(f"letters/{service}/lost")
        self.wobble = world.streams.uniform(f"letters/{service}/jitter")
        self.laws: dict[str, Source] = {}

    def drawn(self, what: str, law: Latency) -> int:
        """The next value under a name."""
        name = f"letters/{self.service}/{what}"
        source = self.laws.get(name)
        if source is None:
            source = self.laws[name] = self.wire.law(name, law)
        number = self.sent[name] = self.sent.get(name, -1) + 1
        return taken(source, number, 0)

    def leg_us(self, here: Replica, there: Replica) -> int:
        law = self.config.letter
        if law is None:
            law = self.world.scenario.latency_between(here.place, there.place)
        return self.drawn(f"{here.place}>{there.place}", law)

    def collect(self, member: MemberReplica) -> None:
        """Send what a member has written, and let it give the answers that it kept back."""
        store = member.member
        letters, store.outbox = store.outbox, []
        for to, says in letters:
            for number, other in enumerate(self.members):
                if to == number or (to == EVERYBODY and number != member.which):
                    self.send(member, other, says)
        names, store.done = store.done, []
        for name in names:
            if (kept := member.kept.pop(name, None)) is not None:
                self.wire.answer(*kept)

    def send(self, member: MemberReplica, other: MemberReplica, says: Any) -> None:
        number = self.sent["lost"] = self.sent.get("lost", -1) + 1
        if self.config.lost and self.lost.draw(number) < self.config.lost:
            return
        if self.wire.is_cut(member.place, other.place):
            return
        late_us = self.leg_us(member, other) + self.drawn("merge", self.config.merge)
        match says:
            case ("fetch", seen):
                self.kernel.after(late_us, other.hear, (member.which, ("fetch", member.beside_awaited(seen))))
            case ("blocks", blocks) if isinstance(self.config, described.Taubyte):
                self.walk(member, other, blocks, late_us, self.config)
            case _:
                self.kernel.after(late_us, other.hear, (member.which, says))

    def walk(
        self,
        member: MemberReplica,
        other: MemberReplica,
        blocks: tuple[Entry, ...],
        late_us: int,
        config: described.Taubyte,
    ) -> None:
        """Blocks come some at a time: each names the ones before it, so the next are asked for when these have come.
        What is on its way already is not asked for again."""
        missing = other.awaits(blocks)
        for start in range(0, len(missing), config.fetches):
            if start:
                late_us += self.leg_us(other, member) + self.leg_us(member, other) + self.drawn("merge", config.merge)
            some = tuple(missing[start : start + config.fetches])
            self.kernel.after(late_us, other.hear_blocks, (member.which, some))

    def tick(self, member: MemberReplica) -> None:
        """From time to time a member writes again."""
        number = self.sent["jitter"] = self.sent.get("jitter", -1) + 1
        part = 1 + self.config.jitter * (2 * self.wobble.draw(number) - 1)
        self.kernel.after(round(self.config.every * part), self.tick, member)
        if not member.is_down:
            member.member.tick(member.clock_us())
            self.collect(member)


class MemberReplica(Replica):
    """One member of a service, where it stands.

    which     its number
    kept      answers that it may not give yet
    awaited   entries on their way here, as blocks of a graph
    asked     of each author, how many entries have been heard of or are on their way
    """

    is_open = False

    def __init__(self, which: int, post: Post, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.is_open = False
        self.which = which
        self.post = post
        self.is_left_when_silent = isinstance(post.config, described.TaubyteHolders) and post.config.moves_on
        self.kept: dict[Hashable, tuple[Sending, Any]] = {}
        self.awaited: dict[Id, bool] = {}
        self.asked: dict[int, int] = {}
        self.reads = 0

    @property
    def member(self) -> Member:
        return self.store  # type: ignore[return-value]

    def work(self, sending: Sending) -> int:
        """A platform that adds up all sizes before it writes takes longer the more there is."""
        work_us = super().work(sending)
        config, store = self.post.config, self.store
        if isinstance(config, described.Taubyte) and isinstance(store, InKv) and sending.ask.verb in store.writes:
            work_us += config.scan * len(store.kv.values)
        return work_us

    def do(self, ask: Any) -> Any:
        store, config = self.store, self.post.config
        hidden = self.unreadable(ask, store, config) if isinstance(store, InKv) else None
        if hidden is not None:
            assert isinstance(store, InKv)
            store.kv.values, values = hidden, store.kv.values
            answer = super().do(ask)
            store.kv.values = values
        else:
            answer = super().do(ask)
        self.post.collect(self)
        return answer

    def unreadable(self, ask: Any, store: InKv, config: described.Spread) -> dict[str, Any] | None:
        """What is left to be seen where a read fails, and says that nothing is there; None where it does not."""
        chance = getattr(config, "absent", 0.0)
        if not chance or ask.verb in store.writes:
            return None
        self.reads += 1
        luck = self.post.world.streams.uniform(f"letters/{self.name}/absent")
        if luck.draw(self.reads, self.which) >= chance:
            return None
        gone = store.keys(ask)
        return {} if gone is None else {key: value for key, value in store.kv.values.items() if key not in gone}

    def reply(self, sending: Sending, answer: Any) -> None:
        if isinstance(answer, Elsewhere):
            self.forward(sending, self.post.members[answer.member])
        elif isinstance(answer, NotYet):
            self.wire.guard(sending)
            self.kept[answer.waits_for] = (sending, answer.answer)
            self.keep_pushing()
        else:
            super().reply(sending, answer)

    # -- another member has to answer

    def forward(self, sending: Sending, other: MemberReplica) -> None:
        self.wire.guard(sending)
        if not self.wire.is_cut(self.place, other.place):
            self.kernel.after(self.post.leg_us(self, other), other.help, (self, sending))

    def help(self, asked: tuple[MemberReplica, Sending]) -> None:
        """An ask that another member could not answer."""
        first, sending = asked
        if self.is_down:
            return
        answer = self.do(sending.ask)
        if self.store.journal:
            self.record(self.kernel.now, self.store.journal, sending.row)
        if not self.wire.is_cut(self.place, first.place):
            self.kernel.after(self.post.leg_us(self, first), partial(self.wire.answer, sending), answer)

    # -- letters

    def hear(self, letter: tuple[int, Any]) -> None:
        if self.is_down:
            return
        sender, says = letter
        self.member.hear(sender, says, self.clock_us())
        if self.store.journal:
            self.recorder.acted(self.kernel.now, self.store.journal, "", self.name, self.place)
            self.store.journal.clear()
        self.post.collect(self)

    def beside_awaited(self, seen: Seen) -> Seen:
        """What has been heard of, and what is on its way: nobody fetches it twice. Who has lost all begins anew."""
        if not seen:
            self.asked.clear()
        return tuple(sorted((self.asked | {who: max(count, self.asked.get(who, 0)) for who, count in seen}).items()))

    def awaits(self, blocks: tuple[Entry, ...]) -> list[Entry]:
        """Those of the blocks that are not on their way here yet; from now on they are."""
        missing = [block for block in blocks if block.id not in self.awaited]
        for block in missing:
            author, number = block.id
            self.awaited[block.id] = True
            self.asked[author] = max(number + 1, self.asked.get(author, 0))
        return missing

    def hear_blocks(self, what: tuple[int, tuple[Entry, ...]]) -> None:
        """Some blocks have come."""
        sender, some = what
        for block in some:
            self.awaited.pop(block.id, None)
        if self.is_down:
            self.asked.clear()
        self.hear((sender, ("blocks", some)))

    def keep_pushing(self, _: Any = None) -> None:
        """Writes that nobody has confirmed are pushed again."""
        kv = self.store.kv if isinstance(self.store, InKv) else None
        if isinstance(kv, Holder) and kv.pushes and isinstance(self.post.config, described.TaubyteHolders):
            self.kernel.after(self.post.config.again, self.push_again)

    def push_again(self, _: Any = None) -> None:
        kv, config = self.store.kv, self.post.config  # type: ignore[attr-defined]
        assert isinstance(kv, Holder) and isinstance(config, described.TaubyteHolders)
        now = self.clock_us()
        old = [name for name, (_, _, since_us) in kv.pushes.items() if now - since_us >= config.again]
        if old and not self.is_down:
            kv.push_again(now, config.give_up)
            self.post.collect(self)
            self.keep_pushing()


class Coordinator(Replica):
    """Where one asks for what lies with a quorum: reads from all replicas, writes to all, and waits for some.

    copies   what each replica holds: key -> entry
    """

    def __init__(self, world: World, copies: list[dict[str, Entry]], config: described.Quorum, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.is_open = False
        self.world = world
        self.copies = copies
        self.quorum = config
        self.laws: dict[str, Source] = {}
        self.made = 0

    @property
    def typed(self) -> InKv:
        assert isinstance(self.store, InKv)
        return self.store

    def leg_us(self, what: str, replica: int, sending: Sending) -> int:
        """How long one leg takes for one ask: by the luck of whoever asks."""
        verb = sending.ask.verb
        name = f"quorum/{self.name}.{verb}/{self.place}>{replica}/{what}"
        if name not in self.laws:
            law: Latency | None = getattr(self.quorum, what)
            if law is None:
                places = self.world.scenario.place
                law = self.world.scenario.latency_between(self.place, places[replica % len(places)].name)
            self.laws[name] = self.wire.law(name, law)
        return taken(self.laws[name], sending.task.number, sending.visit)

    def finish(self, sending: Sending) -> None:
        """All that must be read is read first."""
        if sending.incarnation != self.incarnation:
            self.lose(sending)
            return
        keys = self.typed.keys(sending.ask)
        if keys == ():
            super().finish(sending)
            return
        self.wire.guard(sending)
        heard: list[dict[str, Entry]] = []
        for number in range(self.quorum.replicas):
            self.kernel.after(self.leg_us("read", number, sending), self.look, (sending, number, keys, heard))

    def look(self, what: tuple[Sending, int, tuple[str, ...] | None, list[dict[str, Entry]]]) -> None:
        """A read has come to a replica."""
        sending, number, keys, heard = what
        copy = self.copies[number]
        found = dict(copy) if keys is None else {key: copy[key] for key in keys if key in copy}
        self.kernel.after(self.leg_us("reply", number, sending), self.heard, (sending, heard, found))

    def heard(self, what: tuple[Sending, list[dict[str, Entry]], dict[str, Entry]]) -> None:
        """A replica's answer is back: when enough are, the newest of each key is what has been read."""
        sending, heard, found = what
        heard.append(found)
        if len(heard) != self.quorum.reads:
            return
        kv, keys = self.typed.kv, self.typed.keys(sending.ask)
        newest: dict[str, Entry] = {}
        for some in heard:
            for key, entry in some.items():
                if key not in newest or newest[key].beats() < entry.beats():
                    newest[key] = entry
        for key in list(kv.values) if keys is None else keys:  # a coordinator keeps nothing
            if key not in newest:
                kv.entries.pop(key, None)
                kv.changed += [key] if kv.values.pop(key, None) is not None else []
        for key, entry in newest.items():
            kv.entries[key] = {entry.id: entry}
            if kv.values.get(key) != entry.value:
                kv.values[key] = entry.value
                kv.changed.append(key)
        super().finish(sending)

    def reply(self, sending: Sending, answer: Any) -> None:
        kv = self.typed.kv
        letters: list[Any] = list(kv.outbox)
        made, kv.outbox = [entry for _, (_, said) in letters for entry in said], []
        if not made:
            super().reply(sending, answer)
            return
        self.wire.guard(sending)
        acks: list[int] = []
        for number in range(self.quorum.replicas):
            self.kernel.after(self.leg_us("write", number, sending), self.put, (sending, answer, number, made, acks))

    def put(self, what: tuple[Sending, Any, int, list[Entry], list[int]]) -> None:
        """A write has come to a replica: the newer of two is kept."""
        sending, answer, number, made, acks = what
        copy = self.copies[number]
        for entry in made:
            if entry.key not in copy or copy[entry.key].beats() < entry.beats():
                copy[entry.key] = entry
        self.kernel.after(self.leg_us("ack", number, sending), self.acked, (sending, answer, acks))

    def acked(self, what: tuple[Sending, Any, list[int]]) -> None:
        sending, answer, acks = what
        acks.append(1)
        if len(acks) == self.quorum.writes:
            super().reply(sending, answer)


def replicas_of(world: World, name: str, store: Any) -> list[Replica]:
    """The members of a service, one for each place that has one; a single replica where it is not spread."""
    places = [place.name for place in world.scenario.place]
    if isinstance(store, Spread):
        return _members(world, name, described.LastWriterWins(), store.over(len(places)))
    if isinstance(store, InKv):
        config = world.kv
        if isinstance(config, described.Quorum):
            return _coordinators(world, name, config, store.spread(type(config).make, len(places)))
        if isinstance(config, described.Spread):
            of = len(places) if config.most is None else min(len(places), config.most)
            return _members(world, name, config, store.spread(type(config).make, of))
    # Simplified: one copy of every other service, in one place; matters when a region is lost.
    return [Replica(*world.arguments_of(name, world.scenario.place_of(name), store))]


def _members(world: World, name: str, config: described.Spread, stores: Sequence[Any]) -> list[Replica]:
    post = Post(world, name, config)
    for number, (place, store) in enumerate(zip(world.scenario.place, stores, strict=False)):
        post.members.append(MemberReplica(number, post, *world.arguments_of(name, place.name, store)))
    for member in post.members:
        post.tick(member)
    return list(post.members)


def _coordinators(world: World, name: str, config: described.Quorum, stores: Sequence[InKv]) -> list[Replica]:
    copies: list[dict[str, Entry]] = [dict(stores[0].kv.newest) for _ in range(config.replicas)]
    return [
        Coordinator(world, copies, config, *world.arguments_of(name, place.name, store))
        for place, store in zip(world.scenario.place, stores, strict=True)
    ]
