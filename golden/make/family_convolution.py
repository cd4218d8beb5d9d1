"""Convolutions, with each key that changes numbers away from its default."""

from case import layer_case
from keras import layers as L


def cases():
    one, two, three = (11, 3), (8, 9, 3), (6, 7, 8, 2)
    c = layer_case
    return [
        c("conv1d", lambda: L.Conv1D(4, 3), one, old=True, also=("weights-v3",)),
        c("conv1d-same-strides", lambda: L.Conv1D(4, 4, strides=3, padding="same", activation="relu"), one),
        c("conv1d-causal-dilation", lambda: L.Conv1D(4, 3, padding="causal", dilation_rate=2), one, old=True, also=("json-v3",)),
        c("conv1d-groups", lambda: L.Conv1D(6, 3, groups=3, use_bias=False), one),
        c("conv2d", lambda: L.Conv2D(4, 3, activation="relu"), two, old=True, also=("weights-v3", "json-v3")),
        c("conv2d-same", lambda: L.Conv2D(4, (2, 4), padding="same"), two, old=True),
        c("conv2d-strides-same", lambda: L.Conv2D(4, 3, strides=(2, 3), padding="same"), two),
        c("conv2d-strides-valid", lambda: L.Conv2D(4, (3, 2), strides=2, use_bias=False), two),
        c("conv2d-dilation", lambda: L.Conv2D(4, 3, dilation_rate=(2, 1), padding="same"), two),
        c("conv2d-groups", lambda: L.Conv2D(4, 3, groups=2), (8, 9, 4), old=True),
        c("conv3d", lambda: L.Conv3D(3, 3, activation="tanh"), three, old=True),
        c("conv3d-same-strides", lambda: L.Conv3D(3, (2, 3, 2), strides=2, padding="same"), three),
        c("depthwise-conv1d", lambda: L.DepthwiseConv1D(3, depth_multiplier=2, padding="same"), one),
        c("depthwise-conv2d", lambda: L.DepthwiseConv2D(3, depth_multiplier=2, activation="relu"), two, old=True, also=("weights-v3",)),
        c("depthwise-conv2d-strides", lambda: L.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False), two),
        c("depthwise-conv2d-dilation", lambda: L.DepthwiseConv2D(3, dilation_rate=2), two),
        c("separable-conv1d", lambda: L.SeparableConv1D(4, 3, depth_multiplier=2, padding="same", strides=2), one, old=True),
        c("separable-conv2d", lambda: L.SeparableConv2D(4, 3, depth_multiplier=2, activation="relu"), two, old=True, also=("weights-v3",)),
        c("separable-conv2d-same", lambda: L.SeparableConv2D(4, 3, strides=2, padding="same", use_bias=False), two),
        c("conv1d-transpose", lambda: L.Conv1DTranspose(4, 3, strides=2), one, old=True),
        c("conv1d-transpose-same", lambda: L.Conv1DTranspose(4, 4, strides=3, padding="same", output_padding=1), one),
        c("conv2d-transpose", lambda: L.Conv2DTranspose(4, 3, strides=2, activation="relu"), two, old=True, also=("weights-v3", "json-v3")),
        c("conv2d-transpose-same", lambda: L.Conv2DTranspose(4, (2, 3), strides=(2, 3), padding="same"), two),
        c("conv2d-transpose-output-padding", lambda: L.Conv2DTranspose(4, 3, strides=2, padding="same", output_padding=1), two),
        c("conv2d-transpose-dilation", lambda: L.Conv2DTranspose(4, 3, dilation_rate=2), two),
        c("conv3d-transpose", lambda: L.Conv3DTranspose(3, 3, strides=2, padding="same", use_bias=False), (3, 4, 6, 2)),
    ]
