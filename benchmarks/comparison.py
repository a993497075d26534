"""Defines a comparison: its contenders, the figure that is compared, and the target ratio."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["bfloat16", "float32"]
"""The kind of machine: a processor with or without matrix units for bfloat16."""

KINDS: tuple[Kind, ...] = ("bfloat16", "float32")


@dataclass(frozen=True)
class Contender:
    """One of the programs that are compared.

    Attributes:
        name: the name shown on the page.
        command: a module and its arguments; it runs in a process of its own and prints its figures
            as one line of JSON. `{precision}` and `{photos}` are replaced by their values.
        python: the Python that runs it: that of imgcls, or one that has PyTorch.
        environment: additional environment variables.
    """

    name: str
    command: tuple[str, ...]
    python: Literal["imgcls", "torch"] = "imgcls"
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """The value that a ratio has to reach or, with `at_most`, must not exceed."""

    value: float
    at_most: bool = False

    def is_met(self, value: float) -> bool:
        """Returns whether a measured value meets the target."""
        return value <= self.value if self.at_most else value >= self.value

    def __str__(self) -> str:
        return f"at {'most' if self.at_most else 'least'} {self.value:g}"


@dataclass(frozen=True)
class Comparison:
    """A claim about speed or size, and how it is measured.

    Attributes:
        name: the name on the command line.
        title: a description of what is compared.
        contenders: the first is imgcls, whose figure is divided by that of each of the others. If
            there is only one contender, the target refers to its figure.
        figure: the key of the figure in the JSON lines.
        unit: the unit of the figure.
        targets: the targets for the ratio to the second contender, by kind of machine.
    """

    name: str
    title: str
    contenders: tuple[Contender, ...]
    figure: str = "images_per_second"
    unit: str = "images/s"
    targets: dict[Kind, Target] = field(default_factory=dict)
