"""A residual connection: what goes in is added to what comes out (https://arxiv.org/abs/1512.03385)."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

Shape = tuple[int | None, ...]


class BodyError(ValueError):
    """One of the layers inside does not fit what comes before it.

    Attributes:
        index: of the layer in the body.
        shape: of its input.
        error: what it raised.
    """

    def __init__(self, index: int, shape: Shape, error: Exception) -> None:
        super().__init__(str(error))
        self.index, self.shape, self.error = index, shape, error


class Residual(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """Adds its input to the output of its body, and applies an activation to the sum.

    Attributes:
        body: the `keras.Sequential` of the layers.
        projection: what the input passes where the shapes differ, else None: a 1x1 convolution
            whose stride is ceil(in / out), or a Dense for rows; without bias.
    """

    def __init__(
        self,
        layers: Sequence[keras.Layer],
        activation: Callable[[tf.Tensor], tf.Tensor],
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(**kwargs)
        self.body = keras.Sequential(list(layers))
        self.activation = activation
        self.projection: keras.Layer | None = None

    def build(self, input_shape: Shape) -> None:
        """Builds the body and, where the shapes differ, the projection.

        Raises:
            BodyError: if a layer of the body does not fit.
            ValueError: if no projection gives the body's output shape.
        """
        output_shape = self._build_body(input_shape)
        if output_shape[1:] != input_shape[1:]:
            self.projection = _projection(input_shape, output_shape, self.dtype_policy)
            self.projection.build(input_shape)
        super().build(input_shape)

    def _build_body(self, input_shape: Shape) -> Shape:
        images = keras.KerasTensor(input_shape, dtype=self.compute_dtype)
        for index, layer in enumerate(self.body.layers):
            try:
                images = layer(images)
            except (ValueError, tf.errors.InvalidArgumentError) as error:
                raise BodyError(index, images.shape, error) from error
        self.body.build(input_shape)
        return tuple(images.shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Returns the shape of the body's output."""
        return tuple(self.body.compute_output_shape(input_shape))

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Returns activation(input + body(input)), the input projected where shapes differ."""
        skipped = inputs if self.projection is None else self.projection(inputs)
        body = self.body(inputs, training=training)
        # A float32 layer at the body's end would not add to bfloat16.
        total = tf.cast(skipped, self.compute_dtype) + tf.cast(body, self.compute_dtype)
        return self.activation(total)


def _projection(before: Shape, after: Shape, dtype: keras.DTypePolicy) -> keras.Layer:
    if len(before) == len(after) == 2:  # noqa: PLR2004 - [batch, number]
        return keras.layers.Dense(after[-1], use_bias=False, dtype=dtype)
    if len(before) != len(after):
        raise ValueError(
            f"its layers turn {_text(before)} into {_text(after)}, which cannot be added; "
            "move Flatten or the pooling behind it"
        )
    pairs = [(int(i or 0), int(o or 0)) for i, o in zip(before[1:-1], after[1:-1], strict=True)]
    strides = [math.ceil(large / small) for large, small in pairs]
    given = [math.ceil(large / stride) for (large, _), stride in zip(pairs, strides, strict=True)]
    if given != [small for _, small in pairs]:
        raise ValueError(
            f"its layers turn {_text(before)} into {_text(after)}, which no stride of a 1x1 "
            "convolution does; use padding: same inside"
        )
    return keras.layers.Conv2D(after[-1], 1, strides=strides, use_bias=False, dtype=dtype)


def _text(shape: Shape) -> str:
    return "x".join(map(str, shape[1:]))
