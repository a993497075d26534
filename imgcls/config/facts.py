"""What a config cannot know: the data's and the machine's side of a build."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Facts:
    """What only the data and the machine tell, given to whatever a config builds.

    Attributes:
        classes: how many there are.
        mean: of the training images in 0..1, one a channel.
        variance: of the training images in 0..1, one a channel.
        replicas: on how many devices each batch is divided.
    """

    classes: int
    mean: tuple[float, ...] = ()
    variance: tuple[float, ...] = ()
    replicas: int = 1
