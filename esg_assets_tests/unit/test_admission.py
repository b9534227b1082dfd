"""Whether a client is let in: refusals are its accounts' own only once somebody was answered."""

from datetime import date

from esg_assets.core.admission import DENIALS_TO_STOP, Admission
from esg_assets.core.ratings import Outcome, Reason, Status

REFUSED = Outcome("A", Status.FAILED, Reason.UNAUTHORIZED, attempts=1, last_status=403)
DAY = date(2026, 1, 14)


def test_refusals_before_an_answer_are_kept_back_and_given_once_after_it() -> None:
    admission = Admission()
    assert admission.certain(REFUSED) == admission.released() == []
    admission.answered()
    assert admission.released() == [REFUSED]
    assert admission.released() == []
    assert admission.certain(REFUSED) == [REFUSED]


def test_so_many_refusals_without_an_answer_are_the_clients_own() -> None:
    admission = Admission()
    assert admission.refusal(DAY) is None, "nobody was refused"
    assert [admission.denied(403) for _ in range(DENIALS_TO_STOP)] == [False] * (DENIALS_TO_STOP - 1) + [True]
    assert f"all of the first {DENIALS_TO_STOP} calls (403)" in str(admission.refusal(DAY))
    admission.answered()
    assert admission.refusal(DAY) is None
    assert not admission.denied(403), "one that is answered is not refused as a whole any more"
