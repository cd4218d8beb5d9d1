"""Models of the layers that look strings and numbers up (StringLookup, IntegerLookup, TextVectorization) or hash them (Hashing,
HashedCrossing): one for every key that changes numbers, and whole models that begin with them."""

import numpy as np

WORDS = np.array([["red"], ["green"], ["blue"], ["mauve"], ["red"]])
COLOURS = ["red", "green", "blue"]
# The last letters of a line may look alike, composed or not; tokens are compared by their bytes.
ODD = ["café", "cafe\u0301", "ÉTÉ", "été", "two words", " red ", "tab\tinside", "日本", "\U0001f600", "ß", "[UNK]x", "0"]
COLUMNS = np.array([
    ["red", "", "blue", "red"], ["mauve", "green", "", ""], ["été", "Red", "red ", "blue"], ["x", "yellow", "\U0001f600", "green"],
    ["[UNK]", "[MASK]", "日本", "a longer word that nobody knows"],
])
ODD_COLUMNS = np.array([ODD[0:4], ODD[4:8], ODD[8:12], ["", "cafe", "two", "words"], ["\U0001f601", "CAFÉ", "tab", "red"]])
KNOWN = np.array([["red", "green"], ["blue", "blue"], ["green", "red"]])
PLACES = np.array([[0, 1, 2], [3, 4, 5], [-1, 77, 0], [2, 2, 1]], "int64")
NUMBERS = np.array([[12], [7], [99], [12], [3]], "int64")
WHOLE = np.array([[12, 0, -7, 3], [-1, 99, -100, 12], [5, -4, 2 ** 40, 7], [-7, -7, -7, 0], [8, -2 ** 63, 2 ** 63 - 1, 1]], "int64")
SMALL = np.array([[12, 0, -7, 3], [-1, 99, -100, 12], [5, -4, 1, 7]], "int32")
VOCABULARY = [12, 7, 3, -7]
TEXTS = np.array([
    ["The red house, on a hill!"], ["a green,green hill -- it's (nearly) BLUE"], [""], ["  nothing\tknown\nhere \r\n at   all  "],
    ["ÉTÉ à la plage: ÇA VA? straße \U0001f600 \U0001f600"], ["no\u00a0break\u2003space the\u3000hill\x0bred\x0cred"], ["[UNK] @_@ \\ ^ `~| #5% {x} the THE <b>&</b>"],
])
LINES = TEXTS[:, 0]
SPOKEN = ["the", "red", "house", "green", "hill", "été", "à"]
SALT = [137, 9223372036854775807]


def adapted(layer, data):
    layer.adapt(data)
    return layer


def embedded_words(L, i):
    x = L.StringLookup(vocabulary=COLOURS, num_oov_indices=2)(i)
    return L.Dense(3)(L.Flatten()(L.Embedding(6, 4)(x)))


def classified_texts(L, i):
    x = L.TextVectorization(vocabulary=SPOKEN, output_sequence_length=5)(i)
    return L.Dense(2, activation="softmax")(L.GlobalAveragePooling1D()(L.Embedding(9, 4)(x)))


def classified_adapted(L, i):
    x = adapted(L.TextVectorization(max_tokens=11, ngrams=2, output_mode="tf_idf"), TEXTS)(i)
    return L.Dense(2)(x)


def joined_columns(L, i, numbers):
    x = L.IntegerLookup(vocabulary=VOCABULARY, output_mode="one_hot")(i)
    return L.Dense(3)(L.Concatenate()([x, numbers]))


def there_and_back(L, i):
    return L.StringLookup(vocabulary=COLOURS, oov_token="none of these", invert=True)(L.StringLookup(vocabulary=COLOURS)(i))


REALS = np.array([[-1.5, 0.25], [0.0, 1.0], [0.25, -3.0], [3.0, 0.5], [99.0, 0.125]], "float32")


def models():
    """name: (function of the layers' module and the inputs, data of each input)"""

    def one(make):
        return lambda L, *inputs: make(L)(inputs[0] if len(inputs) == 1 else list(inputs))

    strings, numbers, texts = {}, {}, {}
    strings["masked"] = one(lambda L: L.StringLookup(vocabulary=COLOURS, mask_token="[MASK]")), COLUMNS
    strings["masked-empty"] = one(lambda L: L.StringLookup(vocabulary=COLOURS, mask_token="", num_oov_indices=2)), COLUMNS
    strings["no-oov"] = one(lambda L: L.StringLookup(vocabulary=COLOURS, num_oov_indices=0)), KNOWN
    strings["hashed"] = one(lambda L: L.StringLookup(vocabulary=ODD, num_oov_indices=3)), ODD_COLUMNS
    strings["salted"] = one(lambda L: L.StringLookup(vocabulary=COLOURS, num_oov_indices=5, oov_method="farmhash", salt=SALT)), COLUMNS
    strings["empty-token"] = one(lambda L: L.StringLookup(vocabulary=["", "red", "blue"])), COLUMNS
    strings["special-tokens"] = one(lambda L: L.StringLookup(vocabulary=["", "?", "?", "red", "blue"], mask_token="", oov_token="?", num_oov_indices=2)), COLUMNS
    strings["scalar"] = one(lambda L: L.StringLookup(vocabulary=COLOURS)), WORDS[:, 0]
    strings["invert"] = one(lambda L: L.StringLookup(vocabulary=ODD[:3], invert=True)), PLACES
    strings["invert-masked"] = one(lambda L: L.StringLookup(vocabulary=ODD[:3], invert=True, mask_token="", oov_token="\u00bf?", num_oov_indices=2)), PLACES
    strings["one-hot"] = one(lambda L: L.StringLookup(vocabulary=COLOURS, output_mode="one_hot")), WORDS
    strings["one-hot-columns"] = one(lambda L: L.StringLookup(vocabulary=COLOURS, output_mode="one_hot", mask_token="", num_oov_indices=2)), COLUMNS
    strings["multi-hot-cube"] = one(lambda L: L.StringLookup(vocabulary=COLOURS, output_mode="multi_hot", mask_token="")), np.stack([COLUMNS, COLUMNS[::-1]], 2)
    strings["count-padded"] = one(lambda L: L.StringLookup(vocabulary=COLOURS, output_mode="count", max_tokens=7, pad_to_max_tokens=True)), COLUMNS
    strings["tf-idf"] = one(lambda L: L.StringLookup(vocabulary=COLOURS, idf_weights=[0.25, 0.75, 0.6], output_mode="tf_idf", num_oov_indices=2)), COLUMNS
    strings["tf-idf-special"] = (
        one(lambda L: L.StringLookup(vocabulary=["[UNK]"] + COLOURS, idf_weights=[0.9, 0.25, 0.75, 0.6], output_mode="tf_idf", max_tokens=6, pad_to_max_tokens=True)), COLUMNS)
    strings["tf-idf-adapted"] = one(lambda L: adapted(L.StringLookup(output_mode="tf_idf", mask_token="", max_tokens=6), COLUMNS)), COLUMNS
    strings["adapted-odd"] = one(lambda L: adapted(L.StringLookup(mask_token=""), ODD_COLUMNS)), ODD_COLUMNS
    strings["adapted-hashed"] = one(lambda L: adapted(L.StringLookup(num_oov_indices=3, max_tokens=9), ODD_COLUMNS)), ODD_COLUMNS
    strings["adapted-lines"] = one(lambda L: adapted(L.StringLookup(), np.array(["a\u2028b", "c\x0bd", "e\x85f", "a"]))), np.array([["a\u2028b", "a"], ["b", "c\x0bd"], ["e\x85f", "x"]])
    strings["adapted-newline"] = one(lambda L: adapted(L.StringLookup(), np.array(["a\nb", "c"]))), np.array([["a\nb"], ["a"], ["c"]])

    numbers["masked"] = one(lambda L: L.IntegerLookup(vocabulary=VOCABULARY, mask_token=0)), WHOLE
    numbers["modulo"] = one(lambda L: L.IntegerLookup(vocabulary=VOCABULARY, mask_token=-1, num_oov_indices=3)), WHOLE
    numbers["farmhash"] = one(lambda L: L.IntegerLookup(vocabulary=VOCABULARY, num_oov_indices=3, oov_method="farmhash")), WHOLE
    numbers["salted"] = one(lambda L: L.IntegerLookup(vocabulary=VOCABULARY, num_oov_indices=3, oov_method="farmhash", salt=77)), WHOLE
    numbers["no-oov"] = one(lambda L: L.IntegerLookup(vocabulary=VOCABULARY, num_oov_indices=0)), np.array([[12], [-7], [3]], "int64")
    numbers["special-tokens"] = one(lambda L: L.IntegerLookup(vocabulary=[0, -99, 12, 7], mask_token=0, oov_token=-99)), WHOLE
    numbers["invert"] = one(lambda L: L.IntegerLookup(vocabulary=VOCABULARY, invert=True, oov_token=-99)), PLACES
    numbers["one-hot"] = one(lambda L: L.IntegerLookup(vocabulary=VOCABULARY, output_mode="one_hot", mask_token=0)), WHOLE
    numbers["multi-hot-cube"] = one(lambda L: L.IntegerLookup(vocabulary=VOCABULARY, output_mode="multi_hot", num_oov_indices=2)), np.stack([WHOLE, WHOLE[::-1]], 2)
    numbers["count-padded"] = one(lambda L: L.IntegerLookup(vocabulary=VOCABULARY, output_mode="count", max_tokens=8, pad_to_max_tokens=True)), WHOLE
    numbers["tf-idf"] = one(lambda L: L.IntegerLookup(vocabulary=VOCABULARY, idf_weights=[0.25, 0.75, 0.6, 0.4], output_mode="tf_idf")), WHOLE
    numbers["tf-idf-adapted"] = one(lambda L: adapted(L.IntegerLookup(output_mode="tf_idf", num_oov_indices=2), WHOLE[:4])), WHOLE
    numbers["int32"] = one(lambda L: L.IntegerLookup(vocabulary=VOCABULARY)), SMALL
    numbers["adapted-negative"] = one(lambda L: adapted(L.IntegerLookup(mask_token=0, max_tokens=6), WHOLE)), WHOLE

    texts["raw"] = one(lambda L: L.TextVectorization(vocabulary=SPOKEN + ["hill!", "THE", "The", "(nearly)"], standardize=None)), TEXTS
    texts["lower"] = one(lambda L: L.TextVectorization(vocabulary=SPOKEN + ["hill!", "ÉtÉ", "blue"], standardize="lower")), TEXTS
    texts["strip"] = one(lambda L: L.TextVectorization(vocabulary=SPOKEN + ["greengreen", "its", "THE", "BLUE", "ÉTÉ"], standardize="strip_punctuation")), TEXTS
    texts["unsplit"] = one(lambda L: L.TextVectorization(vocabulary=SPOKEN + ["the red house", "mauve"], split=None, output_sequence_length=6)), np.array([["The red house", "RED", "x"], ["mauve", "", "été"]])
    texts["characters"] = one(lambda L: L.TextVectorization(vocabulary=["a", " ", "é", "\U0001f600", "e", "t", "\t"], split="character", output_sequence_length=20)), TEXTS
    texts["bigrams"] = one(lambda L: L.TextVectorization(vocabulary=SPOKEN + ["red house", "on a", "the the", "hill red"], ngrams=2, output_mode="multi_hot")), TEXTS
    texts["ngrams"] = one(lambda L: L.TextVectorization(vocabulary=SPOKEN + ["the red house", "on a hill"], ngrams=(1, 3))), TEXTS
    texts["ngrams-unsplit"] = one(lambda L: L.TextVectorization(vocabulary=["red", "red green", "green x"], split=None, ngrams=2)), np.array([["red", "green", "x"], ["x", "red", "green"]])
    texts["count"] = one(lambda L: L.TextVectorization(vocabulary=SPOKEN, output_mode="count")), TEXTS
    texts["padded"] = one(lambda L: L.TextVectorization(vocabulary=SPOKEN, output_mode="multi_hot", max_tokens=12, pad_to_max_tokens=True)), TEXTS
    texts["tf-idf-given"] = one(lambda L: L.TextVectorization(vocabulary=SPOKEN, idf_weights=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], output_mode="tf_idf")), TEXTS
    texts["tf-idf-adapted"] = one(lambda L: adapted(L.TextVectorization(output_mode="tf_idf", max_tokens=15, pad_to_max_tokens=True, ngrams=2), TEXTS)), TEXTS
    texts["short"] = one(lambda L: L.TextVectorization(vocabulary=SPOKEN, output_sequence_length=2)), TEXTS
    texts["long"] = one(lambda L: adapted(L.TextVectorization(max_tokens=10, output_sequence_length=15), TEXTS)), TEXTS
    texts["scalar"] = one(lambda L: L.TextVectorization(vocabulary=SPOKEN, output_sequence_length=4)), LINES
    texts["scalar-count"] = one(lambda L: adapted(L.TextVectorization(output_mode="count", max_tokens=8), LINES)), LINES

    rows = {}
    for family, members in (("string-lookup", strings), ("integer-lookup", numbers), ("text-vectorization", texts)):
        rows.update({family + "-" + name: row for name, row in members.items()})
    rows.update({
        "hashing-columns": (one(lambda L: L.Hashing(num_bins=7)), COLUMNS),
        "hashing-salt": (one(lambda L: L.Hashing(num_bins=1000, salt=133)), COLUMNS),
        "hashing-salt-pair": (one(lambda L: L.Hashing(num_bins=11, salt=SALT)), ODD_COLUMNS),
        "hashing-masked": (one(lambda L: L.Hashing(num_bins=6, mask_value="")), COLUMNS),
        "hashing-whole": (one(lambda L: L.Hashing(num_bins=9, mask_value=-7, salt=[3, 5])), WHOLE),
        "hashing-whole-32": (one(lambda L: L.Hashing(num_bins=1000003)), SMALL),
        "hashing-one-hot": (one(lambda L: L.Hashing(num_bins=5, output_mode="one_hot")), WORDS),
        "hashing-one-hot-columns": (one(lambda L: L.Hashing(num_bins=5, output_mode="one_hot", mask_value="")), COLUMNS),
        "hashing-multi-hot": (one(lambda L: L.Hashing(num_bins=8, output_mode="multi_hot")), COLUMNS),
        "hashing-count": (one(lambda L: L.Hashing(num_bins=4, output_mode="count", salt=1)), WHOLE),
        "hashed-crossing": (one(lambda L: L.HashedCrossing(num_bins=1009)), WORDS, np.array([["a"], [""], ["été"], ["x"], ["a"]])),
        "hashed-crossing-whole": (one(lambda L: L.HashedCrossing(num_bins=97)), WORDS, NUMBERS),
        "hashed-crossing-one-hot": (one(lambda L: L.HashedCrossing(num_bins=5, output_mode="one_hot")), WHOLE[:, 2:3], WORDS),
        # Keras 3 crosses two only.
        "hashed-crossing-three": (one(lambda L: L.HashedCrossing(num_bins=31)), NUMBERS, WHOLE[:, 2:3], WORDS),
        "hashed-crossing-scalar": (one(lambda L: L.HashedCrossing(num_bins=50)), WORDS[:, 0], NUMBERS[:, 0]),
        "embedded-words": (embedded_words, COLUMNS),
        "classified-texts": (classified_texts, TEXTS),
        "classified-adapted": (classified_adapted, TEXTS),
        "joined-columns": (joined_columns, NUMBERS, REALS),
        "there-and-back": (there_and_back, COLUMNS),
    })
    return rows


def of_tf_2_4():
    """TensorFlow 2.4 says max_values, mask_value, oov_value for integers, and knows no output_mode of lookups."""

    def one(make):
        return lambda L, i: make(L)(i)

    return {
        "string-lookup-masked-empty": (one(lambda L: L.StringLookup(vocabulary=COLOURS, mask_token="", num_oov_indices=2)), COLUMNS),
        "string-lookup-adapted-odd": (one(lambda L: adapted(L.StringLookup(), ODD_COLUMNS)), ODD_COLUMNS),
        "integer-lookup-masked": (one(lambda L: L.IntegerLookup(vocabulary=VOCABULARY, mask_value=0)), WHOLE),
        "integer-lookup-modulo": (one(lambda L: L.IntegerLookup(vocabulary=VOCABULARY, mask_value=-1, num_oov_indices=3)), WHOLE),
        "integer-lookup-invert": (one(lambda L: L.IntegerLookup(vocabulary=VOCABULARY, invert=True, oov_value=-99)), PLACES),
        "string-lookup-invert": (one(lambda L: L.StringLookup(vocabulary=ODD[:3], invert=True)), PLACES),
        "integer-lookup-adapted-negative": (one(lambda L: adapted(L.IntegerLookup(mask_value=0, max_values=6), WHOLE)), WHOLE),
        "text-vectorization-ngrams": (one(lambda L: L.TextVectorization(vocabulary=SPOKEN + ["the red house"], ngrams=(1, 3))), TEXTS),
        "text-vectorization-count": (one(lambda L: L.TextVectorization(vocabulary=SPOKEN, output_mode="count", max_tokens=10)), TEXTS),
        "text-vectorization-long": (one(lambda L: adapted(L.TextVectorization(max_tokens=10, output_sequence_length=15), TEXTS)), TEXTS),
        "text-vectorization-tf-idf-adapted": (one(lambda L: adapted(L.TextVectorization(max_tokens=10, output_mode="tf-idf"), TEXTS)), TEXTS),
        "hashing-columns": (one(lambda L: L.Hashing(num_bins=7)), COLUMNS),
        "hashing-salt": (one(lambda L: L.Hashing(num_bins=1000, salt=133)), COLUMNS),
        "embedded-words": (embedded_words, COLUMNS),
        "classified-texts": (classified_texts, TEXTS),
    }
