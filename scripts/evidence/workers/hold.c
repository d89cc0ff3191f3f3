/* Linked with librdkafka's rdkafka_performance, whose source stays as it is: holds its simple consumer, connected,
 * until a common start, and tells what the process had used at the start and at the end of its reading. The linker
 * puts these in place of three calls that the program makes once each (-Wl,--wrap); nothing is added to its loop.
 *
 * On standard error:  hold ready | hold start NUMBERS | hold end NUMBERS
 * with NUMBERS = CLOCK_MONOTONIC ns, CPU ns of the process, voluntary and involuntary context switches, peak memory
 * in KiB. On standard input it waits for the time to start in CLOCK_MONOTONIC ns; 0 is at once. */

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "rdkafka.h"

#define CONNECT_LIMIT_MS 15000

rd_kafka_topic_t *__real_rd_kafka_topic_new(rd_kafka_t *rk, const char *topic, rd_kafka_topic_conf_t *conf);
int __real_rd_kafka_consume_start_queue(rd_kafka_topic_t *rkt, int32_t partition, int64_t offset,
                                        rd_kafka_queue_t *queue);
int __real_rd_kafka_consume_stop(rd_kafka_topic_t *rkt, int32_t partition);

static uint64_t nanoseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* VmHWM and not ru_maxrss, which survives exec and so would show the peak of whatever started this process. */
static long peak_memory_kib(void) {
    char line[256];
    long kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    if (!status)
        return 0;
    while (fgets(line, sizeof(line), status))
        if (sscanf(line, "VmHWM: %ld", &kib) == 1)
            break;
    fclose(status);
    return kib;
}

static void tell(const char *moment) {
    struct rusage usage;
    uint64_t at_ns = nanoseconds(CLOCK_MONOTONIC), cpu_ns = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    getrusage(RUSAGE_SELF, &usage);
    fprintf(stderr, "hold %s %" PRIu64 " %" PRIu64 " %ld %ld %ld\n", moment, at_ns, cpu_ns, usage.ru_nvcsw,
            usage.ru_nivcsw, peak_memory_kib());
}

/* Connects and learns the leaders before the start, as tandem's members have. */
rd_kafka_topic_t *__wrap_rd_kafka_topic_new(rd_kafka_t *rk, const char *topic, rd_kafka_topic_conf_t *conf) {
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t error;
    rd_kafka_topic_t *made = __real_rd_kafka_topic_new(rk, topic, conf);
    if (!made)
        return NULL;
    error = rd_kafka_metadata(rk, 0, made, &metadata, CONNECT_LIMIT_MS);
    if (error) {
        fprintf(stderr, "hold: cannot reach the brokers: %s\n", rd_kafka_err2str(error));
        exit(3);
    }
    rd_kafka_metadata_destroy(metadata);
    return made;
}

int __wrap_rd_kafka_consume_start_queue(rd_kafka_topic_t *rkt, int32_t partition, int64_t offset,
                                        rd_kafka_queue_t *queue) {
    static int started = 0;
    if (!started) {
        char line[64];
        uint64_t at_ns;
        struct timespec at;
        fprintf(stderr, "hold ready\n");
        if (!fgets(line, sizeof(line), stdin)) {
            fprintf(stderr, "hold: no start came on standard input\n");
            exit(3);
        }
        at_ns = strtoull(line, NULL, 10);
        at.tv_sec = (time_t)(at_ns / 1000000000u);
        at.tv_nsec = (long)(at_ns % 1000000000u);
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL))
            ;
        tell("start");
        started = 1;
    }
    return __real_rd_kafka_consume_start_queue(rkt, partition, offset, queue);
}

int __wrap_rd_kafka_consume_stop(rd_kafka_topic_t *rkt, int32_t partition) {
    static int ended = 0;
    if (!ended) {
        tell("end");
        ended = 1;
    }
    return __real_rd_kafka_consume_stop(rkt, partition);
}
