"""The console: the only writer to stdout and stderr."""

import json as json_format
import sys
import time
import traceback as traceback_format
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from imgcls.console import messages
from imgcls.console.exit_status import ExitStatus
from imgcls.console.numbers import count, counted, printable
from imgcls.console.progress import Bar, Lines, Progress
from imgcls.console.streams import Messages, Results, rendered
from imgcls.console.views import check, evaluation, predictions, trained
from imgcls.errors import ConfigError, ImgclsError
from imgcls.events import (
    Cached,
    Downloading,
    EpochEnded,
    Event,
    Noted,
    Progressed,
    Scanning,
    StageStarted,
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
    """Shows the events and the results of commands; a context that leaves a clean terminal.

    Methods that write results raise ResourceError if stdout cannot be written, and BrokenPipeError
    if its reader went away. Nothing that is written to stderr raises.

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
        """Writes the exit status as the last line, unless stderr is a terminal."""
        self.close()
        if not self._messages.is_terminal:
            self._messages.write(ending.line(self._warnings) + "\n")
            self._messages.flush()

    def final_output(self, number: int) -> bytes:
        """Returns what to write if a signal ends the process now: the cursor and the last line."""
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
            case StageStarted():
                self._progress.line(messages.stage_started(event))
            case EpochEnded():
                self._progress.line(messages.epoch(event))
            case Progressed() | Downloading() | Scanning() | Validating():
                self._progress.tick(messages.tick(event))

    def error(self, error: ImgclsError) -> None:
        """Shows an error: as `error: ...`, or, of a config, each mistake on a line of its own."""
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
        """Shows a mistake in the command line, with Typer's message."""
        error.show(file=self._messages)  # type: ignore[attr-defined]  # of all that Typer raises

    def bug(self) -> None:
        """Shows the traceback of the exception that is being handled."""
        self.close()
        self._messages.write(traceback_format.format_exc())

    def trained(self, result: Trained) -> None:
        """Shows how a training ended and its best epoch, and on stderr the commands to run next."""
        try:
            self.result("\n".join(trained.ending(result)))
        finally:  # also if nobody reads the result
            for line in trained.coming_next(result):
                self._progress.line(line)

    def evaluation(
        self, result: "Evaluation", outcomes: "Sequence[Outcome]" = (), *, json: bool = False
    ) -> None:
        """Shows the metrics of an evaluation as tables, or as one JSON object on one line.

        Each assertion that does not hold follows as a line on stderr.
        """
        if json:
            asserted = {"assertions": [each.to_json() for each in outcomes]} if outcomes else {}
            self.json({**result.to_json(), **asserted})
        else:
            self._tables(evaluation.view(result))
        for each in outcomes:
            if not each.holds:
                self._progress.line(f"assertion failed: {evaluation.missed(each)}", "bold red")

    def check(self, result: "CheckResult") -> None:
        """Shows the data, the layers, and the estimated cost of the training."""
        self._tables(check.view(result, self._warnings))

    def predictions(
        self,
        results: "Iterable[Prediction]",
        *,
        json: bool = False,
        csv: bool = False,
        top_k: int = 1,
    ) -> int:
        """Shows each prediction as it is made, one line per image.

        A rejected image is reported on stderr; with `json` or `csv` it has its line on stdout.

        Returns:
            The number of rejected images.
        """
        from imgcls.inference.predictions import csv_header

        if csv:
            self.result(predictions.csv_line(csv_header(top_k)))
        rejected = images = 0
        for each in results:
            images += 1
            rejected += each.error is not None
            if json:
                self.json(each.to_json(top_k))
            elif csv:
                self.result(predictions.csv_line(each.to_csv(top_k)))
            elif each.error is None:
                self.result(predictions.line(each, top_k))
            else:
                self._progress.line(printable(f"error: {each.file}: {each.error}"), "bold red")
        if rejected:
            self._progress.line(f"rejected {counted(rejected, 'image')} of {count(images)}")
        return rejected

    def json(self, value: dict[str, Any]) -> None:
        """Writes a JSON object on one line, in ASCII, which every locale can show."""
        self.result(json_format.dumps(value, allow_nan=False))

    def result(self, text: str) -> None:
        """Writes text and a newline to stdout."""
        self.close()
        self.results.write(text + "\n")

    def _tables(self, found: Iterable[object]) -> None:
        self.result(rendered(*found, is_terminal=self.results.is_terminal).rstrip("\n"))
