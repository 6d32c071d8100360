/* verbs.h: the program's verbs. Each takes the arguments behind its name and returns the exit code.
 *
 *   0 done   1 the answer is no (audit found a violation, a plan was refused, a rehearsal went wrong)
 *   2 used wrongly (flags, configuration)   3 could not be done (no such file, folder in use, no memory) */
#ifndef TICKETRUSH_NODE_VERBS_H
#define TICKETRUSH_NODE_VERBS_H

enum { EXIT_DONE = 0, EXIT_NO = 1, EXIT_USAGE = 2, EXIT_CANNOT = 3 };

int verb_serve(int argc, char **argv);
int verb_rehearse(int argc, char **argv);
int verb_audit(int argc, char **argv);
int verb_plan(int argc, char **argv);
int verb_token(int argc, char **argv);
int verb_version(int argc, char **argv);

#endif
