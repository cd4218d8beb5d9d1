# Warnings and sanitizers of this project, on a target that is linked privately and never exported.
add_library(ks_options INTERFACE)
target_compile_options(ks_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wundef -Wvla -Wformat=2
  -Wdouble-promotion -Wimplicit-fallthrough -ffp-contract=off -fno-plt
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
  $<$<BOOL:${KASSAY_WERROR}>:-Werror>)
target_compile_definitions(ks_options INTERFACE _GNU_SOURCE KASSAY_VERSION="${PROJECT_VERSION}")
# Shapes are structs of 264 bytes, copied hundreds of times in a load. gcc makes `rep movs` of them, whose start costs
# more than the copy; with loads and stores small files load 3 % faster.
include(CheckCCompilerFlag)
set(KS_COPY_FLAGS -mmemcpy-strategy=unrolled_loop:512:noalign,libcall:-1:noalign
  -mmemset-strategy=unrolled_loop:512:noalign,libcall:-1:noalign)
check_c_compiler_flag("${KS_COPY_FLAGS}" KS_HAS_COPY_FLAGS)
if(KS_HAS_COPY_FLAGS)
  target_compile_options(ks_options INTERFACE ${KS_COPY_FLAGS})
endif()
if(KASSAY_SANITIZER)
  target_compile_options(ks_options INTERFACE
    -fsanitize=${KASSAY_SANITIZER} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  target_link_options(ks_options INTERFACE -fsanitize=${KASSAY_SANITIZER})
endif()
if(KASSAY_COVERAGE)
  target_compile_options(ks_options INTERFACE -fprofile-instr-generate -fcoverage-mapping)
  target_link_options(ks_options INTERFACE -fprofile-instr-generate)
endif()
if(KASSAY_FUZZ_ENGINE STREQUAL "libfuzzer")
  target_compile_options(ks_options INTERFACE -fsanitize=fuzzer-no-link -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION)
  target_link_options(ks_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
