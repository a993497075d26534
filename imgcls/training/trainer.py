"""The trainer: trains from a state to the end of the last stage, or until a signal."""

import math
import time
from collections.abc import Iterator
from typing import Any, Literal

from imgcls.errors import DivergedError
from imgcls.evaluation.metrics import summary
from imgcls.events import (
    EpochEnded,
    EventSink,
    Progressed,
    StageStarted,
    Trained,
    Validating,
    Warned,
)
from imgcls.network.predicting import Predictor
from imgcls.runs import folders
from imgcls.runs.checkpoints import Checkpoint
from imgcls.runs.folders import Run
from imgcls.training.engine import IMAGES, LOSS
from imgcls.training.prepare import Prepared
from imgcls.training.saving import Saver
from imgcls.training.signals import Stop
from imgcls.training.snapshot import Snapshot
from imgcls.training.state import State, means

CALL_SECONDS = 0.25  # per engine call: the longest wait of progress, signals and checkpoints
MOST_RETRIES = 3  # after a divergence
LOWERING = 0.25  # factor of the learning rate at each retry


class _Stopped(Exception):  # noqa: N818  # no error: a signal came during an evaluation
    pass


class Trainer:
    """Trains a run through its stages.

    Args:
        run: the run folder, which this process has locked.
        prepared: everything that training needs.
        state: the training state.
        saved: the checkpoint of that state, or None for the initial weights.
        stop: whether a signal has requested the end.
        report: receives events.

    Attributes:
        state: the training state.
    """

    def __init__(
        self,
        run: Run,
        prepared: Prepared,
        state: State,
        saved: Checkpoint | None,
        stop: Stop,
        report: EventSink,
    ) -> None:
        self.state = state
        self._run = run
        self._prepared = prepared
        self._config = prepared.config
        self._plan = prepared.plan
        self._stop = stop
        self._report = report
        self._engine = prepared.engine(state.stage)
        self._snapshot = Snapshot(prepared, state.stage)
        if saved is not None:
            self._snapshot.restore(self._engine, saved, state.averaged)
        if state.rate is not None:
            self._engine.rate = state.rate
        device = prepared.machine.strategy.extended.worker_devices[0]
        self._predictor = Predictor(prepared.network, prepared.spec, prepared.config.loss, device)
        self._saver = Saver(run, report)
        self._steps = prepared.plan.steps_per_epoch
        self._saved_at = self._began = time.monotonic()
        self._before = self._epoch_began = state.seconds
        self._epoch_images = state.sums[IMAGES]  # of this epoch, from before this start
        self._last_loss: float | None = None
        self._call = 1  # steps per call, adapted to their duration

    def train(self) -> Trained:
        """Trains until the end of the last stage, or until a signal.

        Raises:
            DivergedError: if the loss is not finite; checkpoints are not changed.
            ResourceError: if checkpoints cannot be written.
        """
        if self._config.training.on_divergence == "retry" and self.state.step == 0:
            self._save()  # there must be a checkpoint to go back to
        self._report_stage()
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
        batches = self._batches()
        while not self._done():
            if self.state.step == self._epoch_end():
                self._end_epoch()
            else:
                if self._stage_over():
                    # Only now, right before its first step: a checkpoint at the boundary always
                    # belongs to the stage that ends there.
                    self._begin_stage()
                    batches = self._batches()
                self._advance(batches)
            if self._done():
                return
            if self._stop:
                raise _Stopped
            if self._stop.wants_save() or self._is_due():
                self._save()

    def _batches(self) -> Iterator[Any]:
        stage = self._plan.stages[self.state.stage].settings
        end = self._steps * (self.state.stage_began + stage.epochs)
        return self._engine.batches(range(self.state.step, end))

    def _begin_stage(self) -> None:
        """Begins the next stage, with a new optimizer."""
        self.state.next_stage()
        self._engine = self._prepared.engine(self.state.stage)
        self._snapshot = Snapshot(self._prepared, self.state.stage)
        self._call = 1  # its first call traces the step
        self._report_stage()

    def _report_stage(self) -> None:
        if len(self._plan.stages) > 1 and not self._done():
            stage = self._plan.stages[self.state.stage]
            weights = self._prepared.network.model.trainable_variables
            self._report(
                StageStarted(
                    self.state.stage + 1,
                    len(self._plan.stages),
                    stage.settings.epochs,
                    sum(math.prod(each.shape) for each in weights),
                )
            )

    def _go_back(self, error: DivergedError) -> None:
        """Goes back to the newest checkpoint with a lower learning rate, or raises the error."""
        retries = self.state.retries + 1
        if self._config.training.on_divergence == "stop" or retries > MOST_RETRIES:
            raise error
        saved = self._saver.newest()
        if saved is None:
            raise error
        state = State.of(saved)
        folders.rewind_metrics(self._run, state.step, state.evaluated)
        before, self.state = self.state, state
        if state.stage == before.stage:
            self._snapshot.restore(self._engine, saved, state.averaged)
            if state.rate is not None:
                self._engine.rate = state.rate
        else:  # it diverged before the stage's first checkpoint
            self._snapshot.restore(None, saved, state.averaged)
            self._begin_stage()
        assert self._engine.rate is not None, "a rate that can be lowered was built"
        self._engine.rate *= LOWERING ** (retries - self.state.retries)
        self.state.retries = retries
        self._before, self._began = state.seconds, time.monotonic()
        self._epoch_began, self._epoch_images = state.seconds, state.sums[IMAGES]
        rate = self._engine.learning_rate
        again = f"back to step {state.step} with the learning rate {rate:.3g}"
        self._report(Warned(f"{error}; {again} ({retries} of {MOST_RETRIES})"))

    def _stage_over(self) -> bool:
        epochs = self._plan.stages[self.state.stage].settings.epochs
        return self.state.early is not None or self._stage_epochs() == epochs

    def _stage_epochs(self) -> int:
        return self.state.evaluated - self.state.stage_began

    def _done(self) -> bool:
        return self.state.stage == len(self._plan.stages) - 1 and self._stage_over()

    def _epoch_end(self) -> int:
        return self._steps * (self.state.evaluated + 1)

    def _advance(self, batches: Iterator[Any]) -> None:
        state, every = self.state, self._config.training.report_steps
        most = self._epoch_end() - state.step
        if every:
            most = min(most, every - state.step % every)
        began = time.monotonic()
        rate = self._engine.learning_rate
        taken = self._engine.advance(batches, min(self._call, most))
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
        return time.monotonic() - self._saved_at > self._config.training.checkpoint_seconds

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
        key = self._plan.stages[self.state.stage].settings.learning_rate_key
        hint = f"lower {key}, or clip: global_clipnorm: 1.0"
        if self._config.training.on_divergence == "stop":
            hint += "; training.on_divergence: retry does the first by itself"
        return DivergedError(
            f"{what} (epoch {self.state.evaluated + 1}); {known}, the learning rate {rate:.3g}",
            hint=hint,
        )

    def _progress(self, images_per_second: float) -> None:
        state, epochs = self.state, self._epochs()
        left = (self._steps * epochs - state.step) * self._config.training.batch_size
        figures = means(state.sums)
        self._report(
            Progressed(
                state.evaluated + 1,
                epochs,
                state.step - state.evaluated * self._steps,
                self._steps,
                figures["loss"],
                figures["accuracy"],
                images_per_second,
                left / max(images_per_second, 1e-9),
            )
        )

    def _write_window(self) -> None:
        state = self.state
        row = {"kind": "steps", "stage": state.stage + 1, "epoch": state.evaluated + 1}
        row |= {"step": state.step, **means(state.window)}
        self._saver.add(row | {"learning_rate": self._engine.learning_rate})
        state.window = [0.0, 0.0, 0.0]

    def _end_epoch(self) -> None:
        state, training = self.state, self._config.training
        epoch = state.evaluated + 1
        images = state.sums[IMAGES] - self._epoch_images
        row: dict[str, Any] = {"kind": "epoch", "stage": state.stage + 1, "epoch": epoch}
        row |= {"step": state.step, **means(state.sums)}
        row |= {"learning_rate": self._engine.learning_rate}
        seconds = self._seconds() - self._epoch_began
        row |= {"train_seconds": seconds, "images_per_second": images / max(seconds, 1e-9)}
        self._snapshot.end_epoch(epoch)
        settings = self._plan.stages[state.stage].settings
        last = self._stage_epochs() + 1 == settings.epochs
        due = last or epoch % training.evaluate_every == 0
        if due and "validation" in self._prepared.data.splits:
            row |= self._validation()
            if not math.isfinite(row["val_loss"]):
                what = f"val_loss became {row['val_loss']} after step {state.step}"
                raise self._diverged(what, row["learning_rate"])
        best = state.note_best(row, training.best)
        if due:
            self._update_monitors(row)
        state.evaluated, state.sums = epoch, [0.0, 0.0, 0.0]
        self._saver.add(row)
        self._save(last=self._done())
        self._epoch_began, self._epoch_images = self._seconds(), 0.0
        self._report(EpochEnded(epoch, self._epochs(), row, best))

    def _epochs(self) -> int:
        """Returns the number of epochs of all stages, given those that ended early so far."""
        stage = self._plan.stages[self.state.stage].settings
        return self.state.stage_began + stage.epochs + self._plan.epochs_left(self.state.stage)

    def _validation(self) -> dict[str, Any]:
        began = time.monotonic()
        figures = self.evaluate("validation")
        return {
            **{f"val_{name}": value for name, value in figures.items()},
            "evaluate_precision": self._prepared.machine.precision,
            "evaluate_seconds": time.monotonic() - began,
        }

    def _update_monitors(self, row: dict[str, Any]) -> None:
        state, stage = self.state, self._plan.stages[self.state.stage].settings
        if plateau := stage.reduce_lr_on_plateau:
            rate = state.reduced_rate(row, plateau, self._engine.learning_rate)
            self._engine.learning_rate = rate
        early = stage.early_stopping
        if early and state.stops_early(row, early):
            state.early = f"{early.monitor} has not improved for {early.patience} evaluations"

    def evaluate(self, split_name: str) -> dict[str, float]:
        """Returns the metrics of a split, for the averaged weights if there are any."""
        split = self._prepared.data.splits[split_name]

        def progress(done: int) -> None:
            self._report(Validating(done, len(split.labels)))
            if self._stop:
                raise _Stopped

        with self._snapshot.evaluated(self.state.step):
            found = self._predictor.predict_split(split, self._config.training.batch_size, progress)
        return summary(found.labels, found.probabilities, found.losses, found.regularization_loss)

    def _seconds(self) -> float:
        return self._before + time.monotonic() - self._began

    def _save(self, *, last: bool = False) -> None:
        state = self.state
        state.seconds = self._seconds()
        state.rate = self._engine.rate
        state.averaged = self._snapshot.averaged
        self._saver.save(state, self._snapshot.parts(self._engine, state.step), last=last)
        self._saved_at = time.monotonic()

    def _trained(self, status: Literal["finished", "interrupted"]) -> Trained:
        state = self.state
        return Trained(
            run=self._run.folder,
            status=status,
            epoch=state.evaluated,
            epochs=self._epochs(),
            step=state.step,
            best=state.best,
            early=state.early,
            signal=self._stop.signal if status == "interrupted" else None,
            seconds=time.monotonic() - self._began,
        )
