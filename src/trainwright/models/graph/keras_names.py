"""Names of Keras for layers and their parameters, where they are natural."""

from __future__ import annotations

import re
from typing import Any

_TYPES = {
    "linear": "dense",
    "fullyconnected": "dense",
    "convolution": "conv",
    "conv_transposed": "conv_transpose",
    "convtranspose": "conv_transpose",
    "maxpooling": "max_pool",
    "maxpool": "max_pool",
    "averagepooling": "avg_pool",
    "avgpool": "avg_pool",
    "avg_pooling": "avg_pool",
    "globalaveragepooling": "global_avg_pool",
    "globalavgpool": "global_avg_pool",
    "globalmaxpooling": "global_max_pool",
    "globalmaxpool": "global_max_pool",
    "batchnormalization": "batch_norm",
    "batchnorm": "batch_norm",
    "layernormalization": "layer_norm",
    "layernorm": "layer_norm",
    "groupnormalization": "group_norm",
    "groupnorm": "group_norm",
    "upsampling": "upsample",
    "concatenate": "concat",
    "average": "mean",
    "spatialdropout": "spatial_dropout",
    "zeropadding": "zero_pad",
    "gaussiannoise": "gaussian_noise",
    "leakyrelu": "leaky_relu",
    "onehot": "one_hot",
}

_COMMON_PARAMETERS = {
    "kernel_initializer": "initializer",
    "embeddings_initializer": "initializer",
    "kernel_regularizer": "regularizer",
    "embeddings_regularizer": "regularizer",
    "kernel_constraint": "constraint",
    "embeddings_constraint": "constraint",
    "use_bias": "bias",
}
_PARAMETERS = {
    "conv": {"kernel_size": "kernel", "strides": "stride", "dilation_rate": "dilation"},
    "conv_transpose": {"kernel_size": "kernel", "strides": "stride"},
    "max_pool": {"pool_size": "size", "strides": "stride"},
    "avg_pool": {"pool_size": "size", "strides": "stride"},
    "batch_norm": {"epsilon": "eps"},
    "layer_norm": {"epsilon": "eps"},
    "group_norm": {"epsilon": "eps"},
    "embedding": {"input_dim": "classes", "output_dim": "width"},
    "upsample": {"size": "factor"},
    "reshape": {"target_shape": "shape"},
    "permute": {"dims": "order"},
    "gaussian_noise": {"stddev": "std"},
}


def layer_type(name: str) -> str:
    """Our name of a layer's type: `Conv2D`, `conv2d` and `conv` are all `conv`."""
    if ":" in name:
        return name
    plain = re.sub(r"_?[123]d(?=$|_|transpose)", "", name.lower())
    squeezed = plain.replace("_", "")
    return _TYPES.get(plain) or _TYPES.get(squeezed) or plain


def parameter_names(kind: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """The same parameters under our names."""
    known = {**_COMMON_PARAMETERS, **_PARAMETERS.get(kind, {})}
    return {known.get(name, name): value for name, value in parameters.items()}
