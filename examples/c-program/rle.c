/* rle: run lengths of standard input. `aaab` becomes `3a1b`; -d undoes it. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void encode(void)
{
    int previous = EOF;
    unsigned long run = 0;

    for (;;) {
        int next = getchar();
        if (next != previous && run > 0) {
            printf("%lu%c", run, previous);
            run = 0;
        }
        if (next == EOF)
            return;
        previous = next;
        run++;
    }
}

static int decode(void)
{
    unsigned long run = 0;
    int next;

    while ((next = getchar()) != EOF) {
        if (isdigit(next)) {
            run = run * 10 + (unsigned long)(next - '0');
            continue;
        }
        if (run == 0) {
            fprintf(stderr, "rle: a letter without a count\n");
            return 1;
        }
        while (run > 0) {
            putchar(next);
            run--;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        encode();
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "-d") == 0)
        return decode();
    fprintf(stderr, "usage: rle [-d]\n");
    return 2;
}
