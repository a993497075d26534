"""What a comparison is: contenders, the figure that is compared, and the ratio it has to reach."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["bfloat16", "float32"]
"""Of machine: a processor with matrix units for bfloat16, or without."""

KINDS: tuple[Kind, ...] = ("bfloat16", "float32")


@dataclass(frozen=True)
class Contender:
    """One of the programs that are compared.

    Attributes:
        name: for people.
        command: a module and its arguments, run as a process of its own, which prints one line of
            JSON with its figures. `{precision}` and `{photos}` in it are filled in.
        python: which one runs it: that of imgcls, or one that has PyTorch.
        environment: variables that it is given.
    """

    name: str
    command: tuple[str, ...]
    python: Literal["imgcls", "torch"] = "imgcls"
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """What a ratio has to reach, or may not exceed."""

    value: float
    at_most: bool = False

    def is_met(self, value: float) -> bool:
        """Returns whether a measured value is good enough."""
        return value <= self.value if self.at_most else value >= self.value

    def __str__(self) -> str:
        return f"at {'most' if self.at_most else 'least'} {self.value:g}"


@dataclass(frozen=True)
class Comparison:
    """A claim about speed or size, and how it is measured.

    Attributes:
        name: on the command line.
        title: what is compared, for people.
        contenders: the first is imgcls, whose figure is divided by that of each of the others. One
            alone is not compared: the target is for its figure itself.
        figure: the key of the JSON lines that is compared.
        unit: of the figure.
        targets: for the ratio to the second contender, by kind of machine.
    """

    name: str
    title: str
    contenders: tuple[Contender, ...]
    figure: str = "images_per_second"
    unit: str = "images/s"
    targets: dict[Kind, Target] = field(default_factory=dict)
