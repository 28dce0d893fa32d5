/* Connections that threads share. Each end of a connection has a thread that sends and one that
   receives, in pieces of random size over loopback TCP with small buffers; the library waits, or
   the program does, and every byte is checked. Then the same under a storm of signals, on memory,
   with ends at any moment, with floods; and handshakes on contexts that are shared and changed
   meanwhile.

       threads [--short | --long] [--seed N]
               [duplex | storm | packets | ends | floods | input | contexts | unlocked]

   It is for ThreadSanitizer, which must find nothing. The program threads_unlocked is the same
   without the locks of objects: there it must find that calls overlap. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "threads.h"

enum { LINKS = 8, STORMED = 4, MEBI = 1 << 20, STORM_US = 100 };

/* ---- full duplex ---- */

static void nothing(int signal)
{
    (void)signal;
}

/* From now on the threads that talk get signals, but not this one; 0 ends it. */
static void storm(long microseconds)
{
    const struct itimerval timer = {{0, microseconds}, {0, microseconds}};
    struct sigaction action = {.sa_handler = nothing}; /* without SA_RESTART */
    sigset_t alarm_signal;

    sigemptyset(&alarm_signal);
    sigaddset(&alarm_signal, SIGALRM);
    pthread_sigmask(microseconds ? SIG_BLOCK : SIG_UNBLOCK, &alarm_signal, NULL);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void sum_up(struct talker talkers[][TALKERS], int links, double seconds)
{
    int64_t bytes = 0;

    for (int i = 0; i < links; i++) {
        for (int k = 0; k < TALKERS; k++) {
            talker_is_whole(&talkers[i][k], "full duplex");
            bytes += talkers[i][k].sends ? talkers[i][k].done : 0;
            figure_points(talkers[i][k].calls);
        }
    }
    figure_note("%lld MiB each way on %d connections, %.0f MiB/s",
                (long long)(bytes / 2 / links / MEBI), links, (double)bytes / MEBI / seconds);
}

/* Where the library waits, half of the links leave the handshake to the threads that talk: where
   the program polls, the bytes that one thread polls for may have been read by the other. */
static void open_links(struct link *link, int links)
{
    for (int i = 0; i < links; i++) {
        link_open(&link[i], &contexts[i % 2], (enum manner)(i % MANNERS));
        if (i / 2 % 2 == 0 || link[i].manner == POLLS)
            link_establish(&link[i]);
    }
}

static void talk_over(struct talker talkers[][TALKERS], int links, int64_t len, long storm_us)
{
    struct link link[LINKS];
    struct group group = {.count = 0};
    double began;

    open_links(link, links);
    began = seconds_now();
    for (int i = 0; i < links * TALKERS; i++) {
        if (i % TALKERS == 0)
            talkers_of(talkers[i / TALKERS], &link[i / TALKERS], (uint64_t)i, len);
        group_start(&group, talk, &talkers[i / TALKERS][i % TALKERS]);
    }
    storm(storm_us);
    group_join(&group);
    storm(0);
    for (int i = 0; i < links; i++)
        link_close(&link[i]);
    sum_up(talkers, links, seconds_now() - began);
}

static void full_duplex(void)
{
    static struct talker talkers[LINKS][TALKERS];

    figure_begin("threads: full duplex");
    talk_over(talkers, LINKS, stress_amount(8 * MEBI, 64 * MEBI, 1024 * MEBI), 0);
    figure_end();
}

/* ---- a storm of signals ---- */

static void full_duplex_in_a_storm(void)
{
    static struct talker talkers[STORMED][TALKERS];
    int64_t interrupted = 0;

    figure_begin("threads: full duplex, a signal every %d us", STORM_US);
    talk_over(talkers, STORMED, stress_amount(4 * MEBI, 16 * MEBI, 256 * MEBI), STORM_US);
    for (int i = 0; i < STORMED * TALKERS; i++)
        interrupted += talkers[i / TALKERS][i % TALKERS].interrupted;
    if (interrupted == 0)
        figure_failed("no call was interrupted");
    figure_note("%lld calls were interrupted", (long long)interrupted);
    figure_end();
}

/* ---- without the locks ---- */

/* Counts the reports that name the witness fields of objects. */
static int64_t reports_of(const char *command)
{
    FILE *output = popen(command, "r");
    char line[1024];
    int64_t reports = 0;

    while (output && fgets(line, sizeof line, output)) {
        if (strstr(line, "SUMMARY: ThreadSanitizer: data race") && strstr(line, " in witness"))
            reports++;
    }
    if (output)
        pclose(output);
    return reports;
}

/* Runs the other program, whose calls overlap: a sanitizer that stays silent there proves nothing
   where they do not. It may hang, and need not end well. */
static void unlocked(const char *program)
{
    char command[1024];

    if (strcmp(FSSL_SANITIZE, "thread") != 0) {
        figure_skip("threads: without the locks", "not built with ThreadSanitizer");
        return;
    }
    figure_begin("threads: without the locks");
    snprintf(command, sizeof command, "exec timeout 10 '%s_unlocked' --seed %llu overlap 2>&1",
             program, (unsigned long long)stress_seed());
    figure_points(reports_of(command));
    figure_note("overlapping calls that were reported, which must be some");
    figure_end();
}

/* What that program does: it may well end by a signal. */
static void overlap(void)
{
    static struct talker talkers[1][TALKERS];

    figure_begin("threads: calls that may overlap");
    talk_over(talkers, 1, MEBI, 0);
    figure_end();
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv);
    contexts_open();
    watch_start();
    if (stress_chosen("duplex"))
        full_duplex();
    if (stress_chosen("storm"))
        full_duplex_in_a_storm();
    if (stress_chosen("packets"))
        packets();
    if (stress_chosen("ends"))
        ends_at_any_moment();
    if (stress_chosen("floods"))
        floods();
    if (stress_chosen("input"))
        polls_for_input_alone();
    if (stress_chosen("contexts"))
        handshakes_on_shared_contexts();
    if (stress_chosen("unlocked"))
        unlocked(argv[0]);
    else if (stress_chosen("overlap"))
        overlap();
    contexts_close();
    return stress_end();
}
