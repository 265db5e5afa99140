//! Who a host is, asked without side effects (`host-contract.md` 0).

use super::call::Call;
use super::client::HostHttp;
use super::judge;
use super::wire::or_default;
use cockpit_domain::host::HostIdentity;
use cockpit_engine::failure::Outcome;
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;
use std::time::{Duration, Instant};

#[derive(Deserialize)]
struct WireSettings {
    #[serde(default, deserialize_with = "or_default")]
    version: String,
    #[serde(default, deserialize_with = "or_default")]
    turnstile_enabled: bool,
    #[serde(default, deserialize_with = "or_default")]
    backend_mode_enabled: bool,
    #[serde(default, deserialize_with = "or_default")]
    registration_enabled: bool,
}

impl HostHttp {
    pub(super) async fn who(&self) -> Outcome<HostIdentity> {
        let started = Instant::now();
        let health = Call::open(Method::GET, "/health", "asking for the health");
        let raw = self.answer(&health).await?;
        let round_trip = started.elapsed();
        let clock_ahead_ms = raw.date.as_deref().and_then(|date| ahead(date, round_trip));
        if serde_json::from_slice::<Value>(&raw.body).is_err() {
            let failure = judge::unreadable(&self.redactor, "the health is no JSON", &health);
            return Err(self.name(&health, failure));
        }
        // Never `/system/version`: it asks an update server first (trap 34).
        let settings: WireSettings = self
            .get(&Call::open(
                Method::GET,
                "/api/v1/settings/public",
                "reading the public settings",
            ))
            .await?;
        self.data(&Call::read("/groups", "showing the credential").query("page_size", 1_u64))
            .await?;
        let login = self.auth.standing_login().await;
        Ok(HostIdentity {
            version: self.line(&settings.version),
            round_trip_ms: u64::try_from(round_trip.as_millis()).unwrap_or(u64::MAX),
            captcha: settings.turnstile_enabled,
            backend_mode: settings.backend_mode_enabled,
            registration: settings.registration_enabled,
            login_at_ms: login.as_ref().map(|(at, _)| *at),
            login_until_ms: login.and_then(|(_, until)| until),
            credential: self.auth.credential.word().to_owned(),
            clock_ahead_ms,
        })
    }
}

/// How far the clock that dates an answer is ahead of ours, to half a second: its own seconds are
/// whole, and it was read while the answer was under way.
fn ahead(date: &str, round_trip: Duration) -> Option<i64> {
    let there = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    let under_way = i64::try_from(round_trip.as_millis() / 2).ok()?;
    let here = jiff::Timestamp::now().as_millisecond() - under_way;
    Some(there.as_millisecond() + 500 - here)
}
