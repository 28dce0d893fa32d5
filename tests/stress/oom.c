/* Fails every allocation in turn, once and then for ever after, in scenarios that should succeed
   and in scenarios that must not. Each point is a child of fork: it runs the scenario with the
   failure, and looks whether a handle, a block of flatssl's or an object of OpenSSL's is left,
   whether every call said what it had to, and whether the same scenario then succeeds.

       oom [--short | --long] [positive | negative | NAME...]
       oom at NAME once|ever INDEX          one point in this process, for a debugger */
#include "oom.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/rand.h>

#include "figure.h"

enum { POINT_SECONDS = 30, WORKERS = 2 };

static const char *const plan_name[] = {"never", "once", "ever"};

static const struct scenario_list *const lists[] = {&whole_connections, &decisions, &refusals};

struct point {
    const struct scenario *scenario;
    enum memory_plan plan;
    int64_t index;
};

static struct point at;

/* ---- one point ---- */

__attribute__((format(printf, 1, 2))) static void wrong(const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    figure_failed("at %s %s %lld (%s): %s", at.scenario->name, plan_name[at.plan],
                  (long long)at.index, memory_failed_at(), text);
}

static void see_left(const char *file, int line, size_t size)
{
    const char *name = strrchr(file, '/');

    wrong("left: %zu bytes of %s:%d", size, name ? name + 1 : file, line);
}

static void look_around(void)
{
    int64_t handles = fssl_handle_count(FSSL_TYPE_ANY, NULL);

    if (scene_complaint)
        wrong("%s", scene_complaint);
    if (handles)
        wrong("%lld handles left", (long long)handles);
    memory_left(see_left);
}

/* The whole of a point. The process is of no use afterwards. */
static void try_point(struct point point)
{
    bool done;

    at = point;
    memory_mark();
    memory_plan(point.plan, point.index);
    done = scene_run(point.scenario);
    memory_on(false);
    look_around();
    if (point.scenario->refuses && done)
        wrong("the peer was let in");
    memory_plan(FAIL_NEVER, 0);
    if (scene_run(point.scenario) == point.scenario->refuses)
        wrong("the next call does not work: %s", scene_trouble);
    look_around();
}

/* A child of fork seeds its dice anew when it first throws them, which allocates: that must not
   count, or the numbers were others than in the parent. */
static void seed_dice(void)
{
    unsigned char byte;

    if (RAND_bytes(&byte, 1) != 1 || RAND_priv_bytes(&byte, 1) != 1)
        abort();
}

static void point_in_child(struct point point)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        alarm(POINT_SECONDS);
        seed_dice();
        try_point(point);
        fflush(stdout);
        if (getenv("FLATSSL_COVERAGE"))
            exit(0); /* which writes down what was reached */
        _exit(0);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    at = point;
    if (WIFSIGNALED(status))
        wrong("%s", WTERMSIG(status) == SIGALRM ? "hangs" : strsignal(WTERMSIG(status)));
    figure_points(1);
}

/* ---- all points of a scenario ---- */

/* Returns how many allocations a scenario makes, in a process that has warmed up. */
static int64_t count_allocations(const struct scenario *scenario)
{
    at = (struct point){scenario, FAIL_NEVER, 0};
    for (int i = 0; i < 2; i++) {
        memory_mark();
        memory_plan(FAIL_NEVER, 0);
        if (scene_run(scenario) == scenario->refuses)
            wrong("without any failure it ends as it should not: %s", scene_trouble);
    }
    look_around();
    return memory_counted();
}

/* One allocation in so many is tried, for the coverage of src/ each that flatssl itself makes. */
static bool is_tried(int64_t index, int64_t step, enum memory_plan plan)
{
    if (getenv("FLATSSL_COVERAGE") && plan == FAIL_ONCE && memory_ours(index))
        return true;
    return (index - 1) % step == (int64_t)(stress_seed() % (uint64_t)step);
}

static void work(const struct scenario *scenario, enum memory_plan plan, int64_t count,
                 int64_t step, int worker)
{
    int64_t tried = 0;

    for (int64_t index = 1; index <= count; index++) {
        if (is_tried(index, step, plan) && tried++ % WORKERS == worker)
            point_in_child((struct point){scenario, plan, index});
    }
}

static void try_scenario(const struct scenario *scenario, enum memory_plan plan, int64_t step)
{
    int64_t count = count_allocations(scenario);
    pid_t worker[WORKERS];

    if (figure_failures())
        return;
    fflush(stdout);
    for (int i = 0; i < WORKERS; i++) {
        worker[i] = fork();
        if (worker[i] == 0) {
            work(scenario, plan, count, step, i);
            fflush(stdout);
            _exit(0);
        }
    }
    for (int i = 0; i < WORKERS; i++) {
        int status = 0;

        waitpid(worker[i], &status, 0);
        if (status)
            figure_failed("a worker ended with status %d", status);
    }
}

static bool chosen(const struct scenario *scenario)
{
    return stress_chosen(scenario->refuses ? "negative" : "positive") ||
           stress_chosen(scenario->name);
}

static void try_all(const struct scenario_list *list)
{
    int64_t step = stress_amount(151, 5, 1);

    for (int i = 0; i < list->count; i++) {
        const struct scenario *scenario = &list->scenarios[i];

        if (!chosen(scenario))
            continue;
        for (enum memory_plan plan = FAIL_ONCE; plan <= FAIL_FOR_EVER; plan++) {
            figure_begin("%s: %s, failing %s", scenario->refuses ? "oom-negative" : "oom",
                         scenario->name, plan_name[plan]);
            try_scenario(scenario, plan, step);
            figure_end();
        }
    }
}

/* ---- one point for a debugger ---- */

static const struct scenario *scenario_named(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        for (int j = 0; j < lists[i]->count; j++) {
            if (strcmp(lists[i]->scenarios[j].name, name) == 0)
                return &lists[i]->scenarios[j];
        }
    }
    printf("no scenario %s\n", name);
    exit(2);
}

static int one_point(char **argv)
{
    struct point point = {scenario_named(argv[2]), FAIL_ONCE, strtoll(argv[4], NULL, 10)};

    if (strcmp(argv[3], "ever") == 0)
        point.plan = FAIL_FOR_EVER;
    figure_begin("at");
    figure_points(1);
    count_allocations(point.scenario);
    try_point(point);
    figure_end();
    return stress_end();
}

int main(int argc, char **argv)
{
    memory_install();
    stress_begin(argc, argv);
    prepare_identities();
    setenv("SSL_CERT_FILE", ca_file, 1);
    setenv("SSL_CERT_DIR", "/nonexistent", 1);
    if (argc == 5 && strcmp(argv[1], "at") == 0)
        return one_point(argv);
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        try_all(lists[i]);
    remove_identities();
    return stress_end();
}
