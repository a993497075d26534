"""Convolutions whose kernel's gradient is computed faster where the library's own is slow."""

import keras
import tensorflow as tf

from imgcls.ops import processor, winograd

FEWEST_CHANNELS = 64
"""In and out. With fewer, what is saved is lost to the transforms (docs/experiments.md)."""

FEWEST_PRODUCTS = 5 * 10**6
"""Multiplications of an image with all kernels. With fewer, it is lost to calls."""


def is_faster(flags: set[str]) -> bool:
    """Whether Winograd's gradient is the faster one, on a processor with these flags.

    With AVX2 and no more oneDNN computes a kernel's gradient at half the speed of the convolution
    itself; for AVX-512 it has newer ways.
    """
    return "avx2" in flags and "avx512f" not in flags


class Conv2D(keras.layers.Conv2D):  # type: ignore[misc]  # no types
    """`keras.layers.Conv2D`, but for how the gradient of its kernel is computed.

    That is Winograd's for a 3x3 kernel with stride 1 over many channels in float32; what a network
    says of an image does not depend on it. It has the class name of Keras' layer so that variables
    have the same paths.

    Attributes:
        faster: whether Winograd's gradient is used where it can be.
    """

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        on_gpu = bool(tf.config.list_physical_devices("GPU"))
        self.faster = is_faster(processor.flags()) and not on_gpu

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        """Returns the convolution, without bias; `kernel` is [height, width, channel, filter]."""
        if not (self.faster and self._fits(inputs)):
            return super().convolution_op(inputs, kernel)
        padding = self.padding

        @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def convolved(images: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, object]:
            def backward(gradients: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                of_images = tf.raw_ops.Conv2DBackpropInput(
                    input_sizes=tf.shape(images),
                    filter=kernel,
                    out_backprop=gradients,
                    strides=[1, 1, 1, 1],
                    padding=padding.upper(),
                )
                return of_images, winograd.kernel_gradient(images, gradients, padding)

            return tf.nn.conv2d(images, kernel, 1, padding.upper()), backward

        return convolved(tf.convert_to_tensor(inputs), tf.convert_to_tensor(kernel))

    def _fits(self, inputs: tf.Tensor) -> bool:
        _, height, width, channels = inputs.shape
        return bool(
            self.kernel_size == (3, 3)
            and self.strides == self.dilation_rate == (1, 1)
            and self.groups == 1
            and self.data_format == "channels_last"
            and self.compute_dtype == "float32"
            and min(channels, self.filters) >= FEWEST_CHANNELS
            and height * width * channels * self.filters * 9 >= FEWEST_PRODUCTS
        )
