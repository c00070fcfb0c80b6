/* SPDX-License-Identifier: MIT
 *
 * What the log says of a try that failed: the authority's words, the cause that is named for each kind of problem, and
 * when the next try is.
 */
#include "tests/unit/test.h"

#include "acme/report.h"
#include "base/log.h"

#include <unistd.h>

static const struct schedule SCHEDULE = {.failures = 2, .next_try = 1800000000};

/* The line of that outcome, static until the next. */
static const char *line_of_schedule(const struct acme_outcome *o, const struct schedule *schedule)
{
    static char line[LOG_LINE_MAX + 1];
    int ends[2];
    ssize_t n;

    if (!CHECK(pipe(ends) == 0))
        return "";
    log_set_fd(ends[1]);
    report_failure("site.test", o, schedule);
    log_flush();
    n = read(ends[0], line, sizeof line - 1);
    line[n > 0 ? n : 0] = 0;
    log_set_fd(-1);
    close(ends[0]);
    close(ends[1]);
    return line;
}

static const char *line_of(const struct acme_outcome *o)
{
    return line_of_schedule(o, &SCHEDULE);
}

static bool says(const char *line, const char *text)
{
    if (strstr(line, text) != NULL)
        return true;
    printf("    the line: %s", line);
    return false;
}

TEST(all_of_it)
{
    const char *line = line_of(&(struct acme_outcome){
        .why = "nobody there", .problem = "connection", .name = "a.test", .address = "192.0.2.1"});

    CHECK(says(
        line,
        "acme: a.test: nobody there (address tried: 192.0.2.1); likely: nothing that asked for the challenge "
        "reached this proxy"));
    CHECK(says(line, "; try 2 failed, the next is not before 2027-01-15T08:00:00.000Z\n"));
    line = line_of(&(struct acme_outcome){
        .why = "no", .problem = "connection", .name = "a.test", .address = "2001:db8::1"});
    CHECK(says(line, "by IPv6: port 80 of that address must lead here, or the name's AAAA record must go"));
    line = line_of(&(struct acme_outcome){
        .why = "no", .problem = "unauthorized", .name = "a.test", .address = "2001:db8::1"});
    CHECK(says(line, "does the name's AAAA record point to this machine?"));
    line = line_of(&(struct acme_outcome){.why = "no", .problem = ""});
    CHECK(says(line, "acme: site.test: no; try 2 failed"));
}

TEST(causes)
{
    static const struct {
        const char *problem, *says;
        unsigned asked;
    } of[] = {
        {"rateLimited",             "limits how often it is asked",                  0},
        {"caa",                     "proxy --check NAME says where and what to add", 0},
        {"caa",                     "a CAA record of the name or of a parent",       3}, /* it had asked before */
        {"dns",                     "look at its A and AAAA records",                0},
        {"rejectedIdentifier",      "does not issue for this name",                  0},
        {"externalAccountRequired", "external-account KEY-ID HMAC-KEY",              0},
        {"connection",              "port 80 of that address must lead here",        0},
        {"connection",              "is there a second address (AAAA)",              1},
        {"unauthorized",            "does the name point to this machine?",          0},
        {"incorrectResponse",       "does the name point to this machine?",          0},
    };

    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++)
        CHECK(says(line_of(&(struct acme_outcome){
                       .why = "no", .problem = of[i].problem, .name = "a.test", .asked = of[i].asked}),
                   of[i].says));
    CHECK(strstr(line_of(&(struct acme_outcome){.why = "no", .problem = "serverInternal", .name = "a.test"}),
                 "likely") == NULL);
}

/* Of an account, say: no server was asked for a challenge. */
TEST(no_name_is_at_hand)
{
    static const char *const problems[] = {"connection", "unauthorized", "incorrectResponse"};

    for (size_t i = 0; i < sizeof problems / sizeof problems[0]; i++) {
        CHECK(strstr(line_of(&(struct acme_outcome){.why = "no", .problem = problems[i]}), "likely") == NULL);
        CHECK(
            says(line_of(&(struct acme_outcome){.why = "no", .problem = problems[i], .address = "192.0.2.1"}),
                 "likely"));
    }
    CHECK(says(line_of(&(struct acme_outcome){.why = "no", .problem = "rateLimited"}), "likely"));
}

/* Of the authority's own server, as we see it; not of what it says of others. */
TEST(certificate_by_another_clock)
{
    static const char why[] = "ca.test: certificate expired or not yet valid (192.0.2.1:443)";

    CHECK(says(line_of(&(struct acme_outcome){.why = why, .problem = ""}),
               "(192.0.2.1:443); likely: the clock of this machine is wrong; try 2"));
    CHECK(strstr(line_of(&(struct acme_outcome){.why = why, .problem = "tls"}), "clock") == NULL);
}

/* A line of the log is cut: what we say stands behind the authority's words, and its numbers are what one waits for. */
TEST(long_words_leave_ours)
{
    static const struct schedule last = {.failures = 1000, .next_try = 1800000000};
    static char why[2048], name[254], address[301];
    const char *line;

    memset(why, 'w', sizeof why - 1);
    memcpy(why + sizeof why - 5, "end", 4); /* and all of them are said */
    memset(name, 'n', sizeof name - 1);
    memset(address, 'a', sizeof address - 1);
    line = line_of_schedule(
        &(struct acme_outcome){.why = why, .problem = "caa", .name = name, .address = address}, &last);
    CHECK(says(line, "www... (address tried: aaa"));
    CHECK(says(line, "); likely: a CAA record of"));
    CHECK(says(line, "; try 1000 failed, the next is not before 2027-01-15T08:00:00.000Z\n"));
    CHECK(says(line, ": ...www") && says(line, "wwwend\n"));
    why[640] = '\0';
    CHECK(says(line_of(&(struct acme_outcome){.why = why, .problem = ""}), "www; try 2 failed"));
}

TEST(names)
{
    const char *const all[] = {"a", "b", "c", "d", "e", "f", "g"};
    char out[REPORT_NAMES];

    CHECK_STR(report_names(all, 1, out), "a");
    CHECK_STR(report_names(all, 5, out), "a, b, c, d, e");
    CHECK_STR(report_names(all, 7, out), "a, b, c, d, e and 2 more");
}

TEST_MAIN(RUN(all_of_it), RUN(causes), RUN(long_words_leave_ours), RUN(no_name_is_at_hand),
          RUN(certificate_by_another_clock), RUN(names))
