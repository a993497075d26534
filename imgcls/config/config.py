"""The root of the config: its sections, and the rules that involve several of them."""

from collections.abc import Iterator
from typing import Annotated

from annotated_types import Ge, Le, MinLen

from imgcls.config import stack
from imgcls.config.components.augmentations import Augmentation
from imgcls.config.components.datasets import Dataset
from imgcls.config.components.layers import Layer
from imgcls.config.components.layers.nested import MOST_LAYERS
from imgcls.config.components.layers.selection import WANTED, unknown
from imgcls.config.components.losses import CategoricalCrossentropy, Loss
from imgcls.config.components.optimizers import Adam, Optimizer
from imgcls.config.components.schedules import Schedule
from imgcls.config.components.training import ResolvedStage, Training
from imgcls.config.language.registry import Section

Seed = Annotated[int, Ge(0), Le(2**31 - 1)]
"""A seed: a non-negative integer of 31 bits, which Keras and NumPy accept."""


class Config(Section):
    """A training run: the data, the augmentation, the network and how it is trained.

    Only `dataset` and `layers` are required.
    """

    dataset: Dataset
    """The labeled images, their split and the size that the network receives."""
    augmentation: tuple[Augmentation, ...] = ()
    """Random transformations of the training images, in this order."""
    layers: Annotated[tuple[Layer, ...], MinLen(1)]
    """The network: a stack of layers from the image to one output per class."""
    optimizer: Optimizer = Adam()
    """The optimizer that updates the weights."""
    loss: Loss = CategoricalCrossentropy()
    """The loss function that training minimizes."""
    training: Training = Training()
    """Epochs, batch size, devices, stages, early stopping and the best epoch."""
    seed: Seed = 0
    """Random seed. Runs with the same seed on the same hardware and versions are bit-identical."""

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the violated rules that involve several sections."""
        if (count := sum(layer.count for layer in self.layers)) > MOST_LAYERS:
            yield "layers", f"must have at most {MOST_LAYERS:,} layers in total, got {count:,}"
            return  # the other rules expand every Repeat
        yield from stack.mistakes(self.layers)
        yield from self._unmeasured()
        yield from stack.misplaced(self.layers)
        layers = tuple(stack.every(self.layers))
        for stage in self.stages:
            for key in unknown(stage.train, layers):
                yield f"{stage.key}.train", f"unknown layer {key!r}; write {WANTED}"
            yield from _schedule(stage)
        average = self.training.average
        if average is not None and average.first_epoch > self.epochs:
            key = f"training.average.{average.identifier()}.start_epoch"
            yield key, f"must be less than the {self.epochs} epochs, got {average.first_epoch - 1}"

    @property
    def stages(self) -> tuple[ResolvedStage, ...]:
        """The stages of training, in order."""
        return self.training.resolved(self.optimizer)

    @property
    def epochs(self) -> int:
        """The number of epochs of all stages together."""
        return sum(stage.epochs for stage in self.stages)

    def _unmeasured(self) -> Iterator[tuple[str, str]]:
        """Yields a violated rule for each setting that needs validation images but has none."""
        if self.dataset.validation != "none":
            return
        if self.training.evaluate_every != 1:
            yield "training.evaluate_every", "no effect with dataset.validation: none"
        if self.training.best.startswith("val_") and self.training.best != "val_accuracy":
            message = f"{self.training.best} is never measured with dataset.validation: none"
            yield "training.best", message
        for name in ("early_stopping", "reduce_lr_on_plateau"):
            for stage in self.stages:
                section = getattr(stage, name)
                if section is not None and section.monitor.startswith("val_"):
                    key = "training" if section is getattr(self.training, name) else stage.key
                    message = f"{section.monitor} is never measured with dataset.validation: none"
                    yield f"{key}.{name}.monitor", message


def _schedule(stage: ResolvedStage) -> Iterator[tuple[str, str]]:
    schedule = stage.optimizer.learning_rate
    if not isinstance(schedule, Schedule):
        return
    if message := schedule.check_length(stage.epochs):
        yield stage.learning_rate_key, message
    if stage.reduce_lr_on_plateau is not None:
        message = "cannot be combined with a learning rate schedule; leave one of them out"
        yield f"{stage.key}.reduce_lr_on_plateau", message
