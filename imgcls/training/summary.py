"""What `check` returns: the config, the data, the network, one real step."""

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
        images: by split, how many images each class has.
        notes: one line each: splits that were made, files that were left out.
    """

    spec: DataSpec
    images: dict[str, tuple[int, ...]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckResult:
    """What `check` found out.

    Attributes:
        config: the file.
        data: the data as training will see it.
        layers: the network, first layer first.
        loss: of one real batch, before its step.
        step_seconds: of one step, forward and back.
        epoch_seconds: estimated, with validation.
        seconds: estimated for the whole training.
        memory_bytes: estimated peak of the training, data included.
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
        """How many the network has."""
        return sum(layer.parameters for layer in self.layers if not layer.depth)

    @property
    def multiply_adds(self) -> int:
        """Of one image's forward pass."""
        return sum(layer.multiply_adds for layer in self.layers if not layer.depth)
