//! A command in words: the equal line of the command line, and what it is about. Every face shows
//! the same line; a key is never part of it.

use super::Command;
use crate::approval::Approval;
use crate::baseline::Aside;
use crate::import::CallerKey;
use crate::probe::SplitKey;
use crate::reconcile::Scope;
use crate::runbook::Word as SaidToRun;
use cockpit_domain::ids::{HostId, MachineId, PackId};
use cockpit_domain::new_host::NewHost;
use cockpit_domain::stack::Stack;
use cockpit_domain::text::{Redactor, clean_line};
use jiff::Timestamp;

/// Digits of a plan's hash that are shown: as many as an approval has to name.
const HASH_HEAD: usize = 12;

impl Command {
    /// The line to type for the same.
    pub fn cli_line(&self) -> String {
        let mut words = Words::new(self.name());
        match self {
            Self::BaselineRun { pack, due } => {
                words.option("pack", pack.as_ref().map(PackId::as_str));
                if *due {
                    words.0.push_str(" --due");
                }
            }
            Self::GateBefore { pack } | Self::GateAfter { pack } | Self::GateShow { pack } => {
                words.option("pack", pack.as_ref().map(PackId::as_str));
            }
            Self::GateAnswer { pack, said } => {
                words.word(said.as_str());
                words.option("pack", pack.as_ref().map(PackId::as_str));
            }
            Self::BaselineHistory { pack, check, since } => {
                if let Some(check) = check {
                    words.word(check);
                }
                words.option("pack", pack.as_ref().map(PackId::as_str));
                let since = since.map(|since| format!("{}m", since.as_secs() / 60));
                words.option("since", since.as_deref());
            }
            Self::BaselineWaive { wish } => {
                words.aside(&wish.aside);
                words.reason(Some(&wish.reason));
                let until = Timestamp::from_millisecond(wish.until_ms).unwrap_or_default();
                words.option("until", Some(&format!("{until:.0}")));
                words.option("owner", wish.owner.as_deref());
            }
            Self::BaselineDraft { of } => words.word(of),
            Self::BaselineDiff { a, b } => {
                words.word(a);
                words.word(b);
            }
            Self::BaselineClear { aside } => {
                words.word("--clear");
                words.aside(aside);
            }
            Self::HostProbe { host } | Self::HostRemove { host } => words.word(host.as_str()),
            Self::MachineCheck { machine } => words.word(machine.as_str()),
            Self::HostListing { host, provider } => {
                words.word(host.as_str());
                words.option("provider", Some(provider.as_str()));
            }
            Self::ImportPlan {
                host,
                provider,
                keys: _,
                mode,
                access,
                user_key,
            } => {
                words.option("host", Some(host.as_str()));
                words.option("provider", Some(provider.as_str()));
                words.option("keys", Some("-"));
                words.option("mode", Some(mode.as_str()));
                words.option("access", Some(access.as_str()));
                // A key that was pasted has no line of its own: the name of a variable stands for it.
                words.option("user-key", user_key.as_ref().map(CallerKey::reference));
            }
            Self::AccessPreview {
                host,
                provider,
                access,
                user_key,
            }
            | Self::AccessPlan {
                host,
                provider,
                access,
                user_key,
            } => {
                words.option("host", Some(host.as_str()));
                words.option("provider", Some(provider.as_str()));
                words.option("access", Some(access.as_str()));
                words.option("user-key", user_key.as_ref().map(CallerKey::reference));
            }
            Self::LeaseTake {
                host,
                provider,
                reason,
                even_if_alive,
            } => {
                words.word(&format!("{host}/{provider}"));
                words.reason(Some(reason));
                if *even_if_alive {
                    words.0.push_str(" --even-if-alive");
                }
            }
            Self::HostAdd { new } => words.new_host(new),
            Self::RepairPlan { pack, check } => {
                words.option("check", Some(check.as_str()));
                words.option("pack", pack.as_ref().map(PackId::as_str));
            }
            Self::ImportApply {
                plan,
                approval,
                canary,
            } => {
                words.word(&plan.0.to_string());
                words.approval(approval);
                let canary = (*canary > 0).then(|| canary.to_string());
                words.option("canary", canary.as_deref());
            }
            Self::AccessApply { plan, approval }
            | Self::ReconcileApply { plan, approval }
            | Self::RepairApply { plan, approval }
            | Self::AdoptApply { plan, approval }
            | Self::PruneApply { plan, approval }
            | Self::RecoverApply { plan, approval }
            | Self::GateApply { plan, approval }
            | Self::RollbackApply { plan, approval } => {
                words.word(&plan.0.to_string());
                words.approval(approval);
            }
            Self::BatchList { host } => words.option("host", host.as_ref().map(HostId::as_str)),
            Self::BatchRetry { batch, keys: _ } => {
                words.word(&batch.0.to_string());
                words.option("keys", Some("-"));
            }
            Self::BatchShow { batch }
            | Self::BatchResume { batch }
            | Self::AccessStatus { batch } => words.word(&batch.0.to_string()),
            Self::RollbackPlan { batch, delete } => {
                words.word(&batch.0.to_string());
                if *delete {
                    words.word("--delete");
                }
            }
            Self::RecoverPlan {
                host,
                account,
                provider,
            } => {
                words.option("host", Some(host.as_str()));
                words.option("account", Some(account.to_string().as_str()));
                words.option("provider", provider.as_ref().map(PackId::as_str));
            }
            Self::PrunePlan { host, provider } | Self::AdoptPlan { host, provider } => {
                words.option("host", Some(host.as_str()));
                words.option("provider", Some(provider.as_str()));
            }
            Self::ReconcilePlan { scope } => words.scope(scope),
            Self::ProviderStatus { host, provider }
            | Self::ReconcileLook { host, provider, .. }
            | Self::ProviderResources { host, provider }
            | Self::ProbeRun { host, provider } => {
                words.option("host", Some(host.as_str()));
                words.option("provider", provider.as_ref().map(PackId::as_str));
            }
            Self::ProbeSplit {
                host,
                provider,
                key,
                here,
            } => {
                words.option("host", Some(host.as_str()));
                words.option("provider", Some(provider.as_str()));
                if *here {
                    words.word("--here");
                }
                match key {
                    SplitKey::Kept => {}
                    SplitKey::Item(batch, item) => {
                        words.option("item", Some(format!("{batch}#item{}", item.0).as_str()));
                    }
                    SplitKey::Named(key) => words.option("key", Some(key.reference())),
                }
            }
            Self::RunbookShow { book } => words.word(book),
            Self::RunbookRun { walk } => {
                words.word(&walk.book);
                words.option("host", walk.host.as_ref().map(HostId::as_str));
                words.option("machine", walk.machine.as_ref().map(MachineId::as_str));
            }
            Self::RunbookRuns { run } => {
                if let Some(run) = run {
                    words.word(&run.0.to_string());
                }
            }
            Self::RunbookResume { run, word } => {
                words.word(&run.0.to_string());
                words.said(word);
            }
            Self::RunbookBack { run } => words.word(&run.0.to_string()),
            Self::StackShow { stack } | Self::StackClean { stack } => words.word(stack.as_str()),
            Self::StackRegister { new } => words.stack(new),
            Self::Doctor
            | Self::ProviderList
            | Self::LeaseList
            | Self::RunbookList
            | Self::StackList
            | Self::BaselineWaivers => {}
            Self::ExplainKey { host, key } => {
                words.word(&key.word());
                words.option("host", host.as_ref().map(HostId::as_str));
            }
            Self::Triage { host, .. } => {
                if let Some(host) = host {
                    words.word(host.as_str());
                }
            }
        }
        words.0
    }

    /// What it is about, in a few words: `prod`, `prod lab-good`, `batch/7`. Empty when it is about
    /// everything.
    pub fn subject(&self) -> String {
        match self {
            Self::StackShow { stack } | Self::StackClean { stack } => stack.to_string(),
            Self::StackRegister { new } => new.name.to_string(),
            Self::BaselineRun { pack, .. }
            | Self::GateBefore { pack }
            | Self::GateAfter { pack }
            | Self::GateAnswer { pack, .. }
            | Self::GateShow { pack } => pack.as_ref().map(PackId::to_string).unwrap_or_default(),
            Self::HostProbe { host }
            | Self::HostRemove { host }
            | Self::ProviderStatus {
                host,
                provider: None,
            }
            | Self::ProviderResources {
                host,
                provider: None,
            }
            | Self::ProbeRun {
                host,
                provider: None,
            } => host.to_string(),
            Self::MachineCheck { machine } => machine.to_string(),
            Self::HostListing { host, provider }
            | Self::ImportPlan { host, provider, .. }
            | Self::PrunePlan { host, provider }
            | Self::ProbeSplit { host, provider, .. }
            | Self::AdoptPlan { host, provider }
            | Self::AccessPreview { host, provider, .. }
            | Self::AccessPlan { host, provider, .. }
            | Self::LeaseTake { host, provider, .. }
            | Self::ProviderStatus {
                host,
                provider: Some(provider),
            }
            | Self::ProviderResources {
                host,
                provider: Some(provider),
            }
            | Self::ProbeRun {
                host,
                provider: Some(provider),
            } => format!("{host} {provider}"),
            Self::ReconcileLook { host, provider, .. } => match provider {
                None => host.to_string(),
                Some(provider) => format!("{host} {provider}"),
            },
            Self::ReconcilePlan { scope } => match scope {
                Scope::Batch(batch) => batch.to_string(),
                Scope::Host {
                    host,
                    provider: None,
                } => host.to_string(),
                Scope::Host {
                    host,
                    provider: Some(provider),
                } => format!("{host} {provider}"),
            },
            Self::RepairPlan { check, .. } => check.clone(),
            Self::RecoverPlan { host, account, .. } => format!("{host} #{account}"),
            Self::ImportApply { plan, .. }
            | Self::AccessApply { plan, .. }
            | Self::ReconcileApply { plan, .. }
            | Self::RepairApply { plan, .. }
            | Self::AdoptApply { plan, .. }
            | Self::PruneApply { plan, .. }
            | Self::RecoverApply { plan, .. }
            | Self::GateApply { plan, .. }
            | Self::RollbackApply { plan, .. } => plan.to_string(),
            Self::BatchList { host } => host.as_ref().map(HostId::to_string).unwrap_or_default(),
            Self::BatchShow { batch }
            | Self::BatchRetry { batch, .. }
            | Self::BatchResume { batch }
            | Self::AccessStatus { batch }
            | Self::RollbackPlan { batch, .. } => batch.to_string(),
            Self::HostAdd { new } => new.id.to_string(),
            Self::BaselineHistory { pack, check, .. } => check
                .clone()
                .or_else(|| pack.as_ref().map(PackId::to_string))
                .unwrap_or_default(),
            Self::BaselineWaive { wish } => wish.aside.to_string(),
            Self::BaselineClear { aside } => aside.to_string(),
            Self::BaselineDraft { of } => of.clone(),
            Self::BaselineDiff { a, b } => format!("{a} {b}"),
            Self::RunbookShow { book } => book.clone(),
            Self::RunbookRun { walk } => walk.book.clone(),
            Self::RunbookRuns { run } => run.map(|run| run.to_string()).unwrap_or_default(),
            Self::RunbookResume { run, .. } | Self::RunbookBack { run } => run.to_string(),
            Self::Doctor
            | Self::ProviderList
            | Self::LeaseList
            | Self::RunbookList
            | Self::StackList
            | Self::BaselineWaivers => String::new(),
            Self::Triage { host, .. } | Self::ExplainKey { host, .. } => {
                host.as_ref().map(HostId::to_string).unwrap_or_default()
            }
        }
    }
}

/// A line being written.
struct Words(String);

impl Words {
    fn new(name: &str) -> Self {
        Self(format!("cockpit {name}"))
    }

    fn word(&mut self, word: &str) {
        self.0.push(' ');
        self.0.push_str(&quoted(word));
    }

    fn option(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.0.push_str(" --");
            self.0.push_str(name);
            self.word(value);
        }
    }

    fn stack(&mut self, new: &Stack) {
        self.word(new.name.as_str());
        self.option("machine", Some(new.machine.as_str()));
        self.option("port", Some(&new.port.to_string()));
        self.option("container", Some(&new.container));
        self.option("until", Some(&new.until));
        for database in &new.databases {
            self.option("database", Some(database));
        }
        self.option("batch", new.batch.as_deref());
        for file in &new.files {
            self.option(file.kind.as_str(), Some(&file.path));
        }
        if new.keep {
            self.0.push_str(" --keep");
        }
        self.option("mark-file", new.mark_file.as_deref());
        self.reason(Some(&new.reason));
    }

    fn scope(&mut self, scope: &Scope) {
        match scope {
            Scope::Batch(batch) => self.option("batch", Some(&batch.0.to_string())),
            Scope::Host { host, provider } => {
                self.option("host", Some(host.as_str()));
                self.option("provider", provider.as_ref().map(PackId::as_str));
            }
        }
    }

    fn aside(&mut self, aside: &Aside) {
        match aside {
            Aside::Check { pack, check } => {
                self.word(check);
                self.option("pack", pack.as_ref().map(PackId::as_str));
            }
            Aside::Machine(machine) => self.option("machine", Some(machine.as_str())),
            Aside::Host(host) => self.option("host", Some(host.as_str())),
        }
    }

    fn approval(&mut self, approval: &Approval) {
        let head: String = approval.hash.chars().take(HASH_HEAD).collect();
        self.option("yes", Some(head.as_str()).filter(|head| !head.is_empty()));
        self.option("host-name", approval.host_name.as_deref());
        self.reason(approval.reason.as_deref());
    }

    /// What is said to a run of a runbook.
    fn said(&mut self, word: &SaidToRun) {
        match word {
            SaidToRun::GoOn => {}
            SaidToRun::Answer(said) => self.option("answer", Some(&clean_line(said))),
            SaidToRun::Approve(approval) => self.approval(approval),
            SaidToRun::Skip => self.0.push_str(" --skip"),
            SaidToRun::Stop(reason) => self.option("stop", Some(&clean_line(reason))),
        }
    }

    fn reason(&mut self, reason: Option<&str>) {
        // A person may have pasted a key where a reason was asked for.
        let reason = reason.map(|reason| Redactor::new().admit(reason).replace('\n', " "));
        self.option("reason", reason.as_deref());
    }

    fn new_host(&mut self, new: &NewHost) {
        self.word(new.id.as_str());
        self.option("machine", new.machine.as_ref().map(MachineId::as_str));
        self.option("address", Some(&new.address));
        self.option("role", Some(new.role.as_str()));
        self.option("login", new.admin.login.as_deref());
        // What is no reference may be the secret itself.
        let named = new.block().is_some();
        self.option(
            "admin",
            Some(if named {
                &new.admin.reference
            } else {
                "env:NAME"
            }),
        );
        self.option("baseline", new.baseline.as_ref().map(PackId::as_str));
        if let Some(terms) = &new.terms {
            self.option("reason", Some(&terms.reason));
            self.option("port", Some(&terms.port.to_string()));
            self.option("expires", Some(&terms.expires));
            self.option("container", Some(&terms.container));
        }
        self.option("db-container", new.db_container.as_deref());
        self.option("redis-container", new.redis_container.as_deref());
    }
}

/// A word as a POSIX shell has to be given it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cockpit_domain::batch::{AccessMode, ImportMode};
    use cockpit_domain::ids::PlanId;
    use cockpit_domain::secret::Secret;

    #[test]
    fn an_approval_shows_the_head_of_its_hash_and_quotes_what_a_shell_would_split() {
        let command = Command::ImportApply {
            plan: PlanId(7),
            approval: Approval {
                hash: "0123456789abcdef".repeat(4),
                host_name: Some("prod".to_owned()),
                reason: Some("it's late\nsk-aaaabbbbccccdddd".to_owned()),
            },
            canary: 3,
        };
        let line = command.cli_line();
        let start =
            r"cockpit import apply 7 --yes 0123456789ab --host-name prod --reason 'it'\''s late ";
        assert!(line.starts_with(start), "{line}");
        assert!(!line.contains("sk-aaaabbbbccccdddd"), "{line}");
        assert!(line.ends_with(" --canary 3"), "{line}");
        assert_eq!(command.subject(), "plan/7");
    }

    #[test]
    fn no_key_is_part_of_a_line() {
        let command = Command::ImportPlan {
            host: HostId::new("h").unwrap(),
            provider: PackId::new("p").unwrap(),
            keys: Secret::new("sk-aaaabbbbccccdddd"),
            mode: ImportMode::Partial,
            access: AccessMode::SelfService,
            user_key: Some(CallerKey::Given(Secret::new("sk-ddddccccbbbbaaaa"))),
        };
        assert_eq!(
            command.cli_line(),
            "cockpit import plan --host h --provider p --keys - --mode partial --access self_service --user-key env:USER_KEY"
        );
        assert_eq!(command.subject(), "h p");
    }
}
