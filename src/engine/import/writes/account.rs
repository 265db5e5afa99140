//! Creating, binding and testing an account. Creation is neither atomic nor unique by name
//! (trap 14), so binding is looked at apart and doubles are swept.

use crate::basis::{Basis, reread};
use crate::failure::Outcome;
use crate::import::scene::Scene;
use crate::journal::{RemoteWrite, Write};
use crate::ports::AccountTest;
use async_trait::async_trait;
use cockpit_domain::ids::RemoteId;
use cockpit_domain::inventory::{Account, NewAccount};
use cockpit_domain::journal::StepKind;
use cockpit_domain::recorded;
use cockpit_domain::resource::{BatchResource, Origin, ResourceKind};
use cockpit_domain::text::shorten;
use serde_json::{Value, json};

pub(in crate::import) struct CreateAccount<'a> {
    pub(in crate::import) scene: &'a Scene,
    pub(in crate::import) new: NewAccount,
}

#[async_trait]
impl RemoteWrite for CreateAccount<'_> {
    type Made = Account;

    fn write(&self) -> Write {
        let new = &self.new;
        Write {
            kind: StepKind::CreateAccount,
            resource: ResourceKind::Account,
            target: new.name.clone(),
            request: json!([
                new.name,
                new.platform,
                new.base_url,
                new.model_mapping,
                new.group_ids,
                new.api_key.fingerprint()
            ]),
            before: Value::Null,
        }
    }

    async fn look(&self, _key: &str) -> Outcome<Option<Account>> {
        // The oldest of the name is ours; a later double is swept.
        let mut found = self.scene.api.accounts_named(&self.new.name).await?;
        found.sort_by_key(|account| account.id);
        Ok(found.into_iter().next())
    }

    async fn send(&self, key: &str) -> Outcome<Account> {
        self.scene.api.create_account(&self.new, key).await
    }

    fn record(&self, made: &Account) -> Option<BatchResource> {
        // The create answer has no groups (trap 14): what we asked for stands until the re-read.
        let mut account = made.clone();
        account.group_ids.clone_from(&self.new.group_ids);
        Some(self.scene.resource(
            ResourceKind::Account,
            made.id,
            &made.name,
            Origin::Created,
            recorded::of_account(&account),
        ))
    }

    fn answer(&self, made: &Account) -> String {
        format!("account #{}", made.id)
    }
}

/// Binds an account to the group of an import. One that was there is put back by a rollback.
pub(in crate::import) struct BindAccount<'a> {
    pub(in crate::import) scene: &'a Scene,
    pub(in crate::import) stored: &'a Account,
    pub(in crate::import) groups: Vec<RemoteId>,
    pub(in crate::import) before: Value,
    /// Whether this batch made the account: then the binding goes with it.
    pub(in crate::import) made: bool,
}

#[async_trait]
impl RemoteWrite for BindAccount<'_> {
    type Made = ();

    fn write(&self) -> Write {
        Write {
            kind: StepKind::BindAccount,
            resource: ResourceKind::Account,
            target: self.stored.name.clone(),
            request: json!([self.stored.id, self.groups]),
            before: self.before.clone(),
        }
    }

    async fn basis(&self) -> Outcome<Option<Basis>> {
        let (api, was) = (self.scene.api.as_ref(), &self.before);
        let now = reread(api, ResourceKind::Account, self.stored.id, was).await?;
        Ok(Some(Basis::of(was.clone(), now)))
    }

    async fn look(&self, _key: &str) -> Outcome<Option<()>> {
        let account = self.scene.api.account(self.stored.id).await?;
        Ok(account
            .is_some_and(|account| {
                self.groups
                    .iter()
                    .all(|group| account.group_ids.contains(group))
            })
            .then_some(()))
    }

    async fn send(&self, _key: &str) -> Outcome<()> {
        let api = &self.scene.api;
        api.bind_account(self.stored.id, &self.groups).await
    }

    fn record(&self, _made: &()) -> Option<BatchResource> {
        if self.made {
            return None;
        }
        let bound = Account {
            group_ids: self.groups.clone(),
            ..self.stored.clone()
        };
        Some(self.scene.corrected(
            (ResourceKind::Account, bound.id),
            &bound.name,
            recorded::of_account(&bound),
            &self.before,
        ))
    }
}

/// The host's account test. It changes state over there, so it is journalled; a lost answer means
/// asking again, which is harmless.
pub(in crate::import) struct TestAccount<'a> {
    pub(in crate::import) scene: &'a Scene,
    pub(in crate::import) id: RemoteId,
    pub(in crate::import) name: String,
    pub(in crate::import) model: String,
}

#[async_trait]
impl RemoteWrite for TestAccount<'_> {
    type Made = AccountTest;

    fn write(&self) -> Write {
        Write {
            kind: StepKind::TestAccount,
            resource: ResourceKind::Account,
            target: self.name.clone(),
            request: json!([self.id, self.model]),
            before: Value::Null,
        }
    }

    async fn look(&self, _key: &str) -> Outcome<Option<AccountTest>> {
        Ok(None)
    }

    async fn send(&self, _key: &str) -> Outcome<AccountTest> {
        self.scene.api.test_account(self.id, &self.model).await
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
