"""`log.txt` is a help, and never a reason to lose a training."""

import os

import pytest

from imgcls.events import Noted, Progressed, Warned
from imgcls.training.log import Log


def test_a_log_that_cannot_be_written_is_one_warning(tmp_path):
    """
    A disk that is full, or a folder that is gone, must not end a training for a line of text.
    """
    seen: list[object] = []
    log = Log(tmp_path / "gone" / "log.txt", seen.append)
    for _ in range(3):
        log(Noted("a"))

    assert [Noted] * 3 == [type(event) for event in seen if not isinstance(event, Warned)]
    assert [f"{tmp_path}/gone/log.txt: cannot be written: No such file or directory"] == [
        event.message for event in seen if isinstance(event, Warned)
    ]


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("elsewhere")])
def test_a_pipe_or_a_link_in_place_of_the_log_is_one_warning(tmp_path, make):
    """
    A run from elsewhere may contain one: a pipe would block, a link append to another file.
    """
    path = tmp_path / "log.txt"
    make(path)
    seen: list[object] = []
    log = Log(path, seen.append)
    log(Noted("a"))
    log(Noted("b"))

    assert [Noted, Warned, Noted] == [type(event) for event in seen]
    assert not (tmp_path / "elsewhere").exists()


def test_it_tells_the_story_with_the_time_and_leaves_out_the_progress(tmp_path):
    """
    A log of millions of lines is read by nobody.
    """
    log = Log(tmp_path / "log.txt", lambda _: None)
    log(Noted("training on \udcff"))
    log(Progressed(1, 2, 3, 4, 0.5, 0.5, 10.0, 1.0))
    (line,) = (tmp_path / "log.txt").read_text(encoding="utf-8").splitlines()

    assert line.endswith("+00:00 Noted message=training on \\udcff")
