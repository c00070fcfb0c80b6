/* SPDX-License-Identifier: MIT
 *
 * Not whether the kernel's bytes are random, but that each is handed out once, that draws of any size are filled, that
 * a draw below a bound is uniform, and that a kernel without random bytes ends the program.
 */
#include "tests/unit/test.h"

#include "base/random.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(every_size_is_filled)
{
    for (size_t n = 0; n < 700; n += n < 20 ? 1 : 37) {
        uint8_t *p = malloc(n + 1);
        bool seen_all = false;

        if (p == NULL)
            return;
        /* A byte that is written comes out other than 0 in one of 20 tries, all but surely. */
        for (int tries = 0; tries < 20 && !seen_all; tries++) {
            memset(p, 0, n + 1);
            random_bytes(p, n);
            seen_all = n == 0 || (p[0] != 0 && p[n - 1] != 0 && p[n / 2] != 0);
            CHECK_EQ(p[n], 0);
        }
        CHECK(seen_all);
        free(p);
    }
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, 8);
}

TEST(nothing_is_handed_out_twice)
{
    static uint8_t draws[20000][8];

    for (size_t i = 0; i < 20000; i++) {
        uint8_t between[300];

        random_bytes(draws[i], 8);
        random_bytes(between, i % 300); /* so that draws begin and end all over the block */
    }
    qsort(draws, 20000, 8, compare);
    for (size_t i = 1; i < 20000; i++)
        CHECK(memcmp(draws[i - 1], draws[i], 8) != 0);
}

TEST(below_a_bound)
{
    unsigned seen[6] = {0};

    for (int i = 0; i < 100; i++) {
        CHECK_EQ(random_below(1), 0);
        CHECK(random_below(3000000000u) < 3000000000u);
        CHECK(random_below(UINT32_MAX) < UINT32_MAX);
    }
    for (int i = 0; i < 60000; i++)
        seen[random_below(6)]++;
    for (int i = 0; i < 6; i++)
        CHECK(seen[i] > 9300 && seen[i] < 10700); /* more than seven standard deviations */
}

TEST(bias_of_a_large_bound)
{
    /* 2^32 mod this is a third of the range: taken without care, the lower half would come twice as often. */
    const uint32_t bound = 2863311531u;
    unsigned low = 0;

    for (int i = 0; i < 30000; i++)
        low += random_below(bound) < bound / 2;
    CHECK(low > 14400 && low < 15600);
}

/* Makes getrandom fail with ENOSYS in this process; false where the kernel has no seccomp. */
static bool take_getrandom_away(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST(a_kernel_without_random_bytes_ends_the_program)
{
    char text[256] = "";
    uint8_t block[512];
    int ends[2], status = 0;
    pid_t child;

    if (!CHECK(pipe(ends) == 0))
        return;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        if (!take_getrandom_away())
            _exit(77);
        random_bytes(block, sizeof block);
        _exit(0);
    }
    close(ends[1]);
    CHECK(read(ends[0], text, sizeof text - 1) >= 0);
    close(ends[0]);
    CHECK(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        return;
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK_STR(text,
              "proxy: the kernel gives no random bytes (getrandom: Function not implemented); stopping\n");
}

TEST_MAIN(RUN(every_size_is_filled), RUN(nothing_is_handed_out_twice), RUN(below_a_bound),
          RUN(bias_of_a_large_bound), RUN(a_kernel_without_random_bytes_ends_the_program))
