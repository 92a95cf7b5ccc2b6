"""Planted bugs: each a design that differs from the sound one in one breath, and names what it forgets.

Only tests and campaigns import these; a run that calls one of them valid is a failure of the harness.
"""

from collections.abc import Mapping

from orderquake.model.architecture import Architecture
from orderquake.model.mutants.asks_for_the_ledger import AsksForTheLedger
from orderquake.model.mutants.consumes_without_looking import ConsumesWithoutLooking
from orderquake.model.mutants.forgets_dedup import ForgetsDedup
from orderquake.model.mutants.forgets_failed_refunds import ForgetsFailedRefunds
from orderquake.model.mutants.grants_grace import GrantsGrace
from orderquake.model.mutants.keeps_addresses import KeepsAddresses
from orderquake.model.mutants.keys_each_attempt import KeysEachAttempt
from orderquake.model.mutants.loser_releases import LoserReleases
from orderquake.model.mutants.mails_the_card import MailsTheCard
from orderquake.model.mutants.never_gives_up import NeverGivesUp
from orderquake.model.mutants.never_recovers import NeverRecovers
from orderquake.model.mutants.overwrites_on_refresh import OverwritesOnRefresh
from orderquake.model.mutants.posts_addresses import PostsAddresses
from orderquake.model.mutants.refunds_again_under_a_new_key_after_silence import RefundsAgainUnderANewKeyAfterSilence
from orderquake.model.mutants.refunds_before_writing import RefundsBeforeWriting
from orderquake.model.mutants.refunds_in_silence import RefundsInSilence
from orderquake.model.mutants.releases_twice import ReleasesTwice
from orderquake.model.mutants.skips_a_change import SkipsAChange
from orderquake.model.mutants.skips_posting import SkipsPosting
from orderquake.model.mutants.subtracts_at_apply import SubtractsAtApply

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
        PostsAddresses,
        MailsTheCard,
        KeepsAddresses,
        AsksForTheLedger,
    )
}
"""Every planted bug by its name."""
