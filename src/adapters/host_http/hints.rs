//! What to do next after a refusal: one table, by reason first, by status second.

use super::call::{As, Call};
use cockpit_engine::failure::RemoteAnswer;

/// Reason of the host to the next step of a person.
const BY_REASON: &[(&str, &str)] = &[
    (
        "INVALID_ADMIN_KEY",
        "the admin key is wrong or was regenerated (there is only one, and a new one kills the old): put the current one where the config's credential points",
    ),
    (
        "UNAUTHORIZED",
        "no credential arrived: check that nothing in front of the host drops headers",
    ),
    ("TOKEN_EXPIRED", "the login ran out: log in again"),
    (
        "TOKEN_REVOKED",
        "the login was revoked, for instance by a password change: log in again",
    ),
    (
        "INVALID_TOKEN",
        "the host does not know this login, perhaps its secret changed: log in again",
    ),
    (
        "FORBIDDEN",
        "this login is no admin: use an admin's, or the admin key",
    ),
    (
        "USER_INACTIVE",
        "this user is disabled on the host: enable it there",
    ),
    (
        "USER_NOT_ACTIVE",
        "this user is disabled on the host: enable it there",
    ),
    (
        "INVALID_CREDENTIALS",
        "the e-mail or password is wrong: set the password anew, then log in again",
    ),
    (
        "TURNSTILE_VERIFICATION_FAILED",
        "the host wants a captcha at login, which no program can pass: switch Turnstile off there, or use the admin key",
    ),
    (
        "TURNSTILE_NOT_CONFIGURED",
        "the captcha of the host is on without a secret: complete or switch it off there",
    ),
    (
        "BACKEND_MODE_ADMIN_ONLY",
        "the host is in backend mode, so no ordinary user can log in and no managed key is possible: switch it off there, or use a caller's key",
    ),
    (
        "REQUIRES_2FA",
        "this user has two-factor login, which no program can pass: use the admin key, or a user without it",
    ),
    (
        "ADMIN_COMPLIANCE_ACK_REQUIRED",
        "this host version wants an admin to accept its compliance note once: do so in its web page",
    ),
    (
        "GROUP_NOT_ALLOWED",
        "the user may not bind this group: a subscription group wants an active subscription first, an exclusive one the group in `allowed_groups`",
    ),
    (
        "SUBSCRIPTION_ASSIGN_CONFLICT",
        "the user has a subscription of this group with other days or notes: extend it, or revoke it and assign again",
    ),
    (
        "SUBSCRIPTION_REQUIRED",
        "assign the subscription before binding the key",
    ),
    (
        "GROUP_NOT_SUBSCRIPTION_TYPE",
        "only a group of type `subscription` can be assigned",
    ),
    ("GROUP_NOT_ACTIVE", "activate the group first"),
    (
        "GROUP_ALREADY_IN_CHANNEL",
        "a group is in at most one channel: correct the channel that has it",
    ),
    (
        "GROUP_EXISTS",
        "a living group has this name: adopt it, or choose another name",
    ),
    (
        "CHANNEL_EXISTS",
        "a channel has this name: adopt it, or choose another name",
    ),
    (
        "EMAIL_EXISTS",
        "a living user has this e-mail: look it up and use it",
    ),
    (
        "API_KEY_EXISTS",
        "a living key has this text already: look whose it is, or derive another",
    ),
    (
        "API_KEY_RATE_LIMITED",
        "too many taken key texts within an hour: wait",
    ),
    (
        "PENDING_ORDERS",
        "open orders hold this offer: finish or cancel them on the host",
    ),
    (
        "ADJUST_WOULD_EXPIRE",
        "shortening would end the subscription: revoke it instead",
    ),
    (
        "CANNOT_SHORTEN_EXPIRED",
        "the subscription is over: extend by a positive number of days",
    ),
    (
        "mixed_channel_warning",
        "the group already has accounts of another platform: bind to a group of the account's own platform",
    ),
    (
        "IDEMPOTENCY_KEY_CONFLICT",
        "this key was sent before with another body: look whether that request took effect, then use a new key",
    ),
    (
        "IDEMPOTENCY_IN_PROGRESS",
        "the first sending is still at work: wait, then look before sending again",
    ),
    (
        "IDEMPOTENCY_RETRY_BACKOFF",
        "the first sending failed and its key is blocked for some seconds: look what it left, then send again",
    ),
    (
        "IDEMPOTENCY_STORE_UNAVAILABLE",
        "the host cannot replay its answer: look whether the request took effect",
    ),
    (
        "IDEMPOTENCY_KEY_REQUIRED",
        "the host insists on idempotency keys for this call",
    ),
    (
        "IDEMPOTENCY_KEY_INVALID",
        "an idempotency key is 1 to 128 printable ASCII characters without blanks",
    ),
    (
        "OPS_DISABLED",
        "operations monitoring is switched off on this host",
    ),
];

/// What to do next; empty if there is nothing sensible to say.
pub(super) fn next_step(status: u16, answer: &RemoteAnswer, call: &Call<'_>) -> &'static str {
    let by_reason = BY_REASON
        .iter()
        .find(|(reason, _)| *reason == answer.reason);
    if let Some((_, hint)) = by_reason {
        return hint;
    }
    if answer.reason.ends_with("_EXISTS") {
        return "something of this name is there: look it up and use it, or choose another name";
    }
    if answer.reason.ends_with("_NOT_FOUND") {
        return "it is gone on the host: read the host again";
    }
    if answer.message.contains("Backend mode is active") {
        return "the host is in backend mode, so no ordinary user can act and no managed key is possible: switch it off there";
    }
    match status {
        300..400 => "use the address the redirect names, or the one behind the proxy",
        400 => "the host does not take these values: compare them with what its version accepts",
        401 | 403 => "check the credential of this host in the configuration",
        404 => "this version of the host may not have the call: check the address and version",
        429 if matches!(call.speaker, As::Nobody) => {
            "the host takes 20 logins a minute from one address, shared behind a proxy: wait a minute"
        }
        429 => "the host limits calls: wait as long as it asks, then try again",
        500 if call.is_write() => {
            "a bare 500 is also how this host refuses a value or an id that does not exist: look at the host, then check what was sent; do not just repeat it"
        }
        500 => "the reason stands only in the host's log",
        502..=504 => "the host behind the proxy is down or too slow: check its container and log",
        _ => "",
    }
}
