"""The result of `check`: the data, the network, and estimates from real steps."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imgcls.config.data_spec import DataSpec

if TYPE_CHECKING:
    from imgcls.network.layer_table import LayerRow


@dataclass(frozen=True)
class DataSummary:
    """The data as training will see it.

    Attributes:
        spec: classes and sizes.
        images: for each split, the number of images of each class.
        notes: one line each: splits that were made, files that were left out.
    """

    spec: DataSpec
    images: dict[str, tuple[int, ...]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckResult:
    """The result of `check`.

    Attributes:
        config: the path of the config.
        data: the data as training will see it.
        layers: the network, first layer first.
        loss: the loss of the first batch, before the step.
        step_seconds: the time per training step.
        epoch_seconds: the estimated time per epoch, including validation.
        seconds: the estimated time of the whole training.
        memory_bytes: the estimated peak memory of training, including the data.
    """

    config: str
    data: DataSummary
    layers: "tuple[LayerRow, ...]"
    loss: float
    step_seconds: float
    epoch_seconds: float
    seconds: float
    memory_bytes: int

    @property
    def parameters(self) -> int:
        """The number of parameters of the network."""
        return sum(layer.parameters for layer in self.layers if not layer.depth)

    @property
    def multiply_adds(self) -> int:
        """The number of multiply-adds per image in a forward pass."""
        return sum(layer.multiply_adds for layer in self.layers if not layer.depth)
