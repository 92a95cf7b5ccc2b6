"""Moments of a refresh: old pages, copies, pages that overlap, sales between the reading and the taking."""

from __future__ import annotations

import numpy as np

from orderquake.sim.study.grouping import Ints, begins, running_totals
from orderquake.sim.study.points.look import NONE, Look, Rows, Series, begins_of, overlapping
from orderquake.sim.study.points.point import family

point = family("snapshots")


def applied(look: Look) -> Rows:
    """Snapshots of a product that the owner took."""
    rows = look.done("rebase")
    return rows[look.says(rows, "answer", "applied") & (look.table.sku[rows] != 0)]


def read_at(look: Look, news: Ints) -> Rows:
    """Where each snapshot was asked for in the record; NONE where that is not known."""
    heard = look.decided_by(look.cause(news))
    return np.where(look.says(heard, "operation", "read_changes"), look.cause(heard), NONE)


def _acks(look: Look, ships: Ints) -> Rows:
    """Where whoever sent each post had told the Stock Cache of it; NONE where it never did."""
    settled = look.heard("settle", "settled")
    return Series(look.task(settled), settled).after(look.task(ships), ships)


@point()
def an_older_snapshot_was_offered_and_refused(look: Look) -> Rows:
    """Taken, it would have put sold units back on sale."""
    rows = look.done("rebase")
    return rows[look.says(rows, "answer", "ignored")]


@point()
def a_page_that_contradicted_its_own_log_was_refused(look: Look) -> Rows:
    """The count and the changes that should explain it did not agree: better old news than wrong news."""
    rows = look.done("rebase")
    return rows[look.says(rows, "answer", "refused")]


@point()
def a_snapshot_was_taken_again_at_the_same_version(look: Look) -> Rows:
    """The same news twice is no news."""
    rows, table = applied(look), look.table
    rows = rows[np.argsort(table.sku[rows], kind="stable")]
    lost = look.done("epoch")
    lost = lost[look.says(lost, "answer", "lost")]
    life = np.cumsum(look.are(lost), dtype=np.int64)[rows]
    return rows[~begins(table.sku[rows], life, table.version[rows])]


@point()
def a_snapshot_was_taken_while_units_were_promised(look: Look) -> Rows:
    """The record's count is not what may be sold: promises outlive a refresh."""
    shelf = look.shelf
    is_base = look.says(shelf.row, "operation", "rebase", "opening")
    base = running_totals(np.where(is_base, shelf.left - shelf.had, 0), shelf.is_first)
    is_news = look.says(shelf.row, "operation", "rebase") & (base - shelf.left > 0)
    return np.sort(shelf.row[is_news])


@point()
def units_were_promised_between_a_snapshots_reading_and_its_taking(look: Look) -> Rows:
    """The snapshot cannot know of them."""
    rows, holds = applied(look), look.anew("hold")
    heard = look.decided_by(look.cause(rows))
    names = look.table.sku
    is_between = Series(names[holds], holds).between(names[rows], heard, rows)
    return rows[look.says(heard, "operation", "read_changes") & is_between]


@point()
def a_snapshot_read_before_a_post_was_taken_after_its_ack(look: Look) -> Rows:
    """Who lets go of a commitment at the ack sells its units again here."""
    ships, news, table = look.anew("ship"), applied(look), look.table
    acks = _acks(look, ships)
    ships, acks = ships[acks != NONE], acks[acks != NONE]
    following = Series(table.sku[news], news).after(table.sku[ships], acks)
    is_older = (following != NONE) & (table.version[following] < table.version[ships])
    return np.unique(following[is_older])


@point()
def a_snapshot_moved_a_sale_to_the_record_before_its_ack(look: Look) -> Rows:
    """The snapshot itself told of the post; the ack came later, or never."""
    drops, ships = look.anew("drop"), look.anew("ship")
    drops = drops[look.says(look.cause(drops), "operation", "refresh")]
    ship = Series(look.order(ships), ships).before(look.order(drops), drops)
    drops, ship = drops[ship != NONE], ship[ship != NONE]
    acks = _acks(look, ship)
    return drops[(acks == NONE) | (acks > drops)]


@point()
def two_refreshes_were_under_way_at_once(look: Look) -> Rows:
    """The second began to read before the first had been applied."""
    rows = look.asks("read_changes")
    rows = rows[look.is_by(rows, "inbound")]
    rows = rows[begins_of(look.task(rows))]
    return rows[overlapping(look.began(rows), look.ended(rows))]


@point()
def a_refresh_came_in_several_pages(look: Look) -> Rows:
    """Only the last page may move the cursor: what lies on a later one has not been seen."""
    rows = look.heard("read_changes", "changed")
    return rows[~begins_of(look.task(rows))]


@point()
def a_copy_of_a_page_came_late(look: Look) -> Rows:
    """The network offered a snapshot once more, when the first had long been taken."""
    return look.done_late("rebase")


@point()
def a_page_was_taken_and_the_answer_was_lost(look: Look) -> Rows:
    """The job that brought it did not know, and brought it again."""
    rows = look.done("rebase")
    asks = look.cause(rows)
    answers = look.answer_of[asks]
    return np.unique(answers[look.says(answers, "kind", "info") & (rows < answers)])
