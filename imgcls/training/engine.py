"""The step engine: several optimizer steps per call, on one device or several.

Keras' `fit` clips before the reduction, cannot resume inside an epoch, and counts a phantom step on
datasets of unknown length (https://github.com/keras-team/keras/issues/23084); this is a custom
loop on the public API of tf.distribute, equal to `fit` where `fit` is right (a test compares them).
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from imgcls.config.components.losses import Loss
from imgcls.config.components.optimizers import Optimizer
from imgcls.data.batch_source import BatchSource
from imgcls.network.network import Network
from imgcls.ops.loss_scale import LossScale
from imgcls.ops.memory import enough_memory
from imgcls.ops.scaled_schedule import ScaledSchedule
from imgcls.training.averaging import Averaging

LOSS, CORRECT, IMAGES = range(3)  # the columns of what `advance` returns

COMPILED_WEIGHTS = 4 * 10**6
"""Number of weights from which on their update is compiled: with Adam, this reduces about twenty
passes through memory to seven. With fewer weights a step is no faster: they stay in the caches, and
each is updated as soon as its gradient is available (docs/experiments.md)."""


@dataclass(frozen=True)
class StageOptimizer:
    """The optimizer of a stage.

    Attributes:
        keras: the Keras optimizer, without clipping.
        config: the config's optimizer, whose clipping fields are applied after the reduction.
        schedule: its learning rate schedule, if that can be scaled, or None.
    """

    keras: keras.optimizers.Optimizer
    config: Optimizer
    schedule: ScaledSchedule | None = None


class Engine:
    """Takes steps with a network, an optimizer and a loss: one stage of a training.

    Which layers are trainable is read when the engine is created and when the first step is traced,
    and must not change after that.

    Args:
        network: the network, with `trainable` already set on its layers.
        optimizer: the optimizer of the stage.
        loss: the loss function.
        strategy: the strategy in whose scope the network and the optimizer were created.
        batch_source: the source of the batches.
        averaging: an average that is updated after each step, or None.
        xla: whether XLA compiles the step.
    """

    def __init__(
        self,
        network: Network,
        optimizer: StageOptimizer,
        loss: Loss,
        strategy: tf.distribute.Strategy,
        batch_source: BatchSource,
        *,
        averaging: Averaging | None = None,
        xla: bool = False,
    ) -> None:
        self._network = network
        self._model = network.model
        self._weights = network.model.trainable_variables
        self._optimizer = optimizer.keras
        self._clipping = optimizer.config
        self._loss = loss
        self._strategy = strategy
        self._replicas = int(strategy.num_replicas_in_sync)
        self._batch_source = batch_source
        self._averaging = averaging
        self._schedule = optimizer.schedule
        self._device = strategy.extended.worker_devices[0]
        with strategy.scope(), enough_memory("for the optimizer's state"):
            self._optimizer.build(self._weights)
            in_float16 = any(each.layer.compute_dtype == "float16" for each in network.layers)
            self._scale = LossScale() if in_float16 else None
        self._step = (
            tf.function(self._replica_step, jit_compile=True, autograph=False)
            if xla
            else self._replica_step
        )
        self._update = self._updating()
        # AutoGraph would take longer to rewrite the source than tracing takes.
        self._advance = tf.function(self._steps, autograph=False)

    def batches(self, steps: range) -> Iterator[Any]:
        """Returns the batches of these steps, counted over the whole training."""
        return iter(self._batch_source.batches(steps))

    def advance(self, batches: Iterator[Any], steps: int) -> NDArray[np.float64]:
        """Takes steps and returns the sums of each step.

        Args:
            batches: the iterator of `batches`, with at least `steps` elements left.
            steps: the number of steps; how they are divided into calls does not affect the result.

        Returns:
            float64 [step, 3]: the loss summed over the images (regularization included, as Keras
            reports it), the number of correctly classified images, and the number of images.

        Raises:
            ResourceError: if there is not enough memory; the step may be partly applied.
        """
        with enough_memory("in a training step"):
            rows = self._advance(batches, tf.constant(steps, tf.int32))
        return np.asarray(rows, np.float64)

    @property
    def optimizer_state(self) -> dict[str, Any]:
        """The variables of the optimizer, except the learning rate, and of the loss scale.

        They are numbered: the names of Keras are not unique, and some are meaningless.
        """
        own = [each for each in self._optimizer.variables if each.name != "learning_rate"]
        own += self._scale.variables if self._scale else []
        return {f"{number:06d}": each for number, each in enumerate(own)}

    @property
    def rate(self) -> float | None:
        """The learning rate state: the rate itself, the factor of a scaled schedule, or None."""
        if self._schedule is not None:
            return float(self._schedule.factor.numpy())
        is_state = any(each.name == "learning_rate" for each in self._optimizer.variables)
        return self.learning_rate if is_state else None

    @rate.setter
    def rate(self, rate: float) -> None:
        if self._schedule is not None:
            self._schedule.factor.assign(rate)
        else:
            self.learning_rate = rate

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return float(np.asarray(self._optimizer.learning_rate))

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        self._optimizer.learning_rate = rate

    def _steps(self, batches: Iterator[Any], steps: tf.Tensor) -> tf.Tensor:
        def one(number: tf.Tensor, rows: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            batch = next(batches)
            if self._batch_source.finish is not None:
                batch = self._strategy.run(self._batch_source.finish, args=batch)
            # Reduced here, because per-replica values cannot be carried through a loop.
            row = self._strategy.run(self._step, args=batch)
            return number + 1, rows.write(number, self._strategy.reduce("SUM", row, axis=None))

        rows = tf.TensorArray(tf.float32, size=steps, element_shape=(3,))
        _, rows = tf.while_loop(lambda number, _: number < steps, one, (0, rows))
        return rows.stack()

    def _replica_step(self, images: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        batch = tf.cast(tf.shape(weights)[0], tf.float32)
        if self._replicas > 1:
            images, targets, weights = map(self._share, (images, targets, weights))
        with tf.GradientTape() as tape:
            logits = tf.cast(self._model(images, training=True), tf.float32)
            loss = tf.reduce_sum(self._loss.per_image(targets, logits) * weights) / batch
            if self._network.is_regularized:
                # Each replica adds its part, so that the sum over replicas counts it once.
                loss += self._network.regularization_loss() / self._replicas
            scaled = self._scale.scaled(loss) if self._scale else loss
        gradients = tape.gradient(scaled, self._weights)
        if self._scale:
            self._scale.update(self._scale.unscaled(gradients), self._apply)
        else:
            self._apply(gradients)
        right = tf.equal(tf.argmax(logits, axis=1), tf.argmax(targets, axis=1))
        images_here = tf.cast(tf.shape(weights)[0], tf.float32)
        return tf.stack([loss * batch, tf.reduce_sum(tf.cast(right, tf.float32)), images_here])

    def _apply(self, gradients: list[tf.Tensor]) -> None:
        self._update(self._clipped(gradients))

    def _updating(self) -> Callable[[list[tf.Tensor]], None]:
        """Returns the function that applies gradients to the weights and updates the average."""
        weights = self._weights

        def update(gradients: list[tf.Tensor]) -> None:
            self._optimizer.apply_gradients(zip(gradients, weights, strict=True))
            if self._averaging is not None:
                self._averaging.update()

        size = sum(math.prod(each.shape) for each in weights)
        if size < COMPILED_WEIGHTS or "CPU" not in self._device or self._replicas > 1:
            return update
        compiled: Callable[[list[tf.Tensor]], None] = tf.function(
            update, jit_compile=True, autograph=False
        )
        return compiled

    def _share(self, batch: tf.Tensor) -> tf.Tensor:
        """Returns this replica's slice of a global batch; sizes differ by at most one image."""
        count = tf.shape(batch)[0]
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        begin = count * replica // self._replicas
        return batch[begin : count * (replica + 1) // self._replicas]

    def _clipped(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        """Returns the gradients, clipped as in Keras but after the reduction over the replicas."""
        clipping = self._clipping
        if clipping.clipnorm is clipping.clipvalue is clipping.global_clipnorm is None:
            return gradients
        if self._replicas > 1:
            context = tf.distribute.get_replica_context()
            gradients = context.all_reduce("SUM", gradients)
        if clipping.clipnorm is not None:
            gradients = [tf.clip_by_norm(gradient, clipping.clipnorm) for gradient in gradients]
        elif clipping.clipvalue is not None:
            most = clipping.clipvalue
            gradients = [tf.clip_by_value(gradient, -most, most) for gradient in gradients]
        else:
            gradients, _ = tf.clip_by_global_norm(gradients, clipping.global_clipnorm)
        # The optimizer sums over the replicas again.
        return [gradient / self._replicas for gradient in gradients]
