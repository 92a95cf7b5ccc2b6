"""Moments on the way to the books: posts sent twice, lost, booked late, refused, and a record that is away."""

from __future__ import annotations

import numpy as np

from orderquake.sim.study.grouping import Ints
from orderquake.sim.study.points.look import NONE, Look, Rows, Series, begins_of, overlapping
from orderquake.sim.study.points.point import PAY_FIRST, RESERVE_FIRST, family

point = family("posts")


def _originals(look: Look, rows: Ints) -> Rows:
    """The row that first booked the key of each row."""
    posts, table = look.anew("post"), look.table
    return Series(table.key[posts], posts).before(table.key[rows], rows)


def record_is_down(look: Look, rows: Ints) -> Rows:
    """Whether the record was away just then."""
    edges = look.table.at("fault", "down", "offline")
    edges = edges[look.says(edges, "actor", "record") & look.says(edges, "answer", "injected", "recovered")]
    if not len(edges):
        return np.zeros(len(rows), np.bool_)
    last = np.searchsorted(edges, rows) - 1
    return (last >= 0) & look.says(edges[last], "answer", "injected")


@point()
def a_post_was_answered_duplicate_with_its_original_versions(look: Look) -> Rows:
    """The key was in the book already; nothing was shipped again."""
    rows = look.replayed("post")
    rows = rows[look.says(rows, "answer", "duplicate")]
    return rows[_originals(look, rows) != NONE]


@point()
def a_duplicate_post_came_after_its_product_had_moved_on(look: Look) -> Rows:
    """The answer has to name the version of then, not that of now."""
    rows, table = look.replayed("post"), look.table
    ships = look.anew("ship")
    moved = look.record.row
    ship = Series(look.order(ships), ships).before(look.order(rows), rows)
    rows, ship = rows[ship != NONE], ship[ship != NONE]
    return rows[Series(table.sku[moved], moved).between(table.sku[ship], ship, rows)]


@point()
def a_batch_of_posts_was_half_known_already(look: Look) -> Rows:
    """Some of it was booked before, some was new: each post of a batch stands for itself."""
    asks = np.intersect1d(look.cause(look.anew("post")), look.cause(look.replayed("post")))
    return asks[asks != NONE]


@point()
def two_jobs_posted_the_same_order_at_once(look: Look) -> Rows:
    """The second post arrived while the first job had not heard its answer yet."""
    rows = look.replayed("post")
    first = _originals(look, rows)
    rows, first = rows[first != NONE], first[first != NONE]
    heard = look.answer_of[look.cause(first)]
    return rows[(look.task(rows) != look.task(first)) & ((heard == NONE) | (heard > rows))]


@point()
def a_post_was_booked_and_the_answer_was_lost(look: Look) -> Rows:
    """The record had it, and the shop did not know at which version."""
    return look.done_unheard("post", "post")


@point()
def a_post_was_booked_after_its_job_had_given_up(look: Look) -> Rows:
    """The ask was on its way for longer than anybody waited for it."""
    rows = look.done_late("post")
    return rows[look.table.is_new[rows] & look.says(look.answer_of[look.cause(rows)], "kind", "info")]


@point()
def a_job_died_after_the_record_had_booked(look: Look) -> Rows:
    """It heard that its posts were booked, and told nobody."""
    return look.stopped_at(look.heard("post"))


@point()
def a_job_died_between_freezing_and_posting(look: Look) -> Rows:
    """Orders were marked as about to be posted, and whoever had marked them was gone."""
    frozen = look.done("sync")
    asks = look.cause(frozen[look.says(frozen, "to_state", "posting")])
    rows = look.answer_of[asks[look.is_by(asks, "outbound")]]
    return look.stopped_at(np.unique(rows[look.says(rows, "kind", "ok")]))


@point()
def an_order_frozen_by_one_job_was_posted_by_another(look: Look) -> Rows:
    """From the freezing on, the content of a post is the same whoever sends it."""
    rows, frozen = look.anew("post"), look.done("sync")
    frozen = frozen[look.says(frozen, "to_state", "posting")]
    before = Series(look.order(frozen), frozen).before(look.order(rows), rows)
    return rows[(before != NONE) & (look.task(before) != look.task(rows))]


@point()
def two_posting_jobs_were_under_way_at_once(look: Look) -> Rows:
    """The second began before the first had ended."""
    rows = look.asks("list_unposted")
    rows = rows[begins_of(look.task(rows))]
    return rows[overlapping(look.began(rows), look.ended(rows))]


@point(PAY_FIRST, RESERVE_FIRST)
def a_refunded_order_was_posted(look: Look) -> Rows:
    """No goods leave, and the books hear of it all the same."""
    rows = look.anew("post")
    return rows[look.says(rows, "to_state", "refunded")]


@point()
def a_post_was_refused_for_good(look: Look) -> Rows:
    """The shelf could not cover it: the commitment stays, and the order is a dead letter of the books."""
    rows = look.done("post")
    return rows[look.says(rows, "answer", "rejected")]


@point()
def a_refused_post_was_sent_again_and_refused_again(look: Look) -> Rows:
    """A refusal is sticky for its key, whatever has come in meanwhile."""
    rows = look.done("post")
    rows = rows[look.says(rows, "answer", "rejected")]
    return rows[Series(look.table.key[rows], rows).before(look.table.key[rows], rows) != NONE]


@point()
def a_post_met_a_record_that_was_down(look: Look) -> Rows:
    """Silence during an outage is no refusal."""
    rows = look.silences("post")
    return rows[record_is_down(look, rows) & ~look.led_to(look.cause(rows), "post")]


@point()
def an_order_was_fulfilled_while_the_record_was_down(look: Look) -> Rows:
    """Customers did not notice; the books will have to catch up."""
    rows = look.moves("fulfilled")
    return rows[record_is_down(look, rows)]


@point()
def an_outage_of_the_record_was_caught_up_with(look: Look) -> Rows:
    """An order that was fulfilled while the record was away was booked when it was back."""
    rows, sold = look.anew("post"), look.moves("fulfilled")
    sold = sold[record_is_down(look, sold)]
    return rows[Series(look.order(sold), sold).before(look.order(rows), rows) != NONE]


@point()
def an_ack_of_a_post_met_a_stock_that_was_lost(look: Look) -> Rows:
    """The Stock Cache could not be told; the snapshots will say so."""
    return look.heard("settle", "not_ready")
