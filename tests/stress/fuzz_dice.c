/* Drives a fuzzing program by dice: each input is random bytes of random length. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

int main(int argc, char **argv)
{
    const int64_t *points = fuzz_amounts.points, *seconds = fuzz_amounts.seconds;
    uint8_t *data = malloc((size_t)fuzz_amounts.longest);
    double end;

    stress_begin(argc, argv);
    fuzz_begin();
    figure_begin("%s by dice", fuzz_name);
    end = seconds_now() + (double)stress_amount(seconds[0], seconds[1], seconds[2]);
    for (uint64_t round = 0; figure_tried() < stress_amount(points[0], points[1], points[2]) &&
                             figure_failures() == 0 && seconds_now() < end;
         round++) {
        struct dice dice = dice_of(stress_seed(), round);
        int64_t len = 1 + dice_below(&dice, fuzz_amounts.longest);

        dice_fill(&dice, data, len);
        fuzz_one(data, (size_t)len);
        if (figure_failures())
            printf("that was round %llu\n", (unsigned long long)round);
    }
    figure_end();
    free(data);
    return stress_end();
}
