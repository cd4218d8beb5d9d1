// SPDX-License-Identifier: Apache-2.0
//
// Layers that change images. Described, not run, but for those that change nothing at inference: their keys are read,
// checked and written. Source of the keys: Keras 3 layers/preprocessing/image_preprocessing/*.py.
#include "schema/key_row.h"
#include "schema/regularization.h"

#define NO_KERNEL "its arithmetic is not in this reference"

// Of every layer that knows bounding boxes.
#define IMAGE_KEYS                                                                                                     \
    KS_ROW_LOOSE_FORMAT("null"), KS_ROW_LOOSE(bounding_box_format, TEXT, KS_NULLABLE | KS_NOT_NULL, "null")

#define DESCRIBED(class_name, reason, words, key_table)                                                                \
    const ks_class ks_class_##class_name = {                                                                           \
        .name = #class_name,                                                                                           \
        .module = "keras.layers",                                                                                      \
        .kind = KS_KIND_LAYER,                                                                                         \
        KS_KEYS(key_table),                                                                                            \
        .written = (words),                                                                                            \
        .unsupported = (reason),                                                                                       \
    }

// At inference they give their input back.
static const char *const unchanged_arguments[] = {"inputs", "training", NULL};

static ks_code unchanged_infer(ks_tree *out, ks_call *call, ks_object *object) {
    ks_array *input = ks_call_input(call, object);
    ks_code code;
    if (!input)
        return call->context->error.code;
    KS_TRY(ks_check_inference(call, object, 1));
    KS_TRY(ks_result(out, call, KS_DTYPE_NONE, &input->shape));
done:
    return code;
}

static bool is_number(const ks_value *value) {
    return value->type == KS_VALUE_INT || value->type == KS_VALUE_FLOAT;
}

// Every "factor": a number, or a list of the least and the largest.
static ks_code factors_check(ks_context *context, ks_object *object) {
    for (size_t i = 0; i < object->row->n_keys; i++) {
        const ks_key *key = &object->row->keys[i];
        const ks_value *value = ks_value_get(object->config, key->name);
        if (!strstr(key->name, "factor") || !value || is_number(value) ||
            (value->type == KS_VALUE_NULL && key->flags & KS_NULLABLE))
            continue;
        if (value->type != KS_VALUE_LIST || value->as.list.count != 2 || !is_number(&value->as.list.items[0]) ||
            !is_number(&value->as.list.items[1]))
            return ks_key_error(context, KS_E_CONFIG_TYPE, object, key->name,
                                "expected a number or a list of two numbers");
    }
    return KS_OK;
}

#define UNCHANGED(class_name, key_table)                                                                               \
    const ks_class ks_class_##class_name = {                                                                           \
        .name = #class_name,                                                                                           \
        .module = "keras.layers",                                                                                      \
        .kind = KS_KIND_LAYER,                                                                                         \
        KS_KEYS(key_table),                                                                                            \
        .arguments = unchanged_arguments,                                                                              \
        .mask = KS_MASK_NONE,                                                                                          \
        .check = factors_check,                                                                                        \
        .infer = unchanged_infer,                                                                                      \
    }

static const ks_key aug_mix_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE(value_range, ANY, 0, "[0, 255]"),
    KS_ROW_LOOSE(num_chains, INT, 0, "3"),
    KS_ROW_LOOSE(chain_depth, INT, 0, "3"),
    KS_ROW_LOOSE_FORM(factor, 0, "[0, 0.3]", KS_FORM_FROM_0),
    KS_ROW_LOOSE(alpha, FLOAT, 0, "1.0"),
    KS_ROW_LOOSE(all_ops, BOOL, 0, "true"),
    KS_ROW_LOOSE(interpolation, TEXT, 0, "\"bilinear\""),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
};

DESCRIBED(AugMix, NO_KERNEL, NULL, aug_mix_keys);

static const ks_key auto_contrast_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE(value_range, ANY, 0, "[0, 255]"),
};

DESCRIBED(AutoContrast, NO_KERNEL, NULL, auto_contrast_keys);

static const ks_key contrast_limited_adaptive_histogram_equalization_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE(value_range, ANY, 0, "[0, 255]"),
    KS_ROW_LOOSE(clip_limit, FLOAT, 0, "4.0"),
    KS_ROW_LOOSE(tile_grid_size, ANY, 0, "[8, 8]"),
};

DESCRIBED(ContrastLimitedAdaptiveHistogramEqualization, NO_KERNEL, NULL,
          contrast_limited_adaptive_histogram_equalization_keys);

static const ks_key cut_mix_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE_FORM(factor, 0, "[0, 1.0]", KS_FORM_FROM_0),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
};

DESCRIBED(CutMix, NO_KERNEL, NULL, cut_mix_keys);

static const ks_key equalization_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE(bins, INT, 0, "256"),
    KS_ROW_LOOSE(value_range, ANY, 0, "[0, 255]"),
};

DESCRIBED(Equalization, NO_KERNEL, NULL, equalization_keys);

static const ks_key max_num_bounding_boxes_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE(max_number, INT, KS_REQUIRED, NULL),
};

DESCRIBED(MaxNumBoundingBoxes, NO_KERNEL, NULL, max_num_bounding_boxes_keys);

static const ks_key mix_up_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE(alpha, FLOAT, 0, "0.2"),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
};

DESCRIBED(MixUp, NO_KERNEL, NULL, mix_up_keys);

static const ks_key rand_augment_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE(value_range, ANY, 0, "[0, 255]"),
    KS_ROW_LOOSE(num_ops, INT, 0, "2"),
    KS_ROW_LOOSE_FORM(factor, 0, "[0, 0.5]", KS_FORM_FROM_0),
    KS_ROW_LOOSE(interpolation, TEXT, 0, "\"bilinear\""),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
};

DESCRIBED(RandAugment, NO_KERNEL, NULL, rand_augment_keys);

static const ks_key random_brightness_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE_FORM(factor, KS_REQUIRED, NULL, KS_FORM_AROUND_0),
    KS_ROW_LOOSE(value_range, ANY, 0, "[0, 255]"),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
};

UNCHANGED(RandomBrightness, random_brightness_keys);

static const ks_key random_color_degeneration_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE_FORM(factor, KS_REQUIRED, NULL, KS_FORM_AROUND_0),
    KS_ROW_LOOSE(value_range, ANY, 0, "[0, 255]"),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
};

DESCRIBED(RandomColorDegeneration, NO_KERNEL, NULL, random_color_degeneration_keys);

static const ks_key random_color_jitter_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE(value_range, ANY, 0, "[0, 255]"),
    KS_ROW_LOOSE(brightness_factor, FLOAT, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(contrast_factor, FLOAT, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(saturation_factor, FLOAT, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(hue_factor, FLOAT, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
};

DESCRIBED(RandomColorJitter, NO_KERNEL, NULL, random_color_jitter_keys);

static const ks_key random_contrast_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE_FORM(factor, KS_REQUIRED, NULL, KS_FORM_FROM_0),
    KS_ROW_LOOSE(value_range, ANY, 0, "[0, 255]"),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
};

UNCHANGED(RandomContrast, random_contrast_keys);

static const ks_key random_crop_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE(height, INT, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(width, INT, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "966701959"),
};

DESCRIBED(RandomCrop, NO_KERNEL, NULL, random_crop_keys);

static const ks_key random_elastic_transform_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE_FORM(factor, 0, "[0, 1.0]", KS_FORM_FROM_0),
    KS_ROW_LOOSE_FORM(scale, 0, "[0, 1.0]", KS_FORM_FROM_0),
    KS_ROW_LOOSE(interpolation, TEXT, 0, "\"bilinear\""),
    KS_ROW_LOOSE(fill_mode, TEXT, 0, "\"reflect\""),
    KS_ROW_LOOSE(fill_value, FLOAT, 0, "0.0"),
    KS_ROW_LOOSE(value_range, ANY, 0, "[0, 255]"),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
};

DESCRIBED(RandomElasticTransform, NO_KERNEL, NULL, random_elastic_transform_keys);

static const ks_key random_erasing_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE_FORM(factor, 0, "[0, 1.0]", KS_FORM_FROM_0),
    KS_ROW_LOOSE_FORM(scale, 0, "[0.02, 0.33]", KS_FORM_FROM_0),
    KS_ROW_LOOSE(fill_value, ANY, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(value_range, ANY, 0, "[0, 255]"),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
};

DESCRIBED(RandomErasing, NO_KERNEL, NULL, random_erasing_keys);

static const ks_key random_flip_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(mode, TEXT, 0, "\"horizontal_and_vertical\""),
};

UNCHANGED(RandomFlip, random_flip_keys);

static const ks_key random_gaussian_blur_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE_FORM(factor, 0, "[0, 1.0]", KS_FORM_FROM_0),
    KS_ROW_LOOSE(kernel_size, ANY, 0, "[3, 3]"),
    KS_ROW_LOOSE_FORM(sigma, 0, "[0, 1.0]", KS_FORM_FROM_0),
    KS_ROW_LOOSE(value_range, ANY, 0, "[0, 255]"),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
};

DESCRIBED(RandomGaussianBlur, NO_KERNEL, NULL, random_gaussian_blur_keys);

static const ks_key random_grayscale_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE(factor, FLOAT, 0, "0.5"),
};

DESCRIBED(RandomGrayscale, NO_KERNEL, NULL, random_grayscale_keys);

static const ks_key random_hue_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE_FORM(factor, KS_REQUIRED, NULL, KS_FORM_FROM_0),
    KS_ROW_LOOSE(value_range, ANY, 0, "[0, 255]"),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
};

DESCRIBED(RandomHue, NO_KERNEL, NULL, random_hue_keys);

static const ks_key random_invert_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE_FORM(factor, KS_REQUIRED, NULL, KS_FORM_FROM_0),
    KS_ROW_LOOSE(value_range, ANY, 0, "[0, 255]"),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
};

DESCRIBED(RandomInvert, NO_KERNEL, NULL, random_invert_keys);

static const ks_key random_perspective_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE_FORM(factor, 0, "[0, 1.0]", KS_FORM_FROM_0),
    KS_ROW_LOOSE(scale, FLOAT, 0, "1.0"),
    KS_ROW_LOOSE(interpolation, TEXT, 0, "\"bilinear\""),
    KS_ROW_LOOSE(fill_value, FLOAT, 0, "0.0"),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
};

DESCRIBED(RandomPerspective, NO_KERNEL, NULL, random_perspective_keys);

static const ks_key random_posterization_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE_FORM(factor, KS_REQUIRED, NULL, KS_FORM_FROM_1),
    KS_ROW_LOOSE(value_range, ANY, 0, "[0, 255]"),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
};

DESCRIBED(RandomPosterization, NO_KERNEL, NULL, random_posterization_keys);

static const ks_key random_rotation_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE_FORM(factor, KS_REQUIRED, NULL, KS_FORM_AROUND_0),
    KS_ROW_LOOSE(fill_mode, TEXT, 0, "\"reflect\""),
    KS_ROW_LOOSE(fill_value, FLOAT, 0, "0.0"),
    KS_ROW_LOOSE(interpolation, TEXT, 0, "\"bilinear\""),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(value_range, ANY, KS_READ_ONLY, "[0, 255]"), // of 3.0 to 3.3, which do nothing with it
};

UNCHANGED(RandomRotation, random_rotation_keys);

static const ks_key random_saturation_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE_FORM(factor, KS_REQUIRED, NULL, KS_FORM_AROUND_0),
    KS_ROW_LOOSE(value_range, ANY, 0, "[0, 255]"),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
};

DESCRIBED(RandomSaturation, NO_KERNEL, NULL, random_saturation_keys);

static const ks_key random_sharpness_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE_FORM(factor, KS_REQUIRED, NULL, KS_FORM_FROM_0),
    KS_ROW_LOOSE(value_range, ANY, 0, "[0, 255]"),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
};

DESCRIBED(RandomSharpness, NO_KERNEL, NULL, random_sharpness_keys);

static const ks_key random_shear_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE_FORM(x_factor, 0, "[-0.0, 0.0]", KS_FORM_AROUND_0),
    KS_ROW_LOOSE_FORM(y_factor, 0, "[-0.0, 0.0]", KS_FORM_AROUND_0),
    KS_ROW_LOOSE(fill_mode, TEXT, 0, "\"reflect\""),
    KS_ROW_LOOSE(interpolation, TEXT, 0, "\"bilinear\""),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(fill_value, FLOAT, 0, "0.0"),
};

DESCRIBED(RandomShear, NO_KERNEL, NULL, random_shear_keys);

static const ks_key random_translation_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE(height_factor, ANY, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(width_factor, ANY, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(fill_mode, TEXT, 0, "\"reflect\""),
    KS_ROW_LOOSE(interpolation, TEXT, 0, "\"bilinear\""),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(fill_value, FLOAT, 0, "0.0"),
};

UNCHANGED(RandomTranslation, random_translation_keys);

static const ks_key random_zoom_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE(height_factor, ANY, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(width_factor, ANY, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(fill_mode, TEXT, 0, "\"reflect\""),
    KS_ROW_LOOSE(interpolation, TEXT, 0, "\"bilinear\""),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
    KS_ROW_LOOSE(fill_value, FLOAT, 0, "0.0"),
};

UNCHANGED(RandomZoom, random_zoom_keys);

static const ks_key solarization_keys[] = {
    IMAGE_KEYS,
    KS_ROW_LOOSE(value_range, ANY, 0, "[0, 255]"),
    KS_ROW_LOOSE_FORM(addition_factor, 0, "[0, 0.0]", KS_FORM_FROM_0),
    KS_ROW_LOOSE_FORM(threshold_factor, 0, "[0, 0.0]", KS_FORM_FROM_0),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
};

DESCRIBED(Solarization, NO_KERNEL, NULL, solarization_keys);

// --- of Keras 2 only ------------------------------------------------------------------------------------------------

#define DESCRIBED_OLD(class_name, key_table)                                                                           \
    const ks_class ks_class_##class_name = {                                                                           \
        .name = #class_name,                                                                                           \
        .module = "keras2.layers",                                                                                     \
        .kind = KS_KIND_LAYER,                                                                                         \
        KS_KEYS(key_table),                                                                                            \
        .unsupported = NO_KERNEL,                                                                                      \
    }

static const ks_key random_size_keys[] = {
    KS_ROW_LOOSE(factor, ANY, KS_REQUIRED, NULL),
    KS_ROW_LOOSE(interpolation, TEXT, 0, "\"bilinear\""),
    KS_ROW_LOOSE(seed, ANY, KS_NULLABLE, "null"),
};

DESCRIBED_OLD(RandomHeight, random_size_keys);
DESCRIBED_OLD(RandomWidth, random_size_keys);
