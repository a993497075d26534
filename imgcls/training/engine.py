"""The step engine: K optimizer steps a call, on one device or on several.

Stock `fit` clips before the reduction, cannot go on inside an epoch, and counts a phantom step on
datasets of unknown length (https://github.com/keras-team/keras/issues/23084); this is a loop of our
own on the public API of tf.distribute, equal to `fit` where `fit` is right (a test compares them).
"""

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from imgcls.config.components.losses import Loss
from imgcls.config.components.optimizers import Optimizer
from imgcls.config.components.training import Training
from imgcls.data.batch_source import BatchSource
from imgcls.ops.loss_scale import LossScale
from imgcls.ops.memory import enough_memory

if TYPE_CHECKING:
    from imgcls.ops.scaled_schedule import ScaledSchedule

LOSS, CORRECT, IMAGES = range(3)  # the columns of what `advance` returns

COMPILED_WEIGHTS = 4 * 10**6
"""From so many weights on, their update is compiled: what goes through memory some twenty times in
Adam does so seven times then. With fewer, a step gains nothing: they stay in caches, and each is
updated as soon as its gradient is there (docs/experiments.md)."""


class Engine:
    """Takes steps with a model, an optimizer and a loss.

    Args:
        model: gives logits.
        optimizer: as Keras has it, without clipping.
        clipping: the config's optimizer, whose clipping fields are applied after the reduction.
        loss: one number an image.
        strategy: under whose scope the model and the optimizer were made.
        feed: where the batches come from.
        training: of which the average of the weights and the compilation of the step count here.
        class_weights: float32 [class], or None for equal weights.

    Attributes:
        feed: where the batches come from.
        lowered: the optimizer's schedule, where it is one that can be lowered.
    """

    def __init__(
        self,
        model: keras.Sequential,
        optimizer: keras.optimizers.Optimizer,
        clipping: Optimizer,
        loss: Loss,
        strategy: tf.distribute.Strategy,
        batch_source: BatchSource,
        training: Training,
        *,
        class_weights: NDArray[np.float32] | None = None,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self._clipping = clipping
        self._loss = loss
        self._strategy = strategy
        self.replicas = int(strategy.num_replicas_in_sync)
        self._class_weights = None if class_weights is None else tf.constant(class_weights)
        self._ema_decay = training.ema.decay if training.ema else None
        self.batch_source = batch_source
        self.scaled_schedule: ScaledSchedule | None = None
        self._device = strategy.extended.worker_devices[0]
        with strategy.scope(), enough_memory("for the optimizer's state"):
            optimizer.build(model.trainable_variables)
            in_float16 = any(layer.compute_dtype == "float16" for layer in model.layers)
            self._scale = LossScale() if in_float16 else None
            self.averages = [
                tf.Variable(
                    variable.value,
                    trainable=False,
                    aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
                )
                for variable in (model.trainable_variables if training.ema else ())
            ]
        self._step = (
            tf.function(self._replica_step, jit_compile=True, autograph=False)
            if training.xla
            else self._replica_step
        )
        self._update = self._updating()
        # AutoGraph would take longer to rewrite the source of all of it than all the tracing takes.
        self._advance = tf.function(self._steps, autograph=False)
        self._evaluate = tf.function(self._scores, reduce_retracing=True, autograph=False)

    def advance(self, batches: Iterator[Any], steps: int) -> NDArray[np.float64]:
        """Takes steps and returns the sums of each.

        Args:
            batches: of the feed; has at least `steps` more.
            steps: how many; the result does not depend on how they are divided into calls.

        Returns:
            float64 [step, 3]: the loss summed over the images (regularisation included, as Keras
            reports it), the images that were right, and the images.

        Raises:
            ResourceError: if memory does not suffice; the step may be half applied.
        """
        with enough_memory("in a training step"):
            rows = self._advance(batches, tf.constant(steps, tf.int32))
        return np.asarray(rows, np.float64)

    def evaluate(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[NDArray[Any], NDArray[Any]]:
        """Returns probabilities float32 [batch, class] and losses float32 [batch] of images."""
        with enough_memory("in an evaluation"), tf.device(self._device):
            probabilities, losses = self._evaluate(images, labels)
        return probabilities.numpy(), losses.numpy()

    def regularization_loss(self) -> float:
        """Returns the regularisation loss at the current weights."""
        return float(tf.add_n(self.model.losses)) if self.model.losses else 0.0

    def exchange_averages(self) -> None:
        """Swaps the weights and their averages; a second call swaps them back."""
        for variable, average in zip(self.model.trainable_variables, self.averages, strict=False):
            raw = np.asarray(variable)
            variable.assign(average.numpy())
            average.assign(raw)

    @property
    def optimizer_state(self) -> list[Any]:
        """The optimizer's variables but for the learning rate, and those of the loss' scale."""
        own = [each for each in self.optimizer.variables if each.name != "learning_rate"]
        return own + (self._scale.variables if self._scale else [])

    @property
    def rate(self) -> float | None:
        """What of the learning rate is state: itself, a lowered schedule's factor, or nothing."""
        if self.scaled_schedule is not None:
            return float(self.scaled_schedule.factor.numpy())
        is_state = any(each.name == "learning_rate" for each in self.optimizer.variables)
        return self.learning_rate if is_state else None

    @rate.setter
    def rate(self, rate: float) -> None:
        if self.scaled_schedule is not None:
            self.scaled_schedule.factor.assign(rate)
        else:
            self.learning_rate = rate

    @property
    def learning_rate(self) -> float:
        """The rate of the next step."""
        return float(np.asarray(self.optimizer.learning_rate))

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        self.optimizer.learning_rate = rate

    def _steps(self, batches: Iterator[Any], steps: tf.Tensor) -> tf.Tensor:
        def one(number: tf.Tensor, rows: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            batch = next(batches)
            if self.batch_source.finish is not None:
                batch = self._strategy.run(self.batch_source.finish, args=batch)
            # Reduced at once: a value a replica cannot be carried through a loop.
            row = self._strategy.run(self._step, args=batch)
            return number + 1, rows.write(number, self._strategy.reduce("SUM", row, axis=None))

        rows = tf.TensorArray(tf.float32, size=steps, element_shape=(3,))
        _, rows = tf.while_loop(lambda number, _: number < steps, one, (0, rows))
        return rows.stack()

    def _replica_step(self, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        batch = tf.cast(tf.shape(labels)[0], tf.float32)
        if self.replicas > 1:
            images, labels = self._share(images), self._share(labels)
        with tf.GradientTape() as tape:
            logits = tf.cast(self.model(images, training=True), tf.float32)
            losses = self._loss.per_image(labels, logits)
            if self._class_weights is not None:
                losses *= tf.gather(self._class_weights, labels)
            loss = tf.reduce_sum(losses) / batch
            if self.model.losses:
                # Each replica adds its part, so that the sum over replicas counts it once.
                loss += tf.add_n(self.model.losses) / self.replicas
            scaled = self._scale.scaled(loss) if self._scale else loss
        gradients = tape.gradient(scaled, self.model.trainable_variables)
        if self._scale:
            self._scale.update(self._scale.unscaled(gradients), self._apply)
        else:
            self._apply(gradients)
        right = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), labels)
        images_here = tf.cast(tf.shape(labels)[0], tf.float32)
        return tf.stack([loss * batch, tf.reduce_sum(tf.cast(right, tf.float32)), images_here])

    def _apply(self, gradients: list[tf.Tensor]) -> None:
        self._update(self._clipped(gradients))

    def _updating(self) -> Callable[[list[tf.Tensor]], None]:
        """Returns what updates the weights, and their averages, by the gradients."""
        weights = self.model.trainable_variables

        def update(gradients: list[tf.Tensor]) -> None:
            self.optimizer.apply_gradients(zip(gradients, weights, strict=True))
            self._average()

        size = sum(math.prod(each.shape) for each in weights)
        if size < COMPILED_WEIGHTS or "CPU" not in self._device or self.replicas > 1:
            return update
        compiled: Callable[[list[tf.Tensor]], None] = tf.function(
            update, jit_compile=True, autograph=False
        )
        return compiled

    def _share(self, batch: tf.Tensor) -> tf.Tensor:
        """This replica's slice of a global batch; sizes differ by one image at most."""
        count = tf.shape(batch)[0]
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        begin = count * replica // self.replicas
        return batch[begin : count * (replica + 1) // self.replicas]

    def _clipped(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        """Gradients clipped as Keras clips them, but after the reduction over the replicas."""
        clipping = self._clipping
        if clipping.clipnorm is clipping.clipvalue is clipping.global_clipnorm is None:
            return gradients
        if self.replicas > 1:
            context = tf.distribute.get_replica_context()
            gradients = context.all_reduce("SUM", gradients)
        if clipping.clipnorm is not None:
            gradients = [tf.clip_by_norm(gradient, clipping.clipnorm) for gradient in gradients]
        elif clipping.clipvalue is not None:
            most = clipping.clipvalue
            gradients = [tf.clip_by_value(gradient, -most, most) for gradient in gradients]
        else:
            gradients, _ = tf.clip_by_global_norm(gradients, clipping.global_clipnorm)
        # The optimizer sums over the replicas once more.
        return [gradient / self.replicas for gradient in gradients]

    def _average(self) -> None:
        if self._ema_decay is None:
            return
        for variable, average in zip(self.model.trainable_variables, self.averages, strict=True):
            average.assign_add((variable.value - average) * (1 - self._ema_decay))

    def _scores(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        logits = tf.cast(self.model(images, training=False), tf.float32)
        return tf.nn.softmax(logits), self._loss.per_image(labels, logits)
