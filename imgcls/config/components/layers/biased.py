"""What convolutions and Dense share: a bias and an activation behind their kernel."""

from collections.abc import Iterator

from imgcls.config.components.activations import ActivationName
from imgcls.config.components.initializers import Initializer, Zeros
from imgcls.config.components.layers.layer import Layer
from imgcls.config.components.regularizers import Regularizer


class Biased(Layer, abstract=True):
    """A layer that adds a bias to what its kernel gives, and applies an activation."""

    activation: ActivationName = "linear"
    """The function that its output goes through."""
    use_bias: bool = True
    """Whether a learned number is added to each output channel; a normalisation right behind makes
    it useless."""
    bias_initializer: Initializer = Zeros()
    """The bias before the first step."""
    bias_regularizer: Regularizer | None = None
    """A penalty on the bias, added to the loss."""

    def rules(self) -> Iterator[tuple[str, str]]:  # noqa: D102 - of Section
        if not self.use_bias:
            yield from self.idle(("bias_initializer", "bias_regularizer"), "use_bias: false")
