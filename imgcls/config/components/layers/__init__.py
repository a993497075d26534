"""The layers that a config may name, one module per kind.

Importing a module adds its classes to the registry; they are re-exported here for importers.
"""

from imgcls.config.components.layers.convolutions import Conv2D as Conv2D
from imgcls.config.components.layers.convolutions import DepthwiseConv2D as DepthwiseConv2D
from imgcls.config.components.layers.convolutions import SeparableConv2D as SeparableConv2D
from imgcls.config.components.layers.dense import Dense as Dense
from imgcls.config.components.layers.dense import Flatten as Flatten
from imgcls.config.components.layers.dropouts import Dropout as Dropout
from imgcls.config.components.layers.dropouts import GaussianNoise as GaussianNoise
from imgcls.config.components.layers.dropouts import SpatialDropout2D as SpatialDropout2D
from imgcls.config.components.layers.layer import Layer as Layer
from imgcls.config.components.layers.nested import Repeat as Repeat
from imgcls.config.components.layers.nested import Residual as Residual
from imgcls.config.components.layers.nonlinearities import ELU as ELU
from imgcls.config.components.layers.nonlinearities import Activation as Activation
from imgcls.config.components.layers.nonlinearities import LeakyReLU as LeakyReLU
from imgcls.config.components.layers.nonlinearities import PReLU as PReLU
from imgcls.config.components.layers.nonlinearities import ReLU as ReLU
from imgcls.config.components.layers.nonlinearities import Softmax as Softmax
from imgcls.config.components.layers.normalizations import BatchNormalization as BatchNormalization
from imgcls.config.components.layers.normalizations import GroupNormalization as GroupNormalization
from imgcls.config.components.layers.normalizations import LayerNormalization as LayerNormalization
from imgcls.config.components.layers.poolings import AveragePooling2D as AveragePooling2D
from imgcls.config.components.layers.poolings import (
    GlobalAveragePooling2D as GlobalAveragePooling2D,
)
from imgcls.config.components.layers.poolings import GlobalMaxPooling2D as GlobalMaxPooling2D
from imgcls.config.components.layers.poolings import MaxPooling2D as MaxPooling2D
from imgcls.config.components.layers.scalings import Normalization as Normalization
from imgcls.config.components.layers.scalings import Rescaling as Rescaling
from imgcls.config.components.layers.shapes import Cropping2D as Cropping2D
from imgcls.config.components.layers.shapes import UpSampling2D as UpSampling2D
from imgcls.config.components.layers.shapes import ZeroPadding2D as ZeroPadding2D
