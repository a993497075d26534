"""Checkpoints damaged ten thousand times, and saved to disks that fail at every system call."""

import pytest

from tests import damage
from tests.runs.test_checkpoints_killed import assert_whole, trace
from tests.traced import needs_strace, sweep

pytestmark = pytest.mark.endurance


@pytest.mark.parametrize("way", [damage.cut, damage.flipped], ids=["cut", "flipped"])
def test_no_damage_is_loaded(way, tmp_path, amount, figure):
    """
    Weights with a single wrong bit give a model that is just worse, with no error.
    """
    damage.make(tmp_path)
    total = amount(5000)

    assert total == damage.sweep(tmp_path, way, total)
    figure(
        f"checkpoints, a file {way.__name__}: {total:,}, 0 loaded, the older one taken each time"
    )


WORDS = {
    "ENOSPC": "no space left on device",
    "EIO": "input/output error",
    "EROFS": "read-only file system",
    "EDQUOT": "disk quota exceeded",
}


@needs_strace
@pytest.mark.parametrize("lasting", ["", "+"], ids=["once", "from then on"])
@pytest.mark.parametrize("error", WORDS)
def test_a_disk_that_fails_at_any_call_costs_no_checkpoint(
    error, lasting, tmp_path, amount, figure
):
    """
    A flaky network drive, a quota or a loose cable must not damage the previous checkpoint.
    """
    done, calls = trace(tmp_path / "whole")
    assert 0 == done.returncode, done.stderr
    step = max(1, 100 // amount(100))
    tried = failed = 0
    for run, done in sweep(trace, tmp_path, calls, f"error={error}", lasting, step):
        tried += 1
        # Where no write works, the message cannot be written either.
        mute = lasting and " write(" in calls[int(run.name) - 1]
        assert mute or done.returncode in {0, 8}, done.stderr
        if done.returncode == 8:
            failed += 1
            assert WORDS[error] in done.stdout
        assert_whole(run)

    assert failed > tried * 0.4
    often = "from then on" if lasting else "once"
    figure(
        f"saving with {error} {often} at each call: {tried}, {failed} told, a whole one each time"
    )


@needs_strace
def test_a_kill_at_any_call_costs_no_checkpoint(tmp_path, amount, figure):
    """
    Repeats the test of the suite, so that the long run is complete in itself.
    """
    done, calls = trace(tmp_path / "whole")
    assert 0 == done.returncode, done.stderr
    found = [
        assert_whole(run)
        for run, _ in sweep(trace, tmp_path, calls, "signal=KILL", step=max(1, 100 // amount(100)))
    ]

    assert sorted(found) == found
    figure(f"saving killed at each call: {len(found)}, an old or a new checkpoint each time")
