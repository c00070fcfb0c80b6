/* SPDX-License-Identifier: MIT
 *
 * Owns what BearSSL's error numbers mean to us: the alert that the peer is sent (RFC 5246 §7.2.2), and the words for
 * the log.
 */
#include "tls/alert.h"
#include "tls/bear12.h"
#include "tls/verify.h"

static const struct bear12_error errors[] = {
    [BR_ERR_BAD_PARAM] = {ALERT_DECODE_ERROR,            "malformed handshake message"            },
    [BR_ERR_BAD_STATE] = {ALERT_INTERNAL_ERROR,          "TLS engine in a bad state"              },
    [BR_ERR_UNSUPPORTED_VERSION] = {ALERT_PROTOCOL_VERSION,        "no common TLS version"                  },
    [BR_ERR_BAD_VERSION] = {ALERT_PROTOCOL_VERSION,        "record of another TLS version"          },
    [BR_ERR_BAD_LENGTH] = {ALERT_RECORD_OVERFLOW,         "record of a bad length"                 },
    [BR_ERR_TOO_LARGE] = {ALERT_RECORD_OVERFLOW,         "record too large"                       },
    [BR_ERR_BAD_MAC] = {ALERT_BAD_RECORD_MAC,          "record does not authenticate"           },
    [BR_ERR_NO_RANDOM] = {ALERT_INTERNAL_ERROR,          "no random bytes"                        },
    [BR_ERR_UNKNOWN_TYPE] = {ALERT_UNEXPECTED_MESSAGE,      "record of an unknown type"              },
    [BR_ERR_UNEXPECTED] = {ALERT_UNEXPECTED_MESSAGE,      "unexpected message"                     },
    [BR_ERR_BAD_CCS] = {ALERT_UNEXPECTED_MESSAGE,      "malformed ChangeCipherSpec"             },
    [BR_ERR_BAD_ALERT] = {ALERT_DECODE_ERROR,            "malformed alert"                        },
    [BR_ERR_BAD_HANDSHAKE] = {ALERT_DECODE_ERROR,            "malformed handshake message"            },
    [BR_ERR_OVERSIZED_ID] = {ALERT_DECODE_ERROR,            "session id too long"                    },
    [BR_ERR_BAD_CIPHER_SUITE] = {ALERT_ILLEGAL_PARAMETER,       "server chose a cipher suite not offered"},
    [BR_ERR_BAD_COMPRESSION] = {ALERT_ILLEGAL_PARAMETER,       "server chose a compression not offered" },
    [BR_ERR_BAD_FRAGLEN] = {ALERT_ILLEGAL_PARAMETER,       "bad max_fragment_length"                },
    [BR_ERR_BAD_SECRENEG] = {ALERT_HANDSHAKE_FAILURE,       "bad renegotiation_info"                 },
    [BR_ERR_EXTRA_EXTENSION] = {ALERT_UNSUPPORTED_EXTENSION,   "extension not asked for"                },
    [BR_ERR_BAD_SNI] = {ALERT_ILLEGAL_PARAMETER,       "bad server_name"                        },
    [BR_ERR_BAD_HELLO_DONE] = {ALERT_DECODE_ERROR,            "malformed ServerHelloDone"              },
    [BR_ERR_LIMIT_EXCEEDED] = {ALERT_ILLEGAL_PARAMETER,       "key or signature too large"             },
    [BR_ERR_BAD_FINISHED] = {ALERT_DECRYPT_ERROR,           "bad Finished"                           },
    [BR_ERR_RESUME_MISMATCH] = {ALERT_ILLEGAL_PARAMETER,       "resumed session does not match"         },
    [BR_ERR_INVALID_ALGORITHM] = {ALERT_HANDSHAKE_FAILURE,       "no common algorithm"                    },
    [BR_ERR_BAD_SIGNATURE] = {ALERT_DECRYPT_ERROR,           "bad signature"                          },
    [BR_ERR_WRONG_KEY_USAGE] = {ALERT_BAD_CERTIFICATE,         "certificate's key is for another use"   },
    [BR_ERR_NO_CLIENT_AUTH] = {ALERT_HANDSHAKE_FAILURE,       "no client certificate"                  },
    [BR_ERR_X509_INVALID_VALUE] = {ALERT_BAD_CERTIFICATE,         "malformed certificate"                  },
    [BR_ERR_X509_EMPTY_CHAIN] = {ALERT_BAD_CERTIFICATE,         "no certificate"                         },
    [BR_ERR_X509_UNSUPPORTED] = {ALERT_UNSUPPORTED_CERTIFICATE, "certificate with unsupported features"  },
    [BR_ERR_X509_LIMIT_EXCEEDED] = {ALERT_UNSUPPORTED_CERTIFICATE, "certificate's key is too large"         },
    [BR_ERR_X509_WRONG_KEY_TYPE] = {ALERT_UNSUPPORTED_CERTIFICATE, "certificate's key has the wrong type"   },
    [BR_ERR_X509_BAD_SIGNATURE] = {ALERT_BAD_CERTIFICATE,         "bad signature in the certificate chain" },
    [BR_ERR_X509_TIME_UNKNOWN] = {ALERT_INTERNAL_ERROR,          "time is not known"                      },
    [BR_ERR_X509_EXPIRED] = {ALERT_CERTIFICATE_EXPIRED,     "certificate expired or not yet valid"   },
    [BR_ERR_X509_DN_MISMATCH] = {ALERT_BAD_CERTIFICATE,         "certificate chain out of order"         },
    [BR_ERR_X509_BAD_SERVER_NAME] = {ALERT_BAD_CERTIFICATE,         "certificate is for another name"        },
    [BR_ERR_X509_CRITICAL_EXTENSION] = {ALERT_UNSUPPORTED_CERTIFICATE,
                          "unknown critical extension in certificate"                             },
    [BR_ERR_X509_NOT_CA] = {ALERT_BAD_CERTIFICATE,         "intermediate certificate is no CA"      },
    [BR_ERR_X509_FORBIDDEN_KEY_USAGE] = {ALERT_BAD_CERTIFICATE,         "certificate's key is for another use"   },
    [BR_ERR_X509_WEAK_PUBLIC_KEY] = {ALERT_BAD_CERTIFICATE,         "certificate's key is too weak"          },
    [BR_ERR_X509_NOT_TRUSTED] = {ALERT_UNKNOWN_CA,              "certificate chain ends at no known CA"  },
    [VERIFY_ERR_MEMORY] = {ALERT_INTERNAL_ERROR,          "out of memory"                          },
};

struct bear12_error bear12_error_of(int err)
{
    static const struct bear12_error malformed = {ALERT_BAD_CERTIFICATE, "malformed certificate"};
    static const struct bear12_error unknown = {ALERT_INTERNAL_ERROR, "TLS engine failed"};

    if (err > 0 && (size_t)err < sizeof errors / sizeof errors[0] && errors[err].text)
        return errors[err];
    return err > BR_ERR_X509_OK && err <= BR_ERR_X509_NOT_TRUSTED ? malformed : unknown;
}

/* Alerts that BearSSL's handshake sends by itself, in words. */
const char *bear12_sent_text(uint8_t alert)
{
    switch (alert) {
    case ALERT_HANDSHAKE_FAILURE: return "no common cipher suite";
    case ALERT_PROTOCOL_VERSION: return "no common TLS version";
    case ALERT_NO_APPLICATION_PROTOCOL: return "no common application protocol";
    default: return alert_sent_text(alert);
    }
}
