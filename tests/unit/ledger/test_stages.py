"""The order of closing stages."""

import pytest

from ledger.stages import CLOSING, CLOSING_RANK, FINAL_ACCOUNTS, PRE_CLOSING, UNRANKED, stage_rank


def test_stages_rank_from_plan_to_final_accounts() -> None:
    order = ["PLAN", "MONITORING_Q1", PRE_CLOSING, CLOSING, FINAL_ACCOUNTS]
    ranks = [stage_rank(name) for name in order]

    assert ranks == sorted(set(ranks))
    assert ranks[0] > UNRANKED


@pytest.mark.parametrize("name", [None, "", "closing", "consuntivo", "CONSUNTIVO ", "ASSESTATO"])
def test_no_stage_and_unlisted_names_rank_below_every_stage(name: str | None) -> None:
    assert stage_rank(name) == UNRANKED


@pytest.mark.parametrize("name", ["MONITORING", "MONITORING_Q1", "MONITORING_Q4"])
def test_monitoring_ranks_alike_within_the_year_and_before_the_closing(name: str) -> None:
    assert UNRANKED < stage_rank(name) < stage_rank(PRE_CLOSING) < CLOSING_RANK
