/* check_main: runs one Check suite as a program, with APR set up. */
#ifndef OCSPX_CHECK_MAIN_H
#define OCSPX_CHECK_MAIN_H

#include <apr_general.h>
#include <check.h>
#include <stdlib.h>

/* Under a sanitizer a process holds memory of its own, and never gives up what
 * is freed at once. */
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MEMORY_IS_OURS 0
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_IS_OURS 0
#endif
#ifndef MEMORY_IS_OURS
#define MEMORY_IS_OURS 1
#endif

static inline int ocspx_check_main(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    apr_initialize();
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    apr_terminate();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
