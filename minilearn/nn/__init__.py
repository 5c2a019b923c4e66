"""Modules: layers, containers and losses with torch.nn's names, arguments and `state_dict` keys."""

import sys

from .. import functional
from . import init, parametrize
from .activation import (
    GELU,
    GLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    Sigmoid,
    SiLU,
    Softmax,
    Softmax2d,
    Softmin,
    Softplus,
    Softsign,
    Tanh,
    Tanhshrink,
)
from .adapters import Flatten, Identity, Lambda, Unflatten
from .attention import MultiheadAttention
from .blocks import (
    AdaptiveConcatPool2d,
    BatchNorm1dFlat,
    MergeLayer,
    PoolFlatten,
    SequentialEx,
    SigmoidRange,
    bn_drop_lin,
    conv_layer,
    init_default,
    res_block,
    sigmoid_range,
)
from .capture import Capture, in_channels, num_features, output_sizes
from .cells import GRUCell, LSTMCell, RNNCell
from .containers import (
    ModuleDict,
    ModuleList,
    ParameterDict,
    ParameterList,
    Sequential,
)
from .conv import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from .dropout import Dropout, Dropout1d, Dropout2d
from .linear import Bilinear, Embedding, Linear
from .loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CosineSimilarity,
    CrossEntropyLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from .module import Module
from .norm import (
    BatchNorm1d,
    BatchNorm2d,
    GroupNorm,
    InstanceNorm1d,
    InstanceNorm2d,
    LayerNorm,
)
from .parameter import Parameter
from .parametrizations import spectral_norm, weight_norm
from .pooling import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AvgPool1d,
    AvgPool2d,
    MaxPool1d,
    MaxPool2d,
)
from .rectifier import (
    CELU,
    ELU,
    SELU,
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    PReLU,
    ReLU,
    ReLU6,
    RReLU,
    Softshrink,
    Threshold,
)
from .recurrent import GRU, LSTM, RNN
from .self_attention import PooledSelfAttention2d, SelfAttention
from .spatial import (
    Fold,
    PixelShuffle,
    PixelUnshuffle,
    ReflectionPad1d,
    ReflectionPad2d,
    ReplicationPad1d,
    ReplicationPad2d,
    Unfold,
    Upsample,
    ZeroPad1d,
    ZeroPad2d,
)
from .summary import Summary, summary
from .upsampling import Blur, PixelShuffleICNR, ResizeConv

# As with torch: `import minilearn.nn.functional as F`.
sys.modules[f"{__name__}.functional"] = functional

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveConcatPool2d", "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d", "AvgPool1d", "AvgPool2d", "BCELoss", "BCEWithLogitsLoss", "BatchNorm1d",
    "BatchNorm1dFlat", "BatchNorm2d", "Bilinear", "Blur", "CELU", "Capture", "Conv1d", "Conv2d",
    "ConvTranspose1d", "ConvTranspose2d", "CosineSimilarity", "CrossEntropyLoss", "Dropout",
    "Dropout1d", "Dropout2d", "ELU", "Embedding", "Flatten", "Fold", "GELU", "GLU", "GRU",
    "GRUCell", "GroupNorm", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "HuberLoss",
    "Identity", "InstanceNorm1d", "InstanceNorm2d", "KLDivLoss", "L1Loss", "LSTM", "LSTMCell",
    "Lambda", "LayerNorm", "LeakyReLU", "Linear", "LogSigmoid", "LogSoftmax", "MSELoss",
    "MaxPool1d", "MaxPool2d", "MergeLayer", "Mish", "Module", "ModuleDict", "ModuleList",
    "MultiheadAttention", "NLLLoss", "PReLU", "Parameter", "ParameterDict", "ParameterList",
    "PixelShuffle", "PixelShuffleICNR", "PixelUnshuffle", "PoolFlatten", "PooledSelfAttention2d",
    "RNN", "RNNCell", "RReLU", "ReLU", "ReLU6", "ReflectionPad1d", "ReflectionPad2d",
    "ReplicationPad1d", "ReplicationPad2d", "ResizeConv", "SELU", "SelfAttention", "Sequential",
    "SequentialEx", "SiLU", "Sigmoid", "SigmoidRange", "SmoothL1Loss", "Softmax", "Softmax2d",
    "Softmin", "Softplus", "Softshrink", "Softsign", "Summary", "Tanh", "Tanhshrink", "Threshold",
    "Unflatten", "Unfold", "Upsample", "ZeroPad1d", "ZeroPad2d", "bn_drop_lin", "conv_layer",
    "functional", "in_channels", "init", "init_default", "num_features", "output_sizes",
    "parametrize", "res_block", "sigmoid_range", "spectral_norm", "summary", "weight_norm",
]
