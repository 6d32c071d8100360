/* assert.h: preconditions, spoken aloud.
 *
 * An assertion states what the programmer promised; it stays on in production and stops the process. Input from
 * outside is never asserted, it is checked and refused (see fault.h). */
#ifndef TICKETRUSH_BASE_ASSERT_H
#define TICKETRUSH_BASE_ASSERT_H

/* Prints the place and the broken promise on standard error and aborts. Never returns. */
_Noreturn void assert_failed(const char *kind, const char *what, const char *file, int line);

#define PRE(condition) ((condition) ? (void)0 : assert_failed("precondition", #condition, __FILE__, __LINE__))
#define POST(condition) ((condition) ? (void)0 : assert_failed("postcondition", #condition, __FILE__, __LINE__))
#define INVARIANT(condition) ((condition) ? (void)0 : assert_failed("invariant", #condition, __FILE__, __LINE__))
#define IMPLIES(a, b) (!(a) || (b))
#define IMPOSSIBLE(why) assert_failed("impossible", why, __FILE__, __LINE__)

#endif
