/* log: where the engine's sentences go. Set once by the program around it. */
#ifndef OCSPX_LOG_H
#define OCSPX_LOG_H

typedef enum {
    OCSPX_LOG_ERROR,
    OCSPX_LOG_WARNING,
    OCSPX_LOG_NOTICE,
    OCSPX_LOG_INFO,
    OCSPX_LOG_DEBUG
} ocspx_log_level_e;

/**
 * Takes one finished line, without line end.
 * @param entry registry index of the certificate concerned; -1: none
 */
typedef void ocspx_log_write_fn(void *baton, ocspx_log_level_e level, int entry,
                                const char *line);

typedef struct {
    ocspx_log_write_fn *write;
    void *baton;
} ocspx_log_t;

/**
 * Write one line tagged "OCSPXnnnn: ". A tag belongs to one message for ever.
 * Lines longer than 1,000 bytes are cut.
 */
void ocspx_log(const ocspx_log_t *log, ocspx_log_level_e level, int tag,
               int entry, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
