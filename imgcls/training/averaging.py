"""Averages of the weights during training."""

import numpy as np
import tensorflow as tf

from imgcls.config.components.averages import Average
from imgcls.network.network import Network
from imgcls.network.normalization_statistics import normalizations

ONE_COPY = tf.VariableAggregation.ONLY_FIRST_REPLICA


class Averaging:
    """An average of all weights of a network, trained or frozen; create it in the strategy's scope.

    Args:
        average: the config's average.
        network: the network whose weights are averaged.

    Attributes:
        average: the config's average.
        variables: the averages by the names of the network's variables. They include the statistics
            of batch normalization, which are only ever recomputed, but no seeds.
    """

    def __init__(self, average: Average, network: Network) -> None:
        self.average = average
        self._network = network
        self.variables = {
            # Starting from zeros, the first update gives exactly the weights.
            name: tf.Variable(tf.zeros(variable.shape), trainable=False, aggregation=ONE_COPY)
            for name, variable in network.variables.items()
            if variable.dtype.startswith("float")
        }
        self._statistics = [
            f"{key}/{variable.name}"
            for key, layer in normalizations(network).items()
            for variable in (layer.moving_mean, layer.moving_variance)
        ]
        self._updated = [name for name in self.variables if name not in self._statistics]
        self._count = tf.Variable(0, trainable=False, dtype=tf.int64, aggregation=ONE_COPY)

    @property
    def count(self) -> int:
        """The number of updates so far; at 0, there is no average yet."""
        return int(self._count.numpy())

    @count.setter
    def count(self, count: int) -> None:
        self._count.assign(count)

    def update(self) -> None:
        """Updates the average with the current weights; may be called inside a step."""
        self._count.assign_add(1)
        share = tf.cast(
            self.average.share(tf.cast(self._count.read_value(), tf.float64)), tf.float32
        )
        for name in self._updated:
            mean, weight = self.variables[name], self._network.variables[name].value
            mean.assign_add((weight - mean) * share)

    def copy_statistics(self) -> None:
        """Copies the network's own batch normalization statistics."""
        for name in self._statistics:
            self.variables[name].assign(np.asarray(self._network.variables[name]))

    def swap(self) -> None:
        """Swaps the weights and their averages; a second call swaps them back."""
        for name, mean in self.variables.items():
            variable = self._network.variables[name]
            weight = np.asarray(variable)
            variable.assign(mean.numpy())
            mean.assign(weight)
