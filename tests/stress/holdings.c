#include "holdings.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "figure.h"
#include "flatssl.h"

enum { GROWTH_MOST = 1 << 20 };

static int64_t open_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int64_t count = 0;

    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

struct holdings holdings_now(void)
{
    struct holdings now = {0, fssl_handle_count(FSSL_TYPE_ANY, NULL), open_fds()};
    FILE *file = fopen("/proc/self/statm", "r");
    long long all, present;

    if (file && fscanf(file, "%lld %lld", &all, &present) == 2)
        now.memory = present * sysconf(_SC_PAGESIZE);
    else
        figure_failed("/proc/self/statm cannot be read");
    if (file)
        fclose(file);
    return now;
}

void holdings_compare(struct holdings before)
{
    struct holdings after = holdings_now();

    if (after.memory - before.memory >= GROWTH_MOST)
        figure_failed("memory grew by %lld bytes", (long long)(after.memory - before.memory));
    if (after.handles != before.handles)
        figure_failed("%lld handles became %lld", (long long)before.handles,
                      (long long)after.handles);
    if (after.fds != before.fds)
        figure_failed("%lld fds became %lld", (long long)before.fds, (long long)after.fds);
    figure_note("%+lld KiB, %lld handles and %lld fds as before",
                (long long)(after.memory - before.memory) / 1024, (long long)after.handles,
                (long long)after.fds);
}
