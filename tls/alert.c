/* SPDX-License-Identifier: MIT
 *
 * Owns the table of alerts: number, the RFC's name, and the texts that a failure carries.
 */
#include "tls/alert.h"
#include "tls/tls.h"

#include <stddef.h>

#define RECEIVED "peer sent alert "
#define SENT     "sent alert "

/* One text serves as all three: what was received ends in what was sent, and both in the name. */
struct alert {
    uint8_t number;
    char received[sizeof RECEIVED + 32];
};

#define ALERT(n, name)                           \
    {                                            \
        .number = (n), .received = RECEIVED name \
    }

static const struct alert alerts[] = {
    ALERT(ALERT_CLOSE_NOTIFY, "close_notify"),
    ALERT(ALERT_UNEXPECTED_MESSAGE, "unexpected_message"),
    ALERT(ALERT_BAD_RECORD_MAC, "bad_record_mac"),
    ALERT(21, "decryption_failed"),
    ALERT(ALERT_RECORD_OVERFLOW, "record_overflow"),
    ALERT(30, "decompression_failure"),
    ALERT(ALERT_HANDSHAKE_FAILURE, "handshake_failure"),
    ALERT(41, "no_certificate"),
    ALERT(ALERT_BAD_CERTIFICATE, "bad_certificate"),
    ALERT(ALERT_UNSUPPORTED_CERTIFICATE, "unsupported_certificate"),
    ALERT(ALERT_CERTIFICATE_REVOKED, "certificate_revoked"),
    ALERT(ALERT_CERTIFICATE_EXPIRED, "certificate_expired"),
    ALERT(ALERT_CERTIFICATE_UNKNOWN, "certificate_unknown"),
    ALERT(ALERT_ILLEGAL_PARAMETER, "illegal_parameter"),
    ALERT(ALERT_UNKNOWN_CA, "unknown_ca"),
    ALERT(ALERT_ACCESS_DENIED, "access_denied"),
    ALERT(ALERT_DECODE_ERROR, "decode_error"),
    ALERT(ALERT_DECRYPT_ERROR, "decrypt_error"),
    ALERT(60, "export_restriction"),
    ALERT(ALERT_PROTOCOL_VERSION, "protocol_version"),
    ALERT(ALERT_INSUFFICIENT_SECURITY, "insufficient_security"),
    ALERT(ALERT_INTERNAL_ERROR, "internal_error"),
    ALERT(ALERT_INAPPROPRIATE_FALLBACK, "inappropriate_fallback"),
    ALERT(ALERT_USER_CANCELED, "user_canceled"),
    ALERT(ALERT_NO_RENEGOTIATION, "no_renegotiation"),
    ALERT(ALERT_MISSING_EXTENSION, "missing_extension"),
    ALERT(ALERT_UNSUPPORTED_EXTENSION, "unsupported_extension"),
    ALERT(111, "certificate_unobtainable"),
    ALERT(ALERT_UNRECOGNIZED_NAME, "unrecognized_name"),
    ALERT(ALERT_BAD_CERTIFICATE_STATUS_RESPONSE, "bad_certificate_status_response"),
    ALERT(114, "bad_certificate_hash_value"),
    ALERT(ALERT_UNKNOWN_PSK_IDENTITY, "unknown_psk_identity"),
    ALERT(ALERT_CERTIFICATE_REQUIRED, "certificate_required"),
    ALERT(ALERT_NO_APPLICATION_PROTOCOL, "no_application_protocol"),
};

static const struct alert *find(uint8_t number)
{
    static const struct alert unknown = ALERT(255, "unknown");

    for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++)
        if (alerts[i].number == number)
            return &alerts[i];
    return &unknown;
}

const char *tls_alert_name(uint8_t alert)
{
    return find(alert)->received + sizeof RECEIVED - 1;
}

const char *alert_received_text(uint8_t alert)
{
    return find(alert)->received;
}

const char *alert_sent_text(uint8_t alert)
{
    return find(alert)->received + sizeof RECEIVED - sizeof SENT;
}
