"""A sample of the drill that `make proof` runs in full (proof/test_rotation_drill_in_full.py)."""

from esg_assets_tests.rotation_drill import drill


def test_after_three_rotations_of_every_key_everything_verifies_and_opens() -> None:
    result = drill(reports=12, rotations=3, window_days=5)
    assert result.faults == []
    assert (result.opened, result.keys) == (12, 4)
    assert result.entries > 12 + result.reseals  # and archives
    assert result.reseals >= 9
    assert result.rekeyed > 18
    assert 0 < result.kept < 3 * 12  # the windows of the oldest ended
