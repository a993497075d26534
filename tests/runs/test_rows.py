"""The metrics file: no row is lost or duplicated, and a partially written one is ignored."""

import resource
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from imgcls.errors import ResourceError, RunError
from imgcls.runs import rows


def after(step: int) -> Callable[[Mapping[str, Any]], bool]:
    return lambda row: row["step"] > step


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "metrics.jsonl"
    for step in (10, 20, 30):
        rows.append(path, {"step": step, "loss": 1 / step})
    return path


def steps(path):
    return [row["step"] for row in rows.read(path)]


def test_rows_come_back_exactly_and_in_order(table):
    """
    These numbers are used to check that two runs are bit-identical.
    """
    assert [{"step": step, "loss": 1 / step} for step in (10, 20, 30)] == rows.read(table)


def test_a_table_that_is_not_there_yet_has_no_rows(tmp_path):
    """
    A user may look at a run before its first report.
    """
    assert [] == rows.read(tmp_path / "metrics.jsonl")


def test_wherever_the_last_write_was_torn_the_whole_rows_stay_and_the_next_one_fits(table):
    """
    A kill in the middle of a write must not damage the rows before it or the next one.
    """
    data = table.read_bytes()
    for size in range(len(data) + 1):
        table.write_bytes(data[:size])
        whole = data[:size].count(b"\n")

        assert [10, 20, 30][:whole] == steps(table)
        rows.append(table, {"step": 99})

        assert [*[10, 20, 30][:whole], 99] == steps(table)


def test_a_long_torn_line_is_cut_off_whole(table):
    """
    A row may be longer than the block that is searched for its start.
    """
    table.write_bytes(table.read_bytes() + b"x" * 200_000)
    rows.append(table, {"step": 40})

    assert [10, 20, 30, 40] == steps(table)


def test_a_row_that_does_not_fit_is_taken_back(table):
    """
    If the disk fills up in the middle of a row, the file must be left as it was.
    """
    before = table.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 5, limits[1]))
    try:
        with pytest.raises(ResourceError, match=r"metrics.jsonl: cannot be written, 5 of \d+ byt"):
            rows.append(table, {"step": 40})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert before == table.read_bytes()


@pytest.mark.parametrize(
    ("line", "message"), [(b"oops\n", "line 2 is damaged"), (b"[1]\n", "line 2 is no row")]
)
def test_a_damaged_line_in_the_middle_is_named(table, line, message):
    """
    That is not a partial write; a user who edited the file needs the line number.
    """
    first, *rest = table.read_bytes().splitlines(keepends=True)
    table.write_bytes(first + line + b"".join(rest))
    with pytest.raises(RunError, match=message):
        rows.read(table)


def test_rows_after_a_step_move_to_the_superseded_ones_byte_for_byte(table, tmp_path):
    """
    A resume from step 20 writes step 30 again; both rows are kept, but only one counts.
    """
    superseded = tmp_path / "metrics.superseded.jsonl"
    before = table.read_bytes()
    rows.rewind(table, superseded, after(20))

    assert [10, 20] == steps(table)
    assert before == table.read_bytes() + superseded.read_bytes()
    rows.rewind(table, superseded, after(10))

    assert [[10], [30, 20]] == [steps(table), steps(superseded)]


def test_a_rewind_that_was_killed_between_its_two_files_doubles_nothing(table, tmp_path):
    """
    The kill leaves the rows in both files; the next resume must not move them a second time.
    """
    superseded = tmp_path / "metrics.superseded.jsonl"
    before = table.read_bytes()
    rows.rewind(table, superseded, after(10))
    table.write_bytes(before)
    rows.rewind(table, superseded, after(10))

    assert [[10], [20, 30]] == [steps(table), steps(superseded)]


def test_a_rewind_to_the_last_step_changes_no_file(table, tmp_path):
    """
    This is the usual resume: nothing has to be undone.
    """
    inode = table.stat().st_ino
    rows.rewind(table, tmp_path / "metrics.superseded.jsonl", after(30))

    assert inode == table.stat().st_ino
    assert [table] == list(tmp_path.iterdir())
