"""The common fields of convolutions and Dense: a bias and an activation."""

from collections.abc import Iterator

from imgcls.config.components.activations import ActivationName
from imgcls.config.components.initializers import Initializer, Zeros
from imgcls.config.components.layers.layer import Layer
from imgcls.config.components.regularizers import Regularizer


class Biased(Layer, abstract=True):
    """A layer with a kernel, a bias and an activation."""

    activation: ActivationName = "linear"
    """Activation function of the output."""
    use_bias: bool = True
    """Whether to add a learned bias to each output channel; redundant right before a
    normalization."""
    bias_initializer: Initializer = Zeros()
    """Initializer of the bias."""
    bias_regularizer: Regularizer | None = None
    """Regularizer of the bias."""

    def rules(self) -> Iterator[tuple[str, str]]:  # noqa: D102 - of Section
        if not self.use_bias:
            yield from self.idle(("bias_initializer", "bias_regularizer"), "use_bias: false")
