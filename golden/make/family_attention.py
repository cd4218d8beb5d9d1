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


def masked(length=9, width=6):
    i = keras.Input((length,), dtype="int32")
    return i, L.Embedding(20, width, mask_zero=True)(i)


def twice_masked(make):
    """Both look at the same tensor: what does the first leave to the second?"""

    def build():
        i, x = masked()
        return keras.Model(i, [make()(x, x), make()(x, x)])

    return build


def masks_taken():
    """A query, a value and a key that Attention looks at again."""
    (a, q), (b, v), (c, k) = masked(9), masked(8), masked(8)
    y = L.MultiHeadAttention(2, 3)(q, v, k)
    return keras.Model([a, b, c], [L.Attention()([y, x]) for x in (q, v, k)])


def masks_not_taken():
    (a, q), (b, v), (c, k) = masked(9), masked(8), masked(8)
    y = L.GroupQueryAttention(3, 4, 2)(q, v, k)
    return keras.Model([a, b, c], [L.Attention()([y, x]) for x in (q, v, k)])


def masks_taken_first(swap):
    """Two layers on one tensor: which runs first is told by the order of the outputs alone."""

    def build():
        i, x = masked()
        y, z = L.MultiHeadAttention(2, 3)(x, x), L.Attention()([x, x])
        return keras.Model(i, [z, y] if swap else [y, z])

    return build


def masks_of_one_tensor():
    """Layers that give back the tensor they are given: its mask is theirs."""
    inputs, outputs = [], []
    same = [
        lambda x: L.Dropout(0.3)(L.Identity()(x)),
        lambda x: L.GaussianNoise(0.2)(L.SpatialDropout1D(0.3)(x)),
        lambda x: L.GaussianDropout(0.2)(L.AlphaDropout(0.3)(x)),
        lambda x: L.ActivityRegularization(0.1)(L.Activation("linear")(x)),
        lambda x: keras.ops.convert_to_tensor(x),
        lambda x: L.Activation("relu")(x),
        lambda x: L.Reshape((9, 6))(x),
    ]
    for function in same:
        i, x = masked()
        s = function(x)
        y = L.MultiHeadAttention(2, 3)(s, s)
        inputs.append(i)
        outputs += [y, L.Attention()([y, x])]
    return keras.Model(inputs, outputs)


def masks_through_models():
    """The tensors of a model inside another one are those outside; its mask is put on them again."""
    i = keras.Input((9, 6))
    inner = keras.Model(i, [i, L.MultiHeadAttention(2, 3)(i, i)])
    j = keras.Input((9, 6))
    dense = keras.Model(j, L.Dense(6)(j))
    a, x = masked()
    same, y = inner(x)
    b, z = masked()
    w = L.MultiHeadAttention(2, 3)(z, z)
    late = dense(z)
    outputs = [L.Attention()([y, same]), L.Attention()([y, x]), L.Attention()([w, L.Add()([z, late])])]
    return keras.Model([a, b], [*outputs, L.Attention()([L.Dense(6)(L.Dense(6)(w)), z])])


def given_masks(make):
    """Masks as arguments, on tensors that have none."""

    def build():
        i, m, n = keras.Input((7, 6)), keras.Input((7,), dtype="bool"), keras.Input((7,), dtype="bool")
        y = make()(i, i, query_mask=m)
        return keras.Model([i, m, n], [y, make()(i, i, value_mask=n), make()(i, i, i, key_mask=n)])

    return build


def masked_scores(make):
    def build():
        i, x = masked()
        return keras.Model(i, list(make()(x, x, return_attention_scores=True)))

    return build


def masked_decoder():
    (a, e), (b, d) = masked(), masked(8)
    for _ in range(2):
        d = L.LayerNormalization()(d + L.MultiHeadAttention(2, 3)(d, d, use_causal_mask=True))
        d = L.LayerNormalization()(d + L.MultiHeadAttention(2, 3)(d, e))
        d = L.LayerNormalization()(d + L.Dense(6)(L.Dense(7, activation="relu")(d)))
    return keras.Model([a, b], L.Dense(3)(d))


def masked_then_pooled(make):
    """The mask goes on as the result of an operation, ConvertToTensor."""

    def build():
        i, x = masked()
        return keras.Model(i, L.GlobalAveragePooling1D()(make()([x, x])))

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
    newer = tuple(int(n) for n in keras.__version__.split(".")[:2]) >= (3, 9)  # the masks of 3.0 to 3.6 stay where they are
    ids = tokens(9, 20)
    out += [
        Case("mha-twice-masked", twice_masked(lambda: m(2, 3)), ids, old=newer),
        Case("mha-masks-taken", masks_taken, several(ids, tokens(8, 20), tokens(8, 20)), old=newer),
        Case("mha-masks-taken-first", masks_taken_first(False), ids, old=newer),
        Case("mha-masks-taken-last", masks_taken_first(True), ids, old=newer),
        Case("mha-masks-of-one-tensor", masks_of_one_tensor, several(*[ids] * 7)),
        Case("mha-masks-through-models", masks_through_models, several(ids, ids), old=newer),
        Case("mha-given-masks", given_masks(lambda: m(2, 3)), several(x, bools(7), bools(7)), old=newer),
        Case("mha-masked-scores", masked_scores(lambda: m(2, 3)), ids),
        Case("mha-masked-dropout", masked_self_attention(lambda: m(2, 3, dropout=0.3)), ids),
        Case("mha-masked-decoder", masked_decoder, several(ids, tokens(8, 20)), old=newer),
        Case("attention-masked-pooled", masked_then_pooled(lambda: L.Attention()), ids, old=newer, also=("json-v3",)),
        Case("additive-attention-masked-pooled", masked_then_pooled(lambda: L.AdditiveAttention()), ids),
    ]
    for case in out:
        if "causal" in case.name and case.name.startswith("attention"):
            case.inputs = normal((7, 6), (7, 6))
    if hasattr(L, "GroupQueryAttention"):
        g = L.GroupQueryAttention
        out += [
            Case("gqa", self_attention(lambda: g(3, 4, 2)), x, old=True, also=("weights-v3",)),
            Case("gqa-no-bias", self_attention(lambda: g(3, 4, 2, use_bias=False)), x),
            Case("gqa-twice-masked", twice_masked(lambda: g(3, 4, 2)), ids, old=newer),
            Case("gqa-masks-not-taken", masks_not_taken, several(ids, tokens(8, 20), tokens(8, 20))),
            Case("gqa-given-masks", given_masks(lambda: g(3, 4, 2)), several(x, bools(7), bools(7))),
            Case("gqa-masked-scores", masked_scores(lambda: g(3, 4, 2)), ids),
            Case("gqa-masked", masked_self_attention(lambda: g(3, 4, 2)), tokens(9, 20), batch=5),
        ]
    return out
