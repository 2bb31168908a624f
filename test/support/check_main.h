/* check_main: runs one Check suite as a program, with APR set up. */
#ifndef OCSPX_CHECK_MAIN_H
#define OCSPX_CHECK_MAIN_H

#include <apr_general.h>
#include <check.h>
#include <stdlib.h>

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
