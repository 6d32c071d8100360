/* unit_test.h: what the unit tests in this folder share. */
#ifndef TICKETRUSH_BASE_UNIT_TEST_H
#define TICKETRUSH_BASE_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs the statement in a child whose standard error is thrown away; true if it ended by abort(). */
#define ABORTS(statement)                                                             \
        ({                                                                            \
                pid_t child_ = fork();                                                \
                if (child_ == 0) {                                                    \
                        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO); \
                        statement;                                                    \
                        _exit(0);                                                     \
                }                                                                     \
                int status_ = 0;                                                      \
                assert_int_equal(waitpid(child_, &status_, 0), child_);               \
                (bool)(WIFSIGNALED(status_) && WTERMSIG(status_) == SIGABRT);         \
        })

/* A small generator with a fixed seed: a failing run can be repeated. */
static inline uint64_t test_random(uint64_t *state) {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        return *state;
}

#endif
