"""The plan of training: the stages, their layers and their epochs. Values only."""

from collections.abc import Sequence
from dataclasses import dataclass

from imgcls.config.components.layers.building import BuiltLayer
from imgcls.config.components.layers.selection import selected
from imgcls.config.components.training import ResolvedStage
from imgcls.config.config import Config
from imgcls.data.pipeline import steps_per_pass
from imgcls.errors import ConfigError


@dataclass(frozen=True)
class PlannedStage:
    """One stage.

    Attributes:
        settings: its settings in the config.
        trained: the keys of the layers whose weights are updated.
    """

    settings: ResolvedStage
    trained: frozenset[str]


@dataclass(frozen=True)
class Plan:
    """The stages of training.

    Attributes:
        stages: the stages in order.
        steps_per_epoch: the number of steps per epoch, equal in all stages.
    """

    stages: tuple[PlannedStage, ...]
    steps_per_epoch: int

    @property
    def epochs(self) -> int:
        """The number of epochs of all stages, if none ends early."""
        return sum(stage.settings.epochs for stage in self.stages)

    def epochs_left(self, stage: int) -> int:
        """Returns the number of epochs of the stages after this one."""
        return sum(each.settings.epochs for each in self.stages[stage + 1 :])


def steps_per_epoch(config: Config, images: int) -> int:
    """Returns the number of steps per epoch for a number of training images."""
    training = config.training
    return training.steps_per_epoch or steps_per_pass(images, training.batch_size)


def plan_of(config: Config, images: int, built: Sequence[BuiltLayer]) -> Plan:
    """Returns the plan of a config.

    Args:
        config: the config.
        images: the number of training images.
        built: all layers of its network.

    Raises:
        ConfigError: if a stage would train nothing.
    """
    stages = []
    for stage in config.stages:
        trained = selected(stage.train, built)
        if not any(each.layer.trainable_variables for each in built if each.key in trained):
            raise ConfigError.at(
                f"{stage.key}.train", "selects no layer whose weights can be trained"
            )
        stages.append(PlannedStage(stage, trained))
    return Plan(tuple(stages), steps_per_epoch(config, images))
