/* log: where the engine's sentences go. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>

void ocspx_log(const ocspx_log_t *log, ocspx_log_level_e level, int tag,
               int entry, const char *format, ...)
{
    char line[1024];
    int n = snprintf(line, sizeof(line), "OCSPX%04d: ", tag);
    va_list args;

    va_start(args, format);
    vsnprintf(line + n, sizeof(line) - (size_t)n, format, args);
    va_end(args);
    log->write(log->baton, level, entry, line);
}
