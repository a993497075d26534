"""What each command shows."""

import csv as csv_format
import io
import json as json_format
import sys
import time
import traceback as traceback_format
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from imgcls.console import messages, tables
from imgcls.console.exit_status import ExitStatus
from imgcls.console.numbers import printable, probability
from imgcls.console.progress import Bar, Lines, Progress
from imgcls.console.streams import Messages, Results, rendered
from imgcls.errors import ConfigError, ImgclsError
from imgcls.events import (
    Cached,
    Downloading,
    EpochEnded,
    Event,
    Noted,
    Progressed,
    Scanning,
    Started,
    Trained,
    Validating,
    Warned,
)

if TYPE_CHECKING:
    from typer.exceptions import TyperException

    from imgcls.evaluation.assertions import Outcome
    from imgcls.evaluation.scores import Evaluation
    from imgcls.inference.predictions import Prediction
    from imgcls.training.summary import CheckResult


class Console:
    """Shows what commands report and return; used in a `with`, which leaves a clean terminal.

    What writes results raises ResourceError if stdout does not take them, and BrokenPipeError if
    its reader went away; both are quiet at exit. What goes to stderr never raises.

    Attributes:
        results: stdout.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.results = Results(sys.stdout)
        self._messages = Messages(sys.stderr)
        self._progress: Progress = (
            Bar(self._messages)
            if self._messages.is_terminal
            else Lines(self._messages.write, clock)
        )
        self._warnings = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Removes the progress bar, if there is one."""
        self._progress.close()
        self._messages.flush()

    def end(self, ending: ExitStatus) -> None:
        """Says how the process ends, where stderr is no terminal: nothing is shown after that."""
        self.close()
        if not self._messages.is_terminal:
            self._messages.write(ending.line(self._warnings) + "\n")
            self._messages.flush()

    def final_output(self, number: int) -> bytes:
        """Returns what stderr needs if a signal ends the process now: the cursor, the last line."""
        line = (
            "" if self._messages.is_terminal else ExitStatus.by(number).line(self._warnings) + "\n"
        )
        return (self._progress.final_output() + line).encode()

    def report(self, event: Event) -> None:
        """Shows an event of a long command on stderr.

        `Saved` is not shown: it comes with every epoch and asks nothing of anyone.
        """
        match event:
            case Warned(message=message):
                self._warnings += 1
                self._progress.line(f"warning: {printable(message)}", "yellow")
            case Noted(message=message):
                self._progress.line(printable(message))
            case Cached():
                self._progress.line(messages.cached(event))
            case Downloading(done=0):
                self._progress.line(messages.downloading(event))
            case Started():
                self._progress.line(messages.started(event))
            case EpochEnded():
                self._progress.line(messages.epoch(event))
            case Progressed() | Downloading() | Scanning() | Validating():
                self._progress.tick(messages.tick(event))

    def error(self, error: ImgclsError) -> None:
        """Shows an error: a config's mistakes bare, one a line, any other as `error: ...`."""
        self.close()
        if isinstance(error, ConfigError):
            for mistake in error.mistakes:
                self._progress.line(printable(str(mistake)))
        else:
            lines = map(printable, f"error: {error}".splitlines())
            self._progress.line("\n".join(lines), "bold red")
        if error.hint:
            self._progress.line(f"hint: {printable(error.hint)}", "cyan")

    def usage(self, error: "TyperException") -> None:
        """Shows what is wrong with the command line, in Typer's words."""
        error.show(file=self._messages)  # type: ignore[attr-defined]  # of all that Typer raises

    def bug(self) -> None:
        """Shows the traceback of the exception that is handled now."""
        self.close()
        self._messages.write(traceback_format.format_exc())

    def trained(self, trained: Trained) -> None:
        """Shows how a training ended and its best epoch, and on stderr what comes next."""
        try:
            self.result("\n".join(messages.ending(trained)))
        finally:  # also if nobody reads the result
            for line in messages.coming_next(trained):
                self._progress.line(line)

    def evaluation(
        self, found: "Evaluation", outcomes: "Sequence[Outcome]" = (), *, json: bool = False
    ) -> None:
        """Shows the figures of an evaluation as tables, or as one JSON object on one line.

        An assertion that was missed is a line on stderr, after that.
        """
        if json:
            asserted = {"assertions": [each.to_json() for each in outcomes]} if outcomes else {}
            self.json({**found.to_json(), **asserted})
        else:
            self._tables(tables.evaluation(found))
        for each in outcomes:
            if not each.holds:
                self._progress.line(f"missed: {messages.missed(each)}", "bold red")

    def check(self, found: "CheckResult") -> None:
        """Shows the data, the layers, and what training will take."""
        self._tables(tables.check(found))

    def predictions(
        self,
        found: "Iterable[Prediction]",
        *,
        json: bool = False,
        csv: bool = False,
        top_k: int = 1,
    ) -> int:
        """Shows each prediction as it comes, one line an image, and returns how many were refused.

        With `json` or `csv` a refused image has its line too; otherwise it is named on stderr.
        """
        from imgcls.inference.predictions import csv_header

        if csv:
            self.result(_csv_line(csv_header(top_k)))
        refused = 0
        for each in found:
            refused += each.error is not None
            if json:
                self.json(each.to_json(top_k))
            elif csv:
                self.result(_csv_line(each.to_csv(top_k)))
            elif each.error is None:
                self.result(_prediction_line(each, top_k))
            else:
                self._progress.line(printable(f"error: {each.file}: {each.error}"), "bold red")
        return refused

    def json(self, value: dict[str, Any]) -> None:
        """Writes one JSON object on one line, in ASCII, so that it is right in every locale."""
        self.result(json_format.dumps(value, allow_nan=False))

    def result(self, text: str) -> None:
        """Writes text to stdout as it is, and ends its line."""
        self.close()
        self.results.write(text + "\n")

    def _tables(self, found: Iterable[object]) -> None:
        self.result(rendered(*found, is_terminal=self.results.is_terminal).rstrip("\n"))


def _prediction_line(prediction: "Prediction", top_k: int) -> str:
    ranked = (f"{printable(name)} {probability(each)}" for name, each in prediction.ranked[:top_k])
    return "  ".join([printable(prediction.file), *ranked])


def _csv_line(cells: list[str]) -> str:
    line = io.StringIO()
    # the writer quotes a cell for the line's end only if it holds the very characters given here
    csv_format.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().removesuffix("\r\n")
