# Warnings and sanitizers of this project, on a target that is linked privately and never exported.
add_library(ks_options INTERFACE)
target_compile_options(ks_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wundef -Wvla -Wformat=2
  -Wdouble-promotion -Wimplicit-fallthrough -ffp-contract=off
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
  $<$<BOOL:${KASSAY_WERROR}>:-Werror>)
target_compile_definitions(ks_options INTERFACE _GNU_SOURCE KASSAY_VERSION="${PROJECT_VERSION}")
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
