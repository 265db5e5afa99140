//! The remote writes of acts on a pool: how each is sent, and how an earlier try is found.

use crate::basis::{Basis, reread};
use crate::failure::Outcome;
use crate::journal::{RemoteWrite, Write};
use crate::ports::{AccountTest, HostApi};
use async_trait::async_trait;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::journal::StepKind;
use cockpit_domain::pool::Doomed;
use cockpit_domain::resource::{BatchResource, ResourceKind};
use cockpit_domain::text::shorten;
use serde_json::{Value, json};

/// Deletes a parked account. Ids are never used twice over there, so that a request that takes
/// effect late can hurt nobody else.
pub(super) struct DeleteParked<'a> {
    pub(super) api: &'a dyn HostApi,
    pub(super) doomed: &'a Doomed,
}

#[async_trait]
impl RemoteWrite for DeleteParked<'_> {
    type Made = ();

    fn write(&self) -> Write {
        let doomed = self.doomed;
        Write {
            kind: StepKind::Delete,
            resource: ResourceKind::Account,
            target: format!("account {} #{}", doomed.name, doomed.account),
            request: json!([ResourceKind::Account, doomed.account]),
            before: doomed.before.clone(),
        }
    }

    async fn basis(&self) -> Outcome<Option<Basis>> {
        let Doomed {
            account, before, ..
        } = self.doomed;
        let now = reread(self.api, ResourceKind::Account, *account, before).await?;
        Ok(Some(Basis::of(before.clone(), now)))
    }

    async fn look(&self, _key: &str) -> Outcome<Option<()>> {
        let account = self.api.account(self.doomed.account).await?;
        Ok(account.is_none().then_some(()))
    }

    async fn send(&self, _key: &str) -> Outcome<()> {
        self.api.delete_account(self.doomed.account).await
    }

    fn record(&self, _made: &()) -> Option<BatchResource> {
        None
    }

    fn answer(&self, _made: &()) -> String {
        "deleted".to_owned()
    }
}

/// Asks an account with the host's own test. It changes state over there, so it is journalled; a
/// lost answer means asking again.
pub(super) struct TestAgain<'a> {
    pub(super) api: &'a dyn HostApi,
    pub(super) id: RemoteId,
    pub(super) name: &'a str,
    pub(super) model: &'a str,
}

#[async_trait]
impl RemoteWrite for TestAgain<'_> {
    type Made = AccountTest;

    fn write(&self) -> Write {
        Write {
            kind: StepKind::TestAccount,
            resource: ResourceKind::Account,
            target: format!("{} #{}", self.name, self.id),
            request: json!([self.id, self.model]),
            before: Value::Null,
        }
    }

    async fn look(&self, _key: &str) -> Outcome<Option<AccountTest>> {
        Ok(None)
    }

    async fn send(&self, _key: &str) -> Outcome<AccountTest> {
        self.api.test_account(self.id, self.model).await
    }

    fn record(&self, _made: &AccountTest) -> Option<BatchResource> {
        None
    }

    fn answer(&self, made: &AccountTest) -> String {
        match made {
            AccountTest::Passed => "passed".to_owned(),
            AccountTest::Failed(why) => format!("failed: {}", shorten(why, 200)),
            AccountTest::Unfinished(last) => {
                format!("ended without a verdict: {}", shorten(last, 200))
            }
        }
    }
}

/// Tells the host to forget what it holds against an account: error, cool-down, limits.
pub(super) struct Reset<'a> {
    pub(super) api: &'a dyn HostApi,
    pub(super) id: RemoteId,
    pub(super) name: &'a str,
}

#[async_trait]
impl RemoteWrite for Reset<'_> {
    type Made = ();

    fn write(&self) -> Write {
        Write {
            kind: StepKind::ResetAccount,
            resource: ResourceKind::Account,
            target: format!("{} #{}", self.name, self.id),
            request: json!([self.id]),
            before: Value::Null,
        }
    }

    async fn look(&self, _key: &str) -> Outcome<Option<()>> {
        let account = self.api.account(self.id).await?;
        // An account that is gone needs no forgetting.
        Ok(account
            .is_none_or(|row| {
                row.status == "active"
                    && row.temp_unschedulable_until.is_none()
                    && row.rate_limit_reset_at.is_none()
                    && row.overload_until.is_none()
            })
            .then_some(()))
    }

    async fn send(&self, _key: &str) -> Outcome<()> {
        self.api.reset_account(self.id).await
    }

    fn record(&self, _made: &()) -> Option<BatchResource> {
        None
    }
}
