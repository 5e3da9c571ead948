/* What is counted between two reports, and its line of JSON. */
#ifndef WINDOW_H
#define WINDOW_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define CODES 5000 /* HTTP statuses and close codes: they do not overlap */

enum failure { UNREACHABLE, CUT_OFF, TOO_LATE, NONSENSE, FAILURES };
static const char *const FAILURE_NAMES[FAILURES] = {"unreachable", "cut off", "too late", "nonsense"};

struct samples {
    float *values;
    size_t count, room;
};

/* The server has closed a client: which request it had made, and when, as `now()` says. */
struct end {
    unsigned request;
    double moment;
};

static struct ends {
    struct end *values;
    size_t count, room;
} ends;

static struct window {
    double began, cpu;
    struct samples handshakes, echoes; /* seconds each took */
    unsigned told[CODES];              /* refusals and closes, by what the client was told */
    unsigned failed[FAILURES];
    unsigned closed;           /* connections that ended with a proper close */
    unsigned steps;            /* opened, answered, closed: they tell more than whole cycles do, */
                               /* since clients that are served alike go through them abreast */
    unsigned wrongly_refused;  /* good credentials called bad: never to be forgiven */
    unsigned wrongly_admitted; /* bad ones that got an answer of the application */
} window;

static inline double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static inline double cpu_seconds(void) {
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static inline void add_sample(struct samples *samples, double value) {
    if (samples->count == samples->room) {
        samples->room = samples->room ? samples->room * 2 : 1 << 16;
        samples->values = realloc(samples->values, samples->room * sizeof *samples->values);
        if (!samples->values)
            abort();
    }
    samples->values[samples->count++] = (float)value;
}

static inline void add_end(unsigned request, double moment) {
    if (ends.count == ends.room) {
        ends.room = ends.room ? ends.room * 2 : 1 << 10;
        ends.values = realloc(ends.values, ends.room * sizeof *ends.values);
        if (!ends.values)
            abort();
    }
    ends.values[ends.count++] = (struct end){request, moment};
}

static inline void open_window(void) {
    ends.count = 0;
    struct samples handshakes = window.handshakes, echoes = window.echoes;
    handshakes.count = echoes.count = 0;
    window = (struct window){now(), cpu_seconds(), .handshakes = handshakes, .echoes = echoes};
}

static inline int by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static inline void print_samples(const char *name, struct samples *samples) {
    static const double quantiles[] = {0.5, 0.9, 0.95, 0.99, 1};
    static const char *const names[] = {"p50", "p90", "p95", "p99", "max"};
    printf(", \"%s\": {\"count\": %zu", name, samples->count);
    if (samples->count) {
        qsort(samples->values, samples->count, sizeof *samples->values, by_value);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            size_t rank = (size_t)(quantiles[i] * (double)(samples->count - 1) + 0.5);
            printf(", \"%s\": %.6f", names[i], samples->values[rank]);
        }
    }
    printf("}");
}

static inline void report(unsigned open) {
    printf("{\"seconds\": %.6f, \"cpu\": %.6f", now() - window.began, cpu_seconds() - window.cpu);
    printf(", \"open\": %u, \"closed\": %u", open, window.closed);
    printf(", \"cycles\": %.2f", window.steps / 3.0);
    printf(", \"wrongly_refused\": %u", window.wrongly_refused);
    printf(", \"wrongly_admitted\": %u", window.wrongly_admitted);
    print_samples("handshakes", &window.handshakes);
    print_samples("echoes", &window.echoes);
    const char *comma = "";
    printf(", \"told\": {");
    for (int code = 0; code < CODES; code++)
        if (window.told[code]) {
            printf("%s\"%d\": %u", comma, code, window.told[code]);
            comma = ", ";
        }
    comma = "";
    printf("}, \"failed\": {");
    for (int i = 0; i < FAILURES; i++)
        if (window.failed[i]) {
            printf("%s\"%s\": %u", comma, FAILURE_NAMES[i], window.failed[i]);
            comma = ", ";
        }
    comma = "";
    printf("}, \"ends\": [");
    for (size_t i = 0; i < ends.count; i++) {
        printf("%s[%u, %.6f]", comma, ends.values[i].request, ends.values[i].moment);
        comma = ", ";
    }
    printf("]}\n");
    fflush(stdout);
    open_window();
}

#endif
