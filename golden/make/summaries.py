"""Writes what summary() of this environment's Keras prints beside golden cases.

    python golden/make/summaries.py golden/h5-legacy/tf-2.15.1/structure/nested-functional …

summary.txt is that of a terminal of 80 columns; summary-nested.txt has nested models expanded and the trainable column, where
this Keras can print them; summary-narrow.txt, of Keras 3, the same in lines of 40 characters. The case's own Keras must be the one that runs: keras, tensorflow.keras, or tf_keras for tfkeras-N.
"""

import contextlib
import io
import os
import sys

os.environ["COLUMNS"] = "80"
for name, value in (("TF_CPP_MIN_LOG_LEVEL", "3"), ("CUDA_VISIBLE_DEVICES", "-1"), ("TF_NUM_INTRAOP_THREADS", "1")):
    os.environ.setdefault(name, value)


def keras_of(writer):
    if writer.startswith("tfkeras-"):
        import tf_keras as keras
    elif writer.startswith("tf-"):
        from tensorflow import keras
    else:
        import keras
    return keras


def load(keras, folder):
    for name in ("model.keras", "model.h5"):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            models = keras.models
            return models.load_model(path) if writer_of(folder).startswith("keras-1") else models.load_model(path, compile=False)
    raise SystemExit(folder + ": no model")


def writer_of(folder):
    return os.path.normpath(folder).split(os.sep)[-3]


def folder_format(folder):
    return os.path.normpath(folder).split(os.sep)[-4]


def printed(model, **options):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        model.summary(**options)
    return out.getvalue()


def main():
    for folder in sys.argv[1:]:
        model = load(keras_of(writer_of(folder)), folder)
        texts = {"summary.txt": printed(model)}
        with contextlib.suppress(TypeError):
            texts["summary-nested.txt"] = printed(model, expand_nested=True, show_trainable=True)
        if folder_format(folder) == "keras-v3":
            texts["summary-narrow.txt"] = printed(model, expand_nested=True, show_trainable=True, line_length=40)
        for name, text in texts.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)


if __name__ == "__main__":
    main()
