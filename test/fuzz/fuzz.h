/* fuzz.h: what every fuzzer of this folder defines. libFuzzer calls it with inputs that it makes up; fuzz_main.c calls
 * it with the files of a corpus, so that in an ordinary build what was once found is looked at again. It returns 0, and
 * aborts when a promise is broken. */
#ifndef TICKETRUSH_TEST_FUZZ_FUZZ_H
#define TICKETRUSH_TEST_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
