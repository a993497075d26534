"""The layers that a config may stack, a module a family.

A class in one of these modules is known by itself; it is named here for those who import it.
"""

from imgcls.config.layers.convolutions import Conv2D as Conv2D
from imgcls.config.layers.convolutions import DepthwiseConv2D as DepthwiseConv2D
from imgcls.config.layers.convolutions import SeparableConv2D as SeparableConv2D
from imgcls.config.layers.dense import Dense as Dense
from imgcls.config.layers.dense import Flatten as Flatten
from imgcls.config.layers.dropouts import Dropout as Dropout
from imgcls.config.layers.dropouts import GaussianNoise as GaussianNoise
from imgcls.config.layers.dropouts import SpatialDropout2D as SpatialDropout2D
from imgcls.config.layers.layer import Layer as Layer
from imgcls.config.layers.nested import Repeat as Repeat
from imgcls.config.layers.nested import Residual as Residual
from imgcls.config.layers.nonlinearities import ELU as ELU
from imgcls.config.layers.nonlinearities import Activation as Activation
from imgcls.config.layers.nonlinearities import LeakyReLU as LeakyReLU
from imgcls.config.layers.nonlinearities import PReLU as PReLU
from imgcls.config.layers.nonlinearities import ReLU as ReLU
from imgcls.config.layers.nonlinearities import Softmax as Softmax
from imgcls.config.layers.normalisations import BatchNormalization as BatchNormalization
from imgcls.config.layers.normalisations import GroupNormalization as GroupNormalization
from imgcls.config.layers.normalisations import LayerNormalization as LayerNormalization
from imgcls.config.layers.poolings import AveragePooling2D as AveragePooling2D
from imgcls.config.layers.poolings import GlobalAveragePooling2D as GlobalAveragePooling2D
from imgcls.config.layers.poolings import GlobalMaxPooling2D as GlobalMaxPooling2D
from imgcls.config.layers.poolings import MaxPooling2D as MaxPooling2D
from imgcls.config.layers.scalings import Normalization as Normalization
from imgcls.config.layers.scalings import Rescaling as Rescaling
from imgcls.config.layers.shapes import Cropping2D as Cropping2D
from imgcls.config.layers.shapes import UpSampling2D as UpSampling2D
from imgcls.config.layers.shapes import ZeroPadding2D as ZeroPadding2D
