/* What the test programs share. */
#ifndef POSTERN_CHECK_H
#define POSTERN_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ends the program with status 1, and says where, when the condition does not hold. */
#define CHECK(condition) check((condition), #condition, __FILE__, __LINE__)
void check(bool holds, const char *condition, const char *file, int line);

/* Runs a case, which is killed by SIGALRM when it takes longer than any should, and looks for descriptors left open. */
#define RUN(run_case) run(#run_case, run_case)
void run(const char *name, void (*run_case)(void));

/* Numbers that are the same in every run (xorshift64). */
uint64_t random_number(void);
uint64_t random_below(uint64_t end);

/* How many descriptors are open. */
int count_descriptors(void);

#endif
