"""Planted bugs: each a design that differs from the sound one in one breath, and names what it forgets.

Only tests, campaigns and the kill table import these; a run that calls one of them valid is a failure of the harness,
unless it is one of those that make no difference.
"""

from collections.abc import Mapping

from orderquake.model.architecture import Architecture
from orderquake.model.mutants.asks_for_the_ledger import AsksForTheLedger
from orderquake.model.mutants.charges_again import (
    ChargesAnewAfterAnError,
    ChargesAnewAfterNotFound,
    ChargesForEver,
    ForgetsMessageLife,
    ForgetsWorkerDeadline,
    KeepsOneChargeKey,
    KeysByVersion,
    LoserRefunds,
    RefundsThePrice,
    TakesPartForTheWhole,
)
from orderquake.model.mutants.consumes_without_looking import (
    ConsumesWithoutLooking,
)
from orderquake.model.mutants.declines_what_was_taken import (
    CancelsWhileCharging,
    ClosesAtTheHorizon,
    DeclinesWhatIsNotFound,
    NeverSweepsTheLedger,
    TakesSilenceForADecline,
)
from orderquake.model.mutants.forgets_dedup import (
    ForgetsDedup,
)
from orderquake.model.mutants.forgets_failed_refunds import (
    ForgetsFailedRefunds,
)
from orderquake.model.mutants.forgets_round_sums import (
    ForgetsRoundSums,
)
from orderquake.model.mutants.grants_grace import (
    GrantsGrace,
)
from orderquake.model.mutants.holds_and_takes import (
    CapturesTwice,
    TakesAHoldForMoney,
)
from orderquake.model.mutants.holds_that_do_not_end import (
    BelievesTheClock,
    ConsumesByOrder,
    ForgetsTheToken,
    FulfilsWhatIsPaid,
    PinsLapse,
    ReleasesAtTheCancel,
    ReleasesDeadLetters,
    ReleasesInNameOnly,
    ResurrectsOnExtend,
)
from orderquake.model.mutants.keeps_addresses import KeepsAddresses
from orderquake.model.mutants.keeps_orders_badly import (
    BuriesDeadLetters,
    RegistersAnew,
    SendsEveryMail,
    TellsBeforeWriting,
    WritesWithoutComparing,
)
from orderquake.model.mutants.keeps_shelves_badly import (
    EndsBeforeTheBook,
    FailsAtATimeOut,
    HoldsLineByLine,
    KeepsWhatItDeclined,
    LeavesTheDoorOpen,
    LetsGoOfWhatItHeardOf,
    LooksAtTheShelfOnly,
)
from orderquake.model.mutants.keys_each_attempt import (
    KeysEachAttempt,
)
from orderquake.model.mutants.lets_go_too_early import (
    AnswersDuplicatesWithLess,
    BelievesAcksOverVersions,
    DropsAtTheAck,
    LeaksLateAcks,
    MovesTheBaseAtTheAck,
    TrustsTheHighestPost,
)
from orderquake.model.mutants.loser_releases import (
    LoserReleases,
)
from orderquake.model.mutants.mails_the_card import MailsTheCard
from orderquake.model.mutants.makes_no_difference import (
    BlocksItsOwnRetry,
    ComparesNoAcks,
    HandsBackAtOnce,
    KeepsDeclinedHolds,
    NeverTellsTheOwner,
    RejectsWhatIsOlderThanAnAck,
)
from orderquake.model.mutants.never_gives_up import (
    NeverGivesUp,
)
from orderquake.model.mutants.never_recovers import (
    NeverRecovers,
)
from orderquake.model.mutants.overwrites_on_refresh import (
    OverwritesOnRefresh,
)
from orderquake.model.mutants.posts_addresses import PostsAddresses
from orderquake.model.mutants.posts_otherwise import (
    BooksRefundsAsSales,
    CallsItPostedFirst,
    ExportsTheUnfinished,
    PrunesDedup,
    StopsAtARefusal,
)
from orderquake.model.mutants.reads_a_torn_snapshot import (
    BelievesTheFeed,
    ComputesOutside,
    MovesTheCursorOnAnOldCopy,
    MovesTheCursorPageByPage,
    NumbersChangesBeforeTheyCommit,
    PassesWhatDoesNotAddUp,
    ReadsQuantityBeforeVersion,
    TakesOlderSnapshots,
)
from orderquake.model.mutants.rebuilds_half import (
    AdoptsNothing,
    AdoptsTwice,
    FencesNothing,
    RebuildsByReading,
    StartsEmptyAndOpen,
    TrustsEverySnapshot,
)
from orderquake.model.mutants.refunds_again_under_a_new_key_after_silence import (
    RefundsAgainUnderANewKeyAfterSilence,
)
from orderquake.model.mutants.refunds_before_writing import (
    RefundsBeforeWriting,
)
from orderquake.model.mutants.refunds_in_silence import (
    RefundsInSilence,
)
from orderquake.model.mutants.refunds_otherwise import (
    CancelsTheFulfilled,
    ForgetsToRefund,
    KeepsOneRefundKey,
    PassesOpenOrders,
    RefundsOnTheWebhookToo,
    RevivesOnAWebhook,
    TakesPendingForFailed,
    WaitsForTheWebhook,
)
from orderquake.model.mutants.releases_twice import (
    ReleasesTwice,
)
from orderquake.model.mutants.sells_what_is_not_there import (
    ChecksOnlyWhereASettingIsMade,
    ChecksTheFirstLineOnly,
    ChecksThenTakes,
    CountsOneTooMany,
)
from orderquake.model.mutants.skips_a_change import (
    SkipsAChange,
)
from orderquake.model.mutants.skips_posting import (
    SkipsPosting,
)
from orderquake.model.mutants.splits_badly import (
    CallsNothingIn,
    DecidesWithoutWaiting,
    KeepsRightsOfWhatLeft,
    LendsAndKeeps,
    RanksByHearsay,
    TakesRightsTwice,
)
from orderquake.model.mutants.subtracts_at_apply import (
    SubtractsAtApply,
)

MUTANTS: Mapping[str, type[Architecture]] = {
    mutant.name: mutant
    for mutant in (
        OverwritesOnRefresh,
        SubtractsAtApply,
        KeysEachAttempt,
        ConsumesWithoutLooking,
        LoserReleases,
        RefundsBeforeWriting,
        ForgetsDedup,
        SkipsPosting,
        ReleasesTwice,
        GrantsGrace,
        NeverRecovers,
        SkipsAChange,
        RefundsInSilence,
        NeverGivesUp,
        ForgetsFailedRefunds,
        RefundsAgainUnderANewKeyAfterSilence,
        DropsAtTheAck,
        MovesTheBaseAtTheAck,
        TrustsTheHighestPost,
        BelievesAcksOverVersions,
        LeaksLateAcks,
        AnswersDuplicatesWithLess,
        ReadsQuantityBeforeVersion,
        NumbersChangesBeforeTheyCommit,
        ComputesOutside,
        TakesOlderSnapshots,
        BelievesTheFeed,
        PassesWhatDoesNotAddUp,
        MovesTheCursorPageByPage,
        MovesTheCursorOnAnOldCopy,
        ChecksThenTakes,
        ChecksTheFirstLineOnly,
        ChecksOnlyWhereASettingIsMade,
        CountsOneTooMany,
        PinsLapse,
        BelievesTheClock,
        ResurrectsOnExtend,
        ConsumesByOrder,
        ReleasesInNameOnly,
        ForgetsTheToken,
        ReleasesAtTheCancel,
        FulfilsWhatIsPaid,
        ReleasesDeadLetters,
        AdoptsNothing,
        FencesNothing,
        RebuildsByReading,
        TrustsEverySnapshot,
        StartsEmptyAndOpen,
        AdoptsTwice,
        PrunesDedup,
        CallsItPostedFirst,
        StopsAtARefusal,
        ExportsTheUnfinished,
        BooksRefundsAsSales,
        ChargesForEver,
        ForgetsMessageLife,
        ForgetsWorkerDeadline,
        ChargesAnewAfterAnError,
        ChargesAnewAfterNotFound,
        KeepsOneChargeKey,
        KeysByVersion,
        LoserRefunds,
        TakesPartForTheWhole,
        RefundsThePrice,
        NeverSweepsTheLedger,
        ClosesAtTheHorizon,
        CancelsWhileCharging,
        TakesSilenceForADecline,
        DeclinesWhatIsNotFound,
        KeepsOneRefundKey,
        TakesPendingForFailed,
        WaitsForTheWebhook,
        RefundsOnTheWebhookToo,
        RevivesOnAWebhook,
        ForgetsToRefund,
        PassesOpenOrders,
        CancelsTheFulfilled,
        TakesAHoldForMoney,
        CapturesTwice,
        RegistersAnew,
        WritesWithoutComparing,
        BuriesDeadLetters,
        TellsBeforeWriting,
        SendsEveryMail,
        LeavesTheDoorOpen,
        LetsGoOfWhatItHeardOf,
        KeepsWhatItDeclined,
        HoldsLineByLine,
        LooksAtTheShelfOnly,
        FailsAtATimeOut,
        EndsBeforeTheBook,
        TakesRightsTwice,
        LendsAndKeeps,
        KeepsRightsOfWhatLeft,
        CallsNothingIn,
        DecidesWithoutWaiting,
        RanksByHearsay,
        ForgetsRoundSums,
        NeverTellsTheOwner,
        ComparesNoAcks,
        RejectsWhatIsOlderThanAnAck,
        HandsBackAtOnce,
        KeepsDeclinedHolds,
        BlocksItsOwnRetry,
        PostsAddresses,
        MailsTheCard,
        KeepsAddresses,
        AsksForTheLedger,
    )
}
"""Every planted bug by its name."""

CANARY = ForgetsRoundSums.name
"""The one that only about one seed in a hundred shows."""

EQUIVALENT: Mapping[str, str] = {
    "never_sweeps_the_ledger": (
        "Inside the contract no charge comes too late: an ask is sent only within the horizon, lives for a message's "
        "life, and its key outlives both, so every charge is one that its order has heard of by the time it gives up. "
        "The sweep heals what only broken assumptions, or the mutants built on this one, can do."
    ),
    "never_tells_the_owner": (
        "Every snapshot names our own posts that it contains since the last one, so the owner drops the same "
        "commitments a refresh later, and by the same versions."
    ),
    "compares_no_acks": (
        "A snapshot that contains a post names it, and so has dropped its commitment when it was applied; a late "
        "acknowledgement finds nothing to compare. Without the list of posts it leaks: see leaks_late_acks."
    ),
    "rejects_what_is_older_than_an_ack": (
        "Safe: it only leaves snapshots out. On a busy day hardly one is new enough, and the count grows old; when "
        "posts cease, the next one gets through and the books agree. Staleness is a measure here, not a promise."
    ),
    "hands_back_at_once": (
        "A lease is politeness. Two workers on one order meet at the compare-and-set, and what nobody works on, "
        "recovery finds."
    ),
    "keeps_declined_holds": (
        "A hold has a deadline: what a declined order keeps is on sale again when it lapses, and it is never pinned. "
        "Where reservations have no deadline it leaks: see keeps_what_it_declined."
    ),
    "blocks_its_own_retry": (
        "The order is refunded although it holds units, and these lapse or are released. A customer is turned away "
        "needlessly, which is no broken promise; sales lost are a measure."
    ),
}
"""Mutants that break no promise, and why. They are not counted."""

NO_PLACES = "Only in simulated time: boundaries are a scenario's, and at small scope nobody stands anywhere."
ONE_ROUTE: Mapping[str, str] = {
    "takes_rights_twice": (
        "Only in simulated time: a letter must be sent again before it is confirmed, and at small scope letters "
        "between members of a store take no time."
    ),
    "calls_nothing_in": (
        "Only in simulated time: at small scope the stock stands in one place, and no other has rights to call in."
    ),
    "decides_without_waiting": (
        "Only in simulated time: at small scope a claim is known to every member before anybody can look."
    ),
    "ranks_by_hearsay": (
        "Only in simulated time: at small scope every member hears of all claims at once, and in one order."
    ),
    "posts_addresses": NO_PLACES,
    "mails_the_card": NO_PLACES,
    "keeps_addresses": NO_PLACES,
    "asks_for_the_ledger": NO_PLACES,
}
"""Mutants that only one route can kill, and why no other can."""
