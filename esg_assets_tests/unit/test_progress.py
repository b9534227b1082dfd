"""What a run says of its progress: time left, and whether its setting of calls in flight is enough."""

from esg_assets.core.progress import Progress


def test_a_rate_that_the_calls_in_flight_cannot_reach_is_said_with_the_number_that_can() -> None:
    progress = Progress(wanted=1000, rate=500)
    for _ in range(100):
        progress.took(0.3)

    assert progress.too_few_in_flight(64) == (
        "64 calls in flight that take 0.30 s each make 213 calls/s of the 500 allowed; the whole rate "
        "needs ESG_API_CONCURRENCY=150 or more"
    )
    assert progress.too_few_in_flight(150) == ""


def test_before_the_first_call_and_in_an_outage_nothing_is_said_of_calls_in_flight() -> None:
    progress = Progress(wanted=1000, rate=500)
    assert progress.too_few_in_flight(1) == ""

    progress.took(30)
    progress.outage = True

    assert progress.too_few_in_flight(1) == ""


def test_one_slow_call_among_many_does_not_count_for_much() -> None:
    progress = Progress(wanted=1000, rate=500)
    for _ in range(100):
        progress.took(0.1)
    progress.took(1.0)

    assert progress.too_few_in_flight(65) == ""
