/* SPDX-License-Identifier: MIT
 *
 * The plain values: what each directive takes, what it says to the rest, and where the value goes.
 */
#include "tests/unit/conf/support.h"

#include <stdlib.h>

#define SITE "\nsite a.example { upstream 1 }\n"

TEST(durations)
{
    static const struct conf_case cases[] = {
        {"10",                    ""                                                                      },
        {"500ms",                 ""                                                                      },
        {"5m",                    ""                                                                      },
        {"24h",                   ""                                                                      },
        {"0",                     "0 is not between 1ms and 24h"                                          },
        {"25h",                   "25h is not between 1ms and 24h"                                        },
        {"x",                     "'x' is not a duration; write 10s, 500ms, 5m or 12h"                    },
        {"-1s",                   "'-1s' is not a duration; write 10s, 500ms, 5m or 12h"                  },
        {"99999999999999999999s", "'99999999999999999999s' is not a duration; write 10s, 500ms, 5m or 12h"},
    };
    check_values("\nidle-timeout ", SITE, 14, cases, COUNT(cases));
}

TEST(sizes)
{
    static const struct conf_case cases[] = {
        {"256", ""                                                },
        {"1M",  ""                                                },
        {"255", "255 is not between 256 and 1M"                   },
        {"2M",  "2M is not between 256 and 1M"                    },
        {"8x",  "'8x' is not a size; write 16384, 16k, 10M or 1G" },
        {"off", "'off' is not a size; write 16384, 16k, 10M or 1G"},
    };
    static const struct conf_case bodies[] = {
        {"1",   ""                                                      },
        {"off", ""                                                      },
        {"0",   "0 is below 1, or off"                                  },
        {"x",   "'x' is not a size; write 16384, 16k, 10M or 1G, or off"},
    };
    check_values("\nmax-request-line ", SITE, 18, cases, COUNT(cases));
    check_values("\nmax-body ", SITE, 10, bodies, COUNT(bodies));
}

TEST(numbers)
{
    static const struct conf_case cases[] = {
        {"1",       ""                                            },
        {"off",     ""                                            },
        {"0",       "0 is not between 1 and 1000000, or off"      },
        {"1000001", "1000001 is not between 1 and 1000000, or off"},
        {"1k",      "'1k' is not a number and not off"            },
        {"\"\"",    "'' is not a number and not off"              },
    };
    static const struct conf_case fields[] = {
        {"100", ""                             },
        {"off", "'off' is not a number"        },
        {"9",   "9 is not between 10 and 10000"},
    };
    check_values("\nsession-cache ", SITE, 15, cases, COUNT(cases));
    check_values("\nmax-header-fields ", SITE, 19, fields, COUNT(fields));
}

TEST(tls)
{
    static const struct conf_case versions[] = {
        {"1.2", ""                        },
        {"1.3", ""                        },
        {"1.1", "'1.1' is none of 1.2|1.3"},
    };
    static const struct conf_case rotations[] = {
        {"1m",  ""                               },
        {"59s", "59s is not between 60s and 168h"},
        {"8d",  "8d is not between 60s and 168h" },
    };
    static const struct conf_case files[] = {
        {"ticket.keys", ""                                       },
        {"\"\"",        "an empty name; write the path of a file"},
    };
    check_values("\ntls-min ", SITE, 9, versions, COUNT(versions));
    check_values("\nticket-rotation ", SITE, 17, rotations, COUNT(rotations));
    check_values("\nticket-keys ", SITE, 13, files, COUNT(files));
}

TEST(rates)
{
    static const struct conf_case cases[] = {
        {"100",  ""                                                         },
        {"1k 0", ""                                                         },
        {"off",  ""                                                         },
        {"0",    "0 is not between 1 and 4294967295, or off"                },
        {"fast", "'fast' is not a size; write 16384, 16k, 10M or 1G, or off"},
    };
    static const struct conf_case graces[] = {
        {"2h",  "2h is not between 0s and 1h"                       },
        {"x",   "'x' is not a duration; write 10s, 500ms, 5m or 12h"},
        {"1 2", "'2' is too much; min-rate SIZE [GRACE]|off"        },
    };
    check_values("\nmin-rate ", SITE, 10, cases, COUNT(cases));
    check_values("\nmin-rate 1 ", SITE, 12, graces, 2);
    check_values("\nmin-rate 1 ", SITE, 14, graces + 2, 1);
}

TEST(choices)
{
    static const struct conf_case logs[] = {
        {"text",        ""                                                         },
        {"json",        ""                                                         },
        {"combined",    ""                                                         },
        {"off",         ""                                                         },
        {"format json", ""                                                         },
        {"on",          "'on' is none of [format] text|json|combined|off"          },
        {"form json",   "'form' is not format; log [format] text|json|combined|off"},
    };
    static const struct conf_case levels[] = {
        {"error", ""                                        },
        {"warn",  ""                                        },
        {"info",  ""                                        },
        {"debug", ""                                        },
        {"trace", "'trace' is none of error|warn|info|debug"},
    };
    static const struct conf_case confine[] = {
        {"on",  ""                       },
        {"off", ""                       },
        {"yes", "'yes' is none of on|off"}
    };

    check_values("\nlog ", SITE, 5, logs, COUNT(logs));
    check_values("\nlog-level ", SITE, 11, levels, COUNT(levels));
    check_values("\nconfine ", SITE, 9, confine, COUNT(confine));
}

TEST(users_folders_networks)
{
    static const struct conf_case users[] = {
        {"www-data", ""                               },
        {"65534",    ""                               },
        {"\"\"",     "'' is not the name of a user"   },
        {"a:b",      "'a:b' is not the name of a user"},
    };
    static const struct conf_case folders[] = {
        {"/state",        ""                                         },
        {"\"/my state\"", ""                                         },
        {"\"\"",          "an empty name; write the path of a folder"}
    };
    static const struct conf_case networks[] = {
        {"10.0.0.0/8 fd00::/8 192.0.2.1", ""                                                                              },
        {"10.0.0.0/33",                   "'10.0.0.0/33' is not a network; write 10.0.0.0/8, 2001:db8::/32 or one address"},
        {"all",                           "'all' is not a network; write 10.0.0.0/8, 2001:db8::/32 or one address"        },
    };
    check_values("\nuser ", SITE, 6, users, COUNT(users));
    check_values("\nstate ", SITE, 7, folders, COUNT(folders));
    check_values("\ntrusted-proxies ", SITE, 17, networks, COUNT(networks));
}

TEST(values_arrive)
{
    struct conf *c =
        conf_of("log-level debug; log json; confine off; user www; state st; session-cache off\n"
                "max-connections 10; max-connections-per-address 3; max-memory 64M; shutdown-timeout 1m\n"
                "handshake-timeout 1; header-timeout 2; body-timeout 3; response-timeout 4; idle-timeout 5\n"
                "connect-timeout 6; upstream-idle-timeout 7; max-request-line 1k; max-header-size 2k\n"
                "max-header-fields 11; max-body 1G; min-rate 1k 5s; trusted-proxies 10.0.0.0/8 ::1\n"
                "tls-min 1.3; ticket-rotation 1h; ticket-keys /k\n" SITE);

    if (c == NULL)
        return;
    CHECK_EQ(c->log_level, LOG_DEBUG);
    CHECK_EQ(c->log_format, CONF_LOG_JSON);
    CHECK(!c->confine);
    CHECK_STR(c->user, "www");
    CHECK_STR(c->state, "st");
    CHECK_STR(c->admin, "off"); /* no absolute path to make a socket's of */
    CHECK_EQ(c->session_cache, 0);
    CHECK(c->tls_min_13);
    CHECK_EQ(c->ticket_rotation, 3600000);
    CHECK_STR(c->ticket_keys, "/k");
    CHECK_EQ(c->max_connections, 10);
    CHECK_EQ(c->max_per_address, 3);
    CHECK(c->per_address_given);
    CHECK_EQ(c->max_memory, 64 << 20);
    CHECK_EQ(c->timeouts.shutdown, 60000);
    CHECK_EQ(c->timeouts.handshake, 1000);
    CHECK_EQ(c->timeouts.head, 2000);
    CHECK_EQ(c->timeouts.body, 3000);
    CHECK_EQ(c->timeouts.response, 4000);
    CHECK_EQ(c->timeouts.idle, 5000);
    CHECK_EQ(c->timeouts.connect, 6000);
    CHECK_EQ(c->timeouts.upstream_idle, 7000);
    CHECK_EQ(c->limits.request_line, 1024);
    CHECK_EQ(c->limits.header_bytes, 2048);
    CHECK_EQ(c->limits.header_count, 11);
    CHECK_EQ(c->limits.body, 1 << 30);
    CHECK_EQ(c->limits.min_rate, 1024);
    CHECK_EQ(c->limits.min_rate_grace, 5000);
    CHECK_EQ(c->trusted.count, 2);
    CHECK(memcmp(&c->sites[0].timeouts, &c->timeouts, sizeof c->timeouts) == 0);
    CHECK_EQ(c->sites[0].limits.header_count, 11);
    conf_unref(c);
}

TEST(memory_cap_can_be_off)
{
    struct conf *c = conf_of("max-memory off" SITE);

    CHECK(c != NULL && c->max_memory == 0);
    conf_unref(c);
}

TEST(states)
{
    static const struct conf_case cases[] = {
        {"/s",        ""},
        {"ephemeral", ""},
    };
    struct conf *c = conf_of("state /s" SITE);

    CHECK(!c->state_is_ephemeral);
    conf_unref(c);
    c = conf_of("state /s; state ephemeral" SITE);
    CHECK_STR(c->state, "/s");
    CHECK(c->state_is_ephemeral);
    conf_unref(c);
    setenv("XDG_STATE_HOME", "/x", 1);
    c = conf_of("state ephemeral" SITE);
    CHECK(c->state != NULL && c->state_is_ephemeral && strcmp(c->state, "ephemeral") != 0);
    conf_unref(c);
    static const struct conf_case second[] = {
        {"/t", "the folder is /s already"}
    };

    check_values("\nstate ", SITE, 7, cases, COUNT(cases));
    check_values("state /s\nstate ", SITE, 7, second, COUNT(second));
}

TEST(defaults_are_as_documented)
{
    struct conf *c = conf_of("state /s" SITE);

    if (c == NULL)
        return;
    CHECK_EQ(c->log_level, LOG_INFO);
    CHECK_EQ(c->log_format, CONF_LOG_TEXT);
    CHECK(c->confine);
    CHECK_STR(c->user, "nobody");
    CHECK_STR(c->admin, "unix:/s/control.sock");
    CHECK_EQ(c->session_cache, 2048);
    CHECK_EQ(c->max_connections, 0);
    CHECK_EQ(c->max_per_address, 256);
    CHECK(!c->per_address_given);
    CHECK(c->max_memory >= 1 << 20); /* half of the machine's */
    CHECK_EQ(c->timeouts.shutdown, 30000);
    CHECK_EQ(c->timeouts.handshake, 10000);
    CHECK_EQ(c->timeouts.head, 10000);
    CHECK_EQ(c->timeouts.body, 60000);
    CHECK_EQ(c->timeouts.response, 60000);
    CHECK_EQ(c->timeouts.idle, 75000);
    CHECK_EQ(c->timeouts.connect, 5000);
    CHECK_EQ(c->timeouts.upstream_idle, 4000);
    CHECK_EQ(c->limits.request_line, 8192);
    CHECK_EQ(c->limits.header_bytes, 32768);
    CHECK_EQ(c->limits.header_count, 100);
    CHECK_EQ(c->limits.body, 0);
    CHECK_EQ(c->limits.min_rate, 240);
    CHECK_EQ(c->limits.min_rate_grace, 10000);
    CHECK_EQ(c->trusted.count, 0);
    conf_unref(c);
}

/* What is global may come after the sites; a site's own value stays. */
TEST(sites_inherit)
{
    struct conf *c =
        conf_of("site a.example { upstream 1; idle-timeout 1; min-rate off; max-body 5 }\n"
                "site b.example { upstream 1; min-rate 7 3s }\n"
                "idle-timeout 9; connect-timeout 8; max-body 6; min-rate 500 1s; max-header-fields 50\n");

    if (c == NULL)
        return;
    CHECK_EQ(c->sites[0].timeouts.idle, 1000);
    CHECK_EQ(c->sites[0].timeouts.connect, 8000);
    CHECK_EQ(c->sites[0].limits.body, 5);
    CHECK_EQ(c->sites[0].limits.min_rate, 0);
    CHECK_EQ(c->sites[0].limits.header_count, 50);
    CHECK_EQ(c->sites[1].timeouts.idle, 9000);
    CHECK_EQ(c->sites[1].limits.body, 6);
    CHECK_EQ(c->sites[1].limits.min_rate, 7);
    CHECK_EQ(c->sites[1].limits.min_rate_grace, 3000);
    CHECK_EQ(c->timeouts.idle, 9000);
    conf_unref(c);
}

TEST_MAIN(RUN(durations), RUN(sizes), RUN(numbers), RUN(tls), RUN(rates), RUN(choices),
          RUN(users_folders_networks), RUN(values_arrive), RUN(memory_cap_can_be_off), RUN(states),
          RUN(defaults_are_as_documented), RUN(sites_inherit))
