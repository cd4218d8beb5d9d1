"""Normalization layers with epsilons large enough to be seen."""

from case import layer_case
from keras import layers as L


def cases():
    c = layer_case
    out = [
        c("batch-normalization", lambda: L.BatchNormalization(), (6,), old=True, also=("weights-v3", "json-v3")),
        c("batch-normalization-epsilon", lambda: L.BatchNormalization(epsilon=0.3, momentum=0.8), (4, 6), old=True),
        c("batch-normalization-axis", lambda: L.BatchNormalization(axis=1), (3, 4, 6)),
        c("batch-normalization-no-scale", lambda: L.BatchNormalization(scale=False), (6,)),
        c("batch-normalization-no-center", lambda: L.BatchNormalization(center=False), (6,)),
        c("batch-normalization-image", lambda: L.BatchNormalization(), (3, 4, 6)),
        c("layer-normalization", lambda: L.LayerNormalization(), (6,), old=True, also=("weights-v3",)),
        c("layer-normalization-epsilon", lambda: L.LayerNormalization(epsilon=0.2), (4, 6)),
        c("layer-normalization-axes", lambda: L.LayerNormalization(axis=[1, 2]), (4, 6), old=True),
        c("layer-normalization-axis-1", lambda: L.LayerNormalization(axis=1), (4, 6)),
        c("layer-normalization-plain", lambda: L.LayerNormalization(center=False, scale=False), (6,)),
        c("group-normalization", lambda: L.GroupNormalization(groups=3), (4, 6), old=True),
        c("group-normalization-instance", lambda: L.GroupNormalization(groups=-1, epsilon=0.1), (3, 4, 6)),
        c("group-normalization-axis", lambda: L.GroupNormalization(groups=2, axis=1, scale=False), (4, 3, 6)),
        c("group-normalization-no-center", lambda: L.GroupNormalization(groups=2, center=False), (7, 4)),
        c("unit-normalization", lambda: L.UnitNormalization(), (6,), old=True),
        c("unit-normalization-axis", lambda: L.UnitNormalization(axis=1), (4, 6)),
        c("unit-normalization-axes", lambda: L.UnitNormalization(axis=[1, 2]), (4, 6)),
    ]
    if "renorm" in L.BatchNormalization.__init__.__code__.co_varnames:
        limits = {"rmax": 3.0, "dmax": 2.0}
        out.append(c("batch-normalization-renorm", lambda: L.BatchNormalization(renorm=True, renorm_clipping=limits, renorm_momentum=0.8), (4, 6)))
    if hasattr(L, "RMSNormalization"):
        out += [
            c("rms-normalization", lambda: L.RMSNormalization(), (4, 6), also=("weights-v3",)),
            c("rms-normalization-epsilon", lambda: L.RMSNormalization(axis=-1, epsilon=0.2), (6,)),
        ]
    elif "rms_scaling" in L.LayerNormalization.__init__.__code__.co_varnames:
        out.append(c("layer-normalization-rms", lambda: L.LayerNormalization(rms_scaling=True), (6,), old=True))
    return out
