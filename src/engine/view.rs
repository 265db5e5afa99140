//! Reading a host's stored state, all pages, at once.

use crate::failure::Outcome;
use crate::ports::HostApi;
use cockpit_domain::ids::PackId;
use cockpit_domain::import::{HostView, managed_email};

/// Reads what plans, reconciles and proofs are made of: groups, channels, offers, accounts, and
/// the managed user of a provider with its subscriptions.
pub(crate) async fn read_view(api: &dyn HostApi, provider: &PackId) -> Outcome<HostView> {
    let email = managed_email(provider);
    let (identity, groups, channels, offers, accounts, user) = tokio::try_join!(
        api.identity(),
        api.groups(),
        api.channels(),
        api.offers(),
        api.accounts(None),
        api.user_by_email(&email),
    )?;
    let subscriptions = match &user {
        Some(user) => api.subscriptions(user.id).await?,
        None => Vec::new(),
    };
    Ok(HostView {
        version: identity.version,
        captcha: identity.captcha,
        backend_mode: identity.backend_mode,
        groups,
        channels,
        offers,
        accounts,
        user,
        subscriptions,
    })
}
