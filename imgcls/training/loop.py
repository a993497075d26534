"""The training loop: from a state to its end or a signal; steps, epochs' ends, checkpoints."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from imgcls.config.config import Config
from imgcls.data.dataset import Data
from imgcls.data.pipeline import evaluation_batches, steps_per_pass
from imgcls.errors import DivergedError
from imgcls.evaluation.metrics import summary
from imgcls.events import EpochEnded, Progressed, Report, Trained, Validating, Warned
from imgcls.runs import folders
from imgcls.runs.folders import Run
from imgcls.training.engine import IMAGES, LOSS, Engine
from imgcls.training.saving import Saver
from imgcls.training.signals import Stop
from imgcls.training.state import State, means

CALL_SECONDS = 0.25  # of one engine call: progress, signals and checkpoints wait no longer
MOST_RETRIES = 3  # after a divergence
LOWERING = 0.25  # of the learning rate at each of them


class _Stopped(Exception):  # noqa: N818  # no error: a signal came during an evaluation
    pass


@dataclass
class Loop:
    """One training: everything it needs, and where it stands."""

    run: Run
    config: Config
    data: Data
    engine: Engine
    state: State
    stop: Stop
    report: Report

    def __post_init__(self) -> None:
        self.saver = Saver(self.run, self.engine, self.report)
        training = self.config.training
        images = len(self.data.splits["train"].labels)
        self.steps = training.steps_per_epoch or steps_per_pass(images, training.batch_size)
        self.total = self.steps * training.epochs
        self._saved_at = self._began = time.monotonic()
        self._before = self._epoch_began = self.state.seconds
        self._epoch_images = self.state.sums[IMAGES]  # of this epoch, seen before this start
        self._last_loss: float | None = None
        self._call = 1  # steps a call, set by how long they take

    def train(self) -> Trained:
        """Trains until the last epoch, early stopping, or a signal.

        Raises:
            DivergedError: if the loss is not finite; checkpoints stay as they were.
            ResourceError: if checkpoints cannot be written.
        """
        if self.config.training.on_divergence == "retry" and self.state.step == 0:
            self._save()  # there must be something to go back to
        while True:
            try:
                self._train()
            except _Stopped:
                self._save(last=True)
                return self._trained("interrupted")
            except DivergedError as error:
                self._go_back(error)
            else:
                return self._trained("finished")

    def _train(self) -> None:
        batches = iter(self.engine.batch_source.batches(range(self.state.step, self.total)))
        while not self._done():
            if self.state.step == self._epoch_end():
                self._end_epoch()
            else:
                self._advance(batches)
            if self._done():
                return
            if self.stop:
                raise _Stopped
            if self.stop.wants_save() or self._is_due():
                self._save()

    def _go_back(self, error: DivergedError) -> None:
        """Goes back to the newest checkpoint with a lower rate, or raises the error."""
        retries = self.state.retries + 1
        if self.config.training.on_divergence == "stop" or retries > MOST_RETRIES:
            raise error
        state = self.saver.go_back()
        if state is None:
            raise error
        folders.rewind_metrics(self.run, state.step, state.evaluated)
        assert self.engine.rate is not None, "a rate that can be lowered was built"
        if state.rate is not None:
            self.engine.rate = state.rate
        self.engine.rate *= LOWERING ** (retries - state.retries)
        state.retries = retries
        self.state = state
        self._before, self._began = state.seconds, time.monotonic()
        self._epoch_began, self._epoch_images = state.seconds, state.sums[IMAGES]
        rate = self.engine.learning_rate
        again = f"back to step {state.step} with the learning rate {rate:.3g}"
        self.report(Warned(f"{error}; {again} ({retries} of {MOST_RETRIES})"))

    def _done(self) -> bool:
        return self.state.early is not None or self.state.evaluated == self.config.training.epochs

    def _epoch_end(self) -> int:
        return self.steps * (self.state.evaluated + 1)

    def _advance(self, batches: Iterator[Any]) -> None:
        state, every = self.state, self.config.training.report_steps
        room = self._epoch_end() - state.step
        if every:
            room = min(room, every - state.step % every)
        began = time.monotonic()
        rate = self.engine.learning_rate
        taken = self.engine.advance(batches, min(self._call, room))
        seconds = time.monotonic() - began
        for row in taken:
            self._check_finite(row, rate)
            state.add(row)
        if every and state.step % every == 0:
            self._write_window()
        self._progress(float(taken[:, IMAGES].sum()) / seconds)
        # At most doubled: the first call also traces the step.
        pace = self._call * CALL_SECONDS / max(seconds, 1e-6)
        self._call = max(1, min(2 * self._call, int(pace)))

    def _is_due(self) -> bool:
        return time.monotonic() - self._saved_at > self.config.training.checkpoint_seconds

    def _check_finite(self, row: Any, rate: float) -> None:  # noqa: ANN401
        if not math.isfinite(row[LOSS]):
            step = self.state.step + 1
            raise self._diverged(f"loss became {row[LOSS]} at step {step}", rate)
        self._last_loss = row[LOSS] / row[IMAGES]

    def _diverged(self, what: str, rate: float) -> DivergedError:
        last = self._last_loss
        known = (
            "there was no finite one" if last is None else f"the last finite loss was {last:.4g}"
        )
        hint = (
            f"lower optimizer.{self.config.optimizer.identifier()}.learning_rate, or clip: "
            "global_clipnorm: 1.0"
        )
        if self.config.training.on_divergence == "stop":
            hint += "; training.on_divergence: retry does the first by itself"
        return DivergedError(
            f"{what} (epoch {self.state.evaluated + 1}); {known}, the learning rate {rate:.3g}",
            hint=hint,
        )

    def _progress(self, images_per_second: float) -> None:
        state, training = self.state, self.config.training
        here = state.step - state.evaluated * self.steps
        left = (self.total - state.step) * training.batch_size / max(images_per_second, 1e-9)
        figures = means(state.sums)
        self.report(
            Progressed(
                state.evaluated + 1,
                training.epochs,
                here,
                self.steps,
                figures["loss"],
                figures["accuracy"],
                images_per_second,
                left,
            )
        )

    def _write_window(self) -> None:
        state = self.state
        row = {"kind": "steps", "epoch": state.evaluated + 1, "step": state.step}
        row |= means(state.window) | {"learning_rate": self.engine.learning_rate}
        self.saver.add(row)
        state.window = [0.0, 0.0, 0.0]

    def _end_epoch(self) -> None:
        state, training = self.state, self.config.training
        epoch = state.evaluated + 1
        images = state.sums[IMAGES] - self._epoch_images
        row: dict[str, Any] = {"kind": "epoch", "epoch": epoch, "step": state.step}
        row |= means(state.sums) | {"learning_rate": self.engine.learning_rate}
        seconds = self._seconds() - self._epoch_began
        row |= {"train_seconds": seconds, "images_per_second": images / max(seconds, 1e-9)}
        due = epoch % training.evaluate_every == 0 or epoch == training.epochs
        if due and "validation" in self.data.splits:
            began = time.monotonic()
            row |= {f"val_{name}": value for name, value in self.evaluate("validation").items()}
            row["evaluate_seconds"] = time.monotonic() - began
            if not math.isfinite(row["val_loss"]):
                what = f"val_loss became {row['val_loss']} after step {state.step}"
                raise self._diverged(what, row["learning_rate"])
        best = state.note(row, training.best)
        if due:
            self._update_monitors(row)
        state.evaluated, state.sums = epoch, [0.0, 0.0, 0.0]
        self.saver.add(row)
        self._save(last=self._done())
        self._epoch_began, self._epoch_images = self._seconds(), 0.0
        self.report(EpochEnded(epoch, training.epochs, row, best))

    def _update_monitors(self, row: dict[str, Any]) -> None:
        state, training = self.state, self.config.training
        if plateau := training.reduce_lr_on_plateau:
            self.engine.learning_rate = state.reduced_rate(row, plateau, self.engine.learning_rate)
        early = training.early_stopping
        if early and state.stops_early(row, early):
            state.early = f"{early.monitor} has not improved for {early.patience} evaluations"

    def evaluate(self, split_name: str) -> dict[str, float]:
        """Returns the metrics of a split; the averages' where the config keeps them."""
        split = self.data.splits[split_name]
        batch_size = self.config.training.batch_size
        probabilities, losses, done = [], [], 0
        with self._averaged():
            for images, labels in evaluation_batches(split, self.data.size, batch_size):
                if self.stop:
                    raise _Stopped
                these, their_losses = self.engine.evaluate(images, labels)
                probabilities.append(these)
                losses.append(their_losses)
                done += len(these)
                self.report(Validating(done, len(split.labels)))
            regularization_loss = self.engine.regularization_loss()
        figures = summary(split.labels, np.concatenate(probabilities), np.concatenate(losses))
        return figures | {"loss": figures["loss"] + regularization_loss}

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        self.engine.exchange_averages()
        try:
            yield
        finally:
            self.engine.exchange_averages()

    def _seconds(self) -> float:
        return self._before + time.monotonic() - self._began

    def _save(self, *, last: bool = False) -> None:
        self.state.seconds = self._seconds()
        self.saver.save(self.state, last=last)
        self._saved_at = time.monotonic()

    def _trained(self, status: Literal["finished", "interrupted"]) -> Trained:
        state = self.state
        return Trained(
            run=self.run.folder,
            status=status,
            epoch=state.evaluated,
            epochs=self.config.training.epochs,
            step=state.step,
            best=state.best,
            early=state.early,
            signal=self.stop.signal if status == "interrupted" else None,
            seconds=time.monotonic() - self._began,
        )
