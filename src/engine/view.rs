//! Reading a host's stored state, all pages, at once.

use crate::failure::Outcome;
use crate::ports::HostApi;
use cockpit_domain::ids::{PackId, RemoteId};
use cockpit_domain::import::{HostView, managed_email};
use cockpit_domain::inventory::{ApiKey, User};
use cockpit_domain::resource::{BatchResource, ResourceKind};
use cockpit_domain::secret::Secret;

/// Whose access is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whose<'a> {
    /// The managed user's.
    Managed,
    /// That of the owner of a caller's own key.
    Caller(&'a Secret),
    /// That of a user a batch holds.
    User(RemoteId),
}

/// Whose access a batch holds: the managed user's, unless it proves a caller's own key.
pub(crate) fn whose(provider: &PackId, records: &[BatchResource]) -> Whose<'static> {
    let email = managed_email(provider);
    records
        .iter()
        .find(|row| row.kind == ResourceKind::User && row.name != email)
        .map_or(Whose::Managed, |row| Whose::User(row.host_resource_id))
}

/// Reads what is nobody's own: groups, channels, offers, accounts.
pub(crate) async fn read_rows(api: &dyn HostApi) -> Outcome<HostView> {
    let (groups, channels, offers, accounts) = tokio::try_join!(
        api.groups(),
        api.channels(),
        api.offers(),
        api.accounts(None)
    )?;
    Ok(HostView {
        groups,
        channels,
        offers,
        accounts,
        ..HostView::default()
    })
}

/// Reads what plans, reconciles and proofs are made of: groups, channels, offers, accounts, and
/// the managed user of a provider with its subscriptions.
pub(crate) async fn read_view(api: &dyn HostApi, provider: &PackId) -> Outcome<HostView> {
    read_view_of(api, provider, Whose::Managed).await
}

/// The same with the user whose access is looked at.
pub(crate) async fn read_view_of(
    api: &dyn HostApi,
    provider: &PackId,
    whose: Whose<'_>,
) -> Outcome<HostView> {
    let (identity, groups, channels, offers, accounts, (user, caller_key)) = tokio::try_join!(
        api.identity(),
        api.groups(),
        api.channels(),
        api.offers(),
        api.accounts(None),
        user_of(api, provider, whose),
    )?;
    let subscriptions = match &user {
        Some(user) => api.subscriptions(user.id).await?,
        None => Vec::new(),
    };
    let managed_keys = match (&user, whose) {
        (Some(user), Whose::Managed) => api.user_keys(user.id).await?,
        _ => Vec::new(),
    };
    Ok(HostView {
        version: identity.version,
        captcha: identity.captcha,
        backend_mode: identity.backend_mode,
        groups,
        channels,
        offers,
        accounts,
        registration: identity.registration,
        user,
        subscriptions,
        managed_keys,
        caller_key,
    })
}

/// Puts the user whose access is looked at, with its subscriptions, in the place of another's.
pub(crate) async fn read_user(
    api: &dyn HostApi,
    view: &mut HostView,
    provider: &PackId,
    whose: Whose<'_>,
) -> Outcome<()> {
    (view.user, view.caller_key) = user_of(api, provider, whose).await?;
    view.subscriptions = match &view.user {
        Some(user) => api.subscriptions(user.id).await?,
        None => Vec::new(),
    };
    Ok(())
}

async fn user_of(
    api: &dyn HostApi,
    provider: &PackId,
    whose: Whose<'_>,
) -> Outcome<(Option<User>, Option<ApiKey>)> {
    Ok(match whose {
        Whose::Managed => (api.user_by_email(&managed_email(provider)).await?, None),
        Whose::User(id) => (api.user(id).await?, None),
        Whose::Caller(key) => match api.key_owner(key).await? {
            Some((user, key)) => (Some(user), Some(key)),
            None => (None, None),
        },
    })
}
