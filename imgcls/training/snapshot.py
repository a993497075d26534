"""The arrays of training: those of a checkpoint, and the weights that are evaluated."""

from collections.abc import Iterator
from contextlib import contextmanager

from imgcls.data.pipeline import first_images
from imgcls.network import weights
from imgcls.network.normalization_statistics import MOST_IMAGES, Recomputation, normalizations
from imgcls.network.weights import Arrays
from imgcls.runs.checkpoints import AVERAGED, MODEL, OPTIMIZER, Checkpoint
from imgcls.training.engine import Engine
from imgcls.training.prepare import Prepared


class Snapshot:
    """Reads and sets the arrays of one stage.

    Args:
        prepared: everything that training needs.
        stage: the number of the stage, from 0.
    """

    def __init__(self, prepared: Prepared, stage: int) -> None:
        self._prepared = prepared
        self._network = prepared.network
        self._averaging = prepared.averaging
        # Frozen layers use their moving statistics in training, too.
        trained = prepared.plan.stages[stage].trained
        layers = [each for key, each in normalizations(self._network).items() if key in trained]
        device = prepared.machine.strategy.extended.worker_devices[0]
        self._recomputation = Recomputation(self._network, layers, device)
        self._fresh: int | None = None  # the step at which statistics were last recomputed

    @property
    def averaged(self) -> int:
        """The number of updates of the average of the weights."""
        return self._averaging.count if self._averaging else 0

    def end_epoch(self, epoch: int) -> None:
        """Updates an average that is updated at the end of each epoch.

        Args:
            epoch: its number, from 1.
        """
        averaging = self._averaging
        if averaging is None or averaging.average.every != "epoch":
            return
        # Not twice, if a signal was received between this and the end of the validation.
        if averaging.count < epoch - averaging.average.first_epoch + 1:
            averaging.update()
            self._fresh = None  # a checkpoint may have been written at this very step

    @contextmanager
    def evaluated(self, step: int) -> Iterator[None]:
        """Puts the weights to be evaluated into the network: the averaged ones, if any.

        Args:
            step: the number of steps that the weights have been trained.
        """
        self._refresh(step)
        with self._swapped():
            yield

    @contextmanager
    def _swapped(self) -> Iterator[None]:
        if not self.averaged:
            yield
            return
        assert self._averaging is not None, "it has been updated"
        self._averaging.swap()
        try:
            yield
        finally:
            self._averaging.swap()

    def parts(self, engine: Engine, step: int) -> dict[str, Arrays]:
        """Returns the arrays of a checkpoint by part.

        Args:
            engine: the engine of the stage.
            step: the number of steps that the weights have been trained.
        """
        self._refresh(step)
        parts = {
            MODEL: weights.values(self._network.variables),
            OPTIMIZER: weights.values(engine.optimizer_state),
        }
        if self.averaged:
            assert self._averaging is not None, "it has been updated"
            parts[AVERAGED] = parts[MODEL] | weights.values(self._averaging.variables)
        return parts

    def restore(self, engine: Engine | None, saved: Checkpoint, averaged: int) -> None:
        """Sets the arrays to those of a checkpoint.

        Args:
            engine: the engine of the checkpoint's stage; None leaves the optimizer unchanged.
            saved: the checkpoint.
            averaged: the number of updates of its average.

        Raises:
            RunError: if the checkpoint is damaged or belongs to another config.
        """
        weights.assign(self._network.variables, saved.read(MODEL), MODEL)
        if engine is not None:
            weights.assign(engine.optimizer_state, saved.read(OPTIMIZER), OPTIMIZER)
        if self._averaging is not None:
            self._averaging.count = averaged
            if averaged:
                means = saved.read(AVERAGED)
                own = self._averaging.variables
                weights.assign(own, {name: means[name] for name in own if name in means}, AVERAGED)
        self._fresh = saved.step

    def _refresh(self, step: int) -> None:
        """Recomputes normalization statistics, unless they are up to date."""
        if self._fresh == step:
            return
        if self._prepared.config.training.normalization_statistics == "recomputed":
            self._recompute()
        if self.averaged:
            assert self._averaging is not None, "it has been updated"
            self._averaging.copy_statistics()
            with self._swapped():
                self._recompute()
        self._fresh = step

    def _recompute(self) -> None:
        if not self._recomputation.layers:
            return
        config, data = self._prepared.config, self._prepared.data
        batch_size = config.training.batch_size
        self._recomputation.run(
            iter(
                first_images(
                    data.splits["train"], data.spec.size, batch_size, config.seed, MOST_IMAGES
                )
            )
        )
