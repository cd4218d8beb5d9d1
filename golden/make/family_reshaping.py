"""Layers that move elements: flatten, reshape, permute, repeat, pad, crop, upsample."""

import keras
from case import Case, layer_case, normal
from keras import layers as L


def in_a_row():
    i = keras.Input((6, 7, 3))
    x = L.Conv2D(4, 2)(L.ZeroPadding2D(((1, 2), (3, 0)))(i))
    x = L.UpSampling2D((2, 3))(L.Cropping2D(((1, 2), (0, 3)))(x))
    x = L.Dense(3)(L.Reshape((4, -1))(L.Permute((3, 1, 2))(x)))
    y = L.Cropping1D((1, 0))(L.UpSampling1D(2)(L.ZeroPadding1D((1, 3))(x)))
    z = L.RepeatVector(2)(L.Dense(2)(L.Flatten()(x)))
    return keras.Model(i, [L.Dense(2)(y), z])


def cases():
    c = layer_case
    one, two, three = (7, 3), (6, 7, 3), (4, 6, 7, 2)
    return [
        c("flatten", lambda: L.Flatten(), two, old=True),
        c("flatten-channels-first", lambda: L.Flatten(data_format="channels_first"), two),
        c("reshape", lambda: L.Reshape((3, 7)), one, old=True),
        c("reshape-unknown", lambda: L.Reshape((-1, 2, 9)), two, also=("json-v3",)),
        c("permute", lambda: L.Permute((3, 1, 2)), two, old=True),
        c("repeat-vector", lambda: L.RepeatVector(4), (3,), old=True),
        c("zero-padding-1d", lambda: L.ZeroPadding1D((1, 3)), one),
        c("zero-padding-2d", lambda: L.ZeroPadding2D(((1, 2), (3, 0))), two, old=True),
        c("zero-padding-2d-one-per-axis", lambda: L.ZeroPadding2D((1, 2)), two),
        c("zero-padding-2d-channels-first", lambda: L.ZeroPadding2D(2, data_format="channels_first"), two),
        c("zero-padding-3d", lambda: L.ZeroPadding3D(((1, 0), (0, 2), (1, 1))), three),
        c("cropping-1d", lambda: L.Cropping1D((1, 2)), one),
        c("cropping-2d", lambda: L.Cropping2D(((1, 2), (0, 3))), two, old=True),
        c("cropping-2d-channels-first", lambda: L.Cropping2D(1, data_format="channels_first"), (3, 6, 7)),
        c("cropping-3d", lambda: L.Cropping3D(((1, 0), (2, 1), (0, 3))), three),
        c("up-sampling-1d", lambda: L.UpSampling1D(3), one),
        c("up-sampling-2d", lambda: L.UpSampling2D((2, 3)), two, old=True),
        c("up-sampling-2d-bilinear", lambda: L.UpSampling2D((2, 3), interpolation="bilinear"), two, old=True),
        c("up-sampling-2d-channels-first", lambda: L.UpSampling2D(2, data_format="channels_first"), two),
        Case("reshaped-in-a-row", in_a_row, normal((6, 7, 3))),
        c("up-sampling-3d", lambda: L.UpSampling3D((2, 1, 3)), three),
    ]
