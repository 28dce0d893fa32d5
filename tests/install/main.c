/* Links with an installed flatssl and calls it; compiles as C and as C++. */
#include <flatssl.h>
#include <stdio.h>

int main(void)
{
    int32_t err = -1;
    int64_t version = fssl_version_number(&err);

    printf("flatssl %d.%d.%d\n", (int)(version / 10000), (int)(version / 100 % 100),
           (int)(version % 100));
    return version >= 10000 && err == FSSL_OK ? 0 : 1;
}
