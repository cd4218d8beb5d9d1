"""Attention layers with every key that changes numbers, and their masks."""

import keras
from case import Case, layer_case, normal, several, tokens
from keras import layers as L


def self_attention(make, shape=(7, 6), **call):
    def build():
        i = keras.Input(shape)
        return keras.Model(i, make()(i, i, **call))

    return build


def cross_attention(make, *shapes, **call):
    def build():
        inputs = [keras.Input(s) for s in shapes]
        return keras.Model(inputs, make()(*inputs, **call))

    return build


def listed(make, *shapes, **call):
    def build():
        inputs = [keras.Input(s) for s in shapes]
        return keras.Model(inputs, make()(inputs, **call))

    return build


def masked_self_attention(make, **call):
    def build():
        i = keras.Input((9,), dtype="int32")
        x = L.Embedding(20, 6, mask_zero=True)(i)
        return keras.Model(i, L.GlobalAveragePooling1D()(make()(x, x, **call)))

    return build


def explicit_mask():
    i, m = keras.Input((7, 6)), keras.Input((7, 7), dtype="bool")
    return keras.Model([i, m], L.MultiHeadAttention(2, 3)(i, i, attention_mask=m))


def bools(*shape):
    def draw(rng, batch):
        mask = rng.integers(0, 2, (batch, *shape)).astype("bool")
        mask[..., 0] = True
        return [mask]

    return draw


def listed_masked(make):
    def build():
        a, b = keras.Input((9,), dtype="int32"), keras.Input((8,), dtype="int32")
        q, v = L.Embedding(20, 6, mask_zero=True)(a), L.Embedding(20, 6, mask_zero=True)(b)
        return keras.Model([a, b], L.Dense(3)(make()([q, v])))

    return build


def cases():
    m = L.MultiHeadAttention
    x = normal((7, 6))
    out = [
        Case("mha", self_attention(lambda: m(2, 3)), x, old=True, also=("weights-v3",)),
        Case("mha-value-dim", self_attention(lambda: m(2, 3, value_dim=4)), x, old=True),
        Case("mha-no-bias", self_attention(lambda: m(2, 3, use_bias=False)), x),
        Case("mha-output-shape", self_attention(lambda: m(2, 3, output_shape=4)), x, also=("json-v3",)),
        Case("mha-cross", cross_attention(lambda: m(2, 3), (7, 6), (8, 4)), normal((7, 6), (8, 4)), old=True),
        Case("mha-key-value", cross_attention(lambda: m(2, 3), (7, 6), (8, 4), (8, 6)), normal((7, 6), (8, 4), (8, 6))),
        Case("mha-causal", self_attention(lambda: m(2, 3), use_causal_mask=True), x, old=True),
        Case("mha-scores", self_attention(lambda: m(2, 3), return_attention_scores=True), x),
        Case("mha-axes", self_attention(lambda: m(2, 3, attention_axes=(2,)), (3, 7, 6)), normal((3, 7, 6))),
        Case("mha-masked", masked_self_attention(lambda: m(2, 3)), tokens(9, 20), batch=5, old=True),
        Case("mha-masked-causal", masked_self_attention(lambda: m(2, 3), use_causal_mask=True), tokens(9, 20), batch=5),
        Case("mha-explicit-mask", explicit_mask, several(x, bools(7, 7)), batch=5),
        Case("mha-dropout", self_attention(lambda: m(2, 3, dropout=0.3)), x),
        Case("attention", listed(lambda: L.Attention(), (7, 6), (8, 6)), normal((7, 6), (8, 6)), old=True),
        Case("attention-key", listed(lambda: L.Attention(), (7, 6), (8, 4), (8, 6)), normal((7, 6), (8, 4), (8, 6))),
        Case("attention-scale", listed(lambda: L.Attention(use_scale=True), (7, 6), (8, 6)), normal((7, 6), (8, 6)), also=("weights-v3",)),
        Case("attention-concat", listed(lambda: L.Attention(score_mode="concat"), (7, 6), (8, 6)), normal((7, 6), (8, 6))),
        Case("attention-concat-scale", listed(lambda: L.Attention(score_mode="concat", use_scale=True), (7, 6), (8, 6)), normal((7, 6), (8, 6))),
        Case("attention-causal", listed(lambda: L.Attention(), (7, 6), (7, 6), use_causal_mask=True), normal((7, 6), (7, 6))),
        Case("attention-scores", listed(lambda: L.Attention(), (7, 6), (8, 6), return_attention_scores=True), normal((7, 6), (8, 6))),
        Case("attention-masked", listed_masked(lambda: L.Attention()), several(tokens(9, 20), tokens(8, 20)), batch=5),
        Case("additive-attention", listed(lambda: L.AdditiveAttention(), (7, 6), (8, 6)), normal((7, 6), (8, 6)), old=True, also=("weights-v3", "json-v3")),
        Case("additive-attention-no-scale", listed(lambda: L.AdditiveAttention(use_scale=False), (7, 6), (8, 6)), normal((7, 6), (8, 6))),
        Case("additive-attention-masked", listed_masked(lambda: L.AdditiveAttention()), several(tokens(9, 20), tokens(8, 20)), batch=5),
    ]
    for case in out:
        if "causal" in case.name and case.name.startswith("attention"):
            case.inputs = normal((7, 6), (7, 6))
    if hasattr(L, "GroupQueryAttention"):
        g = L.GroupQueryAttention
        out += [
            Case("gqa", self_attention(lambda: g(3, 4, 2)), x, old=True, also=("weights-v3",)),
            Case("gqa-no-bias", self_attention(lambda: g(3, 4, 2, use_bias=False)), x),
            Case("gqa-masked", masked_self_attention(lambda: g(3, 4, 2)), tokens(9, 20), batch=5),
        ]
    return out
