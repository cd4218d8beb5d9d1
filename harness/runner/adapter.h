// SPDX-License-Identifier: Apache-2.0
//
// An implementation under test: a program that speaks the adapter protocol "kassay-adapter/1", whose messages are
// described in harness/adapters/README.md. Two forms: one process per request (`CMD read FILE …`, exit status 10, 11 or
// 12 and a reply file that says the same), or one process for all (`CMD serve`, JSON lines on descriptors 3 and 4).
#ifndef KASSAY_HARNESS_RUNNER_ADAPTER_H
#define KASSAY_HARNESS_RUNNER_ADAPTER_H

#include <kassay/value.h>

#include "runner/adapter_process.h"
#include "runner/outcome.h"

typedef enum ks_adapter_form { KS_ADAPTER_FIND, KS_ADAPTER_SMALL, KS_ADAPTER_LONG } ks_adapter_form;

/// What an adapter can give of a model that it read.
typedef enum ks_adapter_part {
    KS_ADAPTER_WEIGHTS,
    KS_ADAPTER_OUTPUTS,
    KS_ADAPTER_DUMP,
    KS_ADAPTER_N_PARTS
} ks_adapter_part;
const char *ks_adapter_part_name(ks_adapter_part part); ///< "weights", "outputs", "dump"

typedef struct ks_adapter_hello {
    char name[64], version[64];
    char formats[512]; ///< names of what it reads, each between spaces
    char writes[512];  ///< the same for what it writes
    bool gives[KS_ADAPTER_N_PARTS];
} ks_adapter_hello;

typedef struct ks_adapter {
    const char *command;
    ks_adapter_form form; ///< never KS_ADAPTER_FIND once it is open
    ks_adapter_limits limits;
    ks_adapter_hello hello;
    char folder[1024]; ///< holds the log and a folder per request
    ks_adapter_process process;
    int64_t seq;
    unsigned failed_starts; ///< in a row
    bool sweep;             ///< this process has no other children: at the end all are killed
} ks_adapter;

/// Paths are absolute; NULL where there is none.
typedef struct ks_adapter_request {
    const char *verb; ///< "read" or "write"
    const char *file, *format, *architecture, *initial;
    const ks_value *options;        ///< of a load into an existing model: a dict, or NULL
    const ks_value *custom_objects; ///< a list of names, or NULL
    const char *inputs, *outputs, *weights, *dump;
    const char *to, *out; ///< of "write": the format and the file
} ks_adapter_request;

typedef enum ks_adapter_answer { KS_ADAPTER_ACCEPTED, KS_ADAPTER_REJECTED, KS_ADAPTER_UNSUPPORTED } ks_adapter_answer;
const char *ks_adapter_answer_name(ks_adapter_answer answer);

typedef struct ks_adapter_reply {
    ks_outcome outcome; ///< NOT_RUN: it answered. Else CRASH, HANG, OVER_MEMORY, OVER_DISK or HARNESS_ERROR
    ks_adapter_answer answer;
    char message[600]; ///< the adapter's reason, or what went wrong with it
    /// Why a part of an accepted model could not be given; empty: it was.
    char failed[KS_ADAPTER_N_PARTS][300];
} ks_adapter_reply;

/// Starts the program and takes its `hello`. On failure the context's error tells what it did.
ks_code ks_adapter_open(ks_adapter *out, ks_context *context, const char *command, ks_adapter_form form,
                        const ks_adapter_limits *limits);
/// A further instance of an adapter whose form and hello are known; its process starts with the first request.
ks_code ks_adapter_open_like(ks_adapter *out, ks_context *context, const ks_adapter *like);
/// Ends its process until the next request: `bye`, and what does not go by that is killed.
void ks_adapter_rest(ks_adapter *adapter);
/// The same for ever.
void ks_adapter_close(ks_adapter *adapter);

bool ks_adapter_reads(const ks_adapter *adapter, const char *format);
bool ks_adapter_writes(const ks_adapter *adapter, const char *format);

/// One request. `scratch` is the folder of this request: it is measured, and holds the reply file of the small form.
/// After anything but an answer the process is ended; the next request starts another.
void ks_adapter_ask(ks_adapter_reply *out, ks_adapter *adapter, const ks_adapter_request *request, const char *scratch);

#endif
