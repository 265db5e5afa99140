//! Reading the words of the command line. Usage errors are ours, exit 3, not the parser's 2.

use crate::args::{Cli, Line, Noun, Screen};
use clap::Parser;
use clap::error::ErrorKind;
use cockpit_engine::failure::{Failure, FailureKind};
use std::ffi::OsString;

/// What came of the words.
#[derive(Debug)]
pub enum Parsed {
    /// A command.
    Run(Box<Cli>),
    /// No command: the screen.
    Screen(Screen),
    /// Help or version: printed on standard output, exit 0.
    Text(String),
    /// Words that make no sense; whether JSON was asked for.
    Refused(Failure, bool),
}

/// Reads the words.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Parsed {
    let words: Vec<OsString> = words.into_iter().collect();
    let json = words.iter().any(|word| word == "--json");
    let line = match Line::try_parse_from(&words) {
        Ok(line) => line,
        Err(error) => return refused(&error, json),
    };
    let Some(noun) = line.noun else {
        if json {
            return Parsed::Refused(
                Failure::new(
                    FailureKind::Usage,
                    "`--json` needs a command: the screen prints none",
                )
                .doing("reading the command line")
                .hint("`cockpit --help` lists the commands"),
                json,
            );
        }
        return Parsed::Screen(Screen {
            config: line.config,
            lab: line.lab,
        });
    };
    command(Cli {
        json,
        config: line.config,
        lab: line.lab,
        noun,
    })
}

fn command(cli: Cli) -> Parsed {
    let json = cli.json;
    match cli {
        cli if cli.lab && cli.noun.needs_earlier_state() => Parsed::Refused(
            Failure::new(FailureKind::Usage, "this command works on what an earlier one left, and `--lab` is fresh each time")
                .doing("reading the command line")
                .hint("run `cockpit lab serve` in another terminal and pass the config it prints: `--config PATH`"),
            json,
        ),
        cli if cli.lab && matches!(cli.noun, Noun::Drill(_) | Noun::Lab(_)) => Parsed::Refused(
            Failure::new(FailureKind::Usage, "`--lab` says nothing here: this command is about a lab already")
                .doing("reading the command line")
                .hint("leave `--lab` away"),
            json,
        ),
        cli => Parsed::Run(Box::new(cli)),
    }
}

/// Help and version are texts; anything else the parser says is a usage error of ours.
fn refused(error: &clap::Error, json: bool) -> Parsed {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        return Parsed::Text(error.to_string());
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Parsed::Refused(
            Failure::new(FailureKind::Usage, "the command is not complete")
                .doing("reading the command line")
                .hint("add `--help` to see what can follow"),
            json,
        );
    }
    let text = error.to_string();
    let message = text.trim_start_matches("error: ").trim();
    let (message, hint) = match message.split_once("\n\n") {
        Some((message, rest)) => (message.trim(), rest.trim()),
        None => (message, "`cockpit --help` lists the commands"),
    };
    Parsed::Refused(
        Failure::new(FailureKind::Usage, message)
            .doing("reading the command line")
            .hint(hint),
        json,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use cockpit_domain::batch::{AccessMode, ImportMode};
    use cockpit_domain::host::Role;
    use cockpit_domain::ids::{
        BatchId, HostId, ItemId, MachineId, PackId, PlanId, RemoteId, RunId,
    };
    use cockpit_domain::new_host::{NewAdmin, NewHost, NewTerms};
    use cockpit_domain::secret::Secret;
    use cockpit_engine::approval::Approval;
    use cockpit_engine::baseline::{Aside, WaiverWish};
    use cockpit_engine::command::Command;
    use cockpit_engine::explain::AskedKey;
    use cockpit_engine::import::CallerKey;
    use cockpit_engine::probe::SplitKey;
    use cockpit_engine::reconcile::Scope;
    use cockpit_engine::runbook::{NewWalk, Word as SaidToRun};
    use std::time::Duration;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn every_stable_spelling_is_read() {
        for line in [
            "cockpit baseline run --json --lab",
            "cockpit host list --lab",
            "cockpit host probe accept --config c.toml",
            "cockpit host listing accept --provider p",
            "cockpit machine check web1",
            "cockpit machine list",
            "cockpit baseline show --pack p",
            "cockpit probe list --json",
            "cockpit audit list --most 5",
            "cockpit pack list",
            "cockpit pack check",
            "cockpit import plan --host h --provider p --keys - --mode strict --access subscription",
            "cockpit import plan --host h --provider p --keys f --mode partial --access subscription --user-key env:KEY",
            "cockpit import apply 3 --yes 0123456789ab",
            "cockpit import apply plan/3 --yes 0123456789ab --host-name h --reason why",
            "cockpit batch list",
            "cockpit batch show 1",
            "cockpit batch resume batch/1",
            "cockpit batch failed 1 --keys f --out g",
            "cockpit access status 1",
            "cockpit provider status --host h --provider p --json",
            "cockpit reconcile plan --host h --provider p",
            "cockpit reconcile plan --host h",
            "cockpit reconcile plan --batch 1",
            "cockpit reconcile watch --host h --provider p --every 5m",
            "cockpit reconcile watch --host h",
            "cockpit rollback plan 1",
            "cockpit rollback apply 2 --yes 0123456789ab",
            "cockpit probe run",
            "cockpit log tail --machine m --file /var/log/nginx/error.log",
            "cockpit lab serve",
            "cockpit lab fault list",
            "cockpit lab fault set host-502",
            "cockpit lab fault clear host-502",
            "cockpit doctor --json",
            "cockpit drill --fault host-502 --json",
        ] {
            assert!(
                matches!(parse(words(line)), Parsed::Run(_)),
                "{line}: {:?}",
                parse(words(line))
            );
        }
    }

    #[test]
    fn words_that_make_no_sense_are_usage_errors_with_a_way_out() {
        for line in [
            "cockpit nonsense",
            "cockpit import plan --host h",
            "cockpit host probe ../x",
            "cockpit batch show seven",
            "cockpit batch show 1 --lab",
            "cockpit host list --lab --config c",
        ] {
            let Parsed::Refused(failure, json) = parse(words(line)) else {
                panic!("{line} was taken");
            };
            assert_eq!(failure.kind, FailureKind::Usage, "{line}");
            assert!(
                !failure.message.is_empty() && !failure.hint.is_empty(),
                "{line}"
            );
            assert!(!json);
        }
    }

    #[test]
    fn the_grammar_is_sound() {
        use clap::CommandFactory;
        Line::command().debug_assert();
    }

    #[test]
    fn the_line_of_every_command_is_read_back_as_that_command() {
        for command in every_command() {
            let line = command.cli_line();
            let words = shell_words::split(&line).unwrap();
            let read = parse(words.into_iter().map(OsString::from));
            assert!(matches!(read, Parsed::Run(_)), "{line}: {read:?}");
            assert!(line.starts_with(&format!("cockpit {}", command.name())));
        }
    }

    /// One of each; a new command belongs here, the match reminds of it.
    fn every_command() -> Vec<Command> {
        let (host, provider) = (HostId::new("h").unwrap(), PackId::new("p").unwrap());
        let machine = MachineId::new("m").unwrap();
        let (batch, plan) = (BatchId(1), PlanId(7));
        let approval = Approval {
            hash: "0123456789abcdef".to_owned(),
            host_name: Some("h".to_owned()),
            reason: Some("it's \"late\"; 宿主".to_owned()),
        };
        let all = vec![
            Command::BaselineRun {
                pack: None,
                due: false,
            },
            Command::BaselineRun {
                pack: Some(provider.clone()),
                due: true,
            },
            Command::BaselineHistory {
                pack: Some(provider.clone()),
                check: Some("entry.no-key".to_owned()),
                since: Some(Duration::from_hours(1)),
            },
            Command::BaselineDraft {
                of: "edge-1".to_owned(),
            },
            Command::BaselineDiff {
                a: "machine:a".to_owned(),
                b: "pack:b".to_owned(),
            },
            Command::BaselineWaivers,
            Command::BaselineWaive {
                wish: Box::new(WaiverWish {
                    aside: Aside::Check {
                        pack: Some(provider.clone()),
                        check: "entry.no-key".to_owned(),
                    },
                    reason: "it's known".to_owned(),
                    until_ms: 1_900_000_000_000,
                    owner: Some("ann".to_owned()),
                }),
            },
            Command::BaselineWaive {
                wish: Box::new(WaiverWish {
                    aside: Aside::Machine(machine.clone()),
                    reason: "a new disk".to_owned(),
                    until_ms: 1_900_000_000_000,
                    owner: None,
                }),
            },
            Command::BaselineClear {
                aside: Aside::Host(host.clone()),
            },
            Command::HostProbe { host: host.clone() },
            Command::MachineCheck {
                machine: machine.clone(),
            },
            Command::HostListing {
                host: host.clone(),
                provider: provider.clone(),
            },
            Command::ImportPlan {
                host: host.clone(),
                provider: provider.clone(),
                keys: Secret::new("sk-aaaabbbbccccdddd"),
                mode: ImportMode::Strict,
                access: AccessMode::SelfService,
                user_key: Some(CallerKey::Reference("env:KEY".to_owned())),
            },
            Command::ImportApply {
                plan,
                approval: approval.clone(),
                canary: 3,
            },
            Command::ImportApply {
                plan,
                approval: Approval::default(),
                canary: 0,
            },
            Command::BatchList {
                host: Some(host.clone()),
            },
            Command::BatchShow { batch },
            Command::BatchResume { batch },
            Command::BatchRetry {
                batch,
                keys: Secret::new("sk-aaaabbbbccccdddd"),
            },
            Command::AccessStatus { batch },
            Command::AccessPreview {
                host: host.clone(),
                provider: provider.clone(),
                access: AccessMode::SelfService,
                user_key: Some(CallerKey::Reference("file:/k".to_owned())),
            },
            Command::AccessPlan {
                host: host.clone(),
                provider: provider.clone(),
                access: AccessMode::Subscription,
                user_key: Some(CallerKey::Reference("file:/k".to_owned())),
            },
            Command::AccessApply {
                plan,
                approval: approval.clone(),
            },
            Command::LeaseList,
            Command::LeaseTake {
                host: host.clone(),
                provider: provider.clone(),
                reason: "its owner's laptop died".to_owned(),
                even_if_alive: true,
            },
            Command::HostAdd {
                new: Box::new(NewHost {
                    id: host.clone(),
                    machine: Some(MachineId::new("m").unwrap()),
                    address: "127.0.0.1:18080".to_owned(),
                    role: Role::Temporary,
                    admin: NewAdmin {
                        login: Some("a@example.com".to_owned()),
                        reference: "env:NAME".to_owned(),
                    },
                    baseline: None,
                    terms: Some(NewTerms {
                        reason: "a trial".to_owned(),
                        port: 18080,
                        expires: "2027-01-31".to_owned(),
                        container: "trial".to_owned(),
                    }),
                    db_container: Some("pg".to_owned()),
                    redis_container: None,
                }),
            },
            Command::HostRemove { host: host.clone() },
            Command::ReconcilePlan {
                scope: Scope::Host {
                    host: host.clone(),
                    provider: Some(provider.clone()),
                },
            },
            Command::ReconcilePlan {
                scope: Scope::Host {
                    host: host.clone(),
                    provider: None,
                },
            },
            Command::ReconcilePlan {
                scope: Scope::Batch(batch),
            },
            Command::ReconcileLook {
                host: host.clone(),
                provider: None,
                since_ms: 7,
            },
            Command::ReconcileLook {
                host: host.clone(),
                provider: Some(provider.clone()),
                since_ms: 7,
            },
            Command::ProviderStatus {
                host: host.clone(),
                provider: None,
            },
            Command::ProviderStatus {
                host: host.clone(),
                provider: Some(provider.clone()),
            },
            Command::ReconcileApply {
                plan,
                approval: approval.clone(),
            },
            Command::RepairPlan {
                pack: Some(provider.clone()),
                check: "binding.seven".to_owned(),
            },
            Command::RepairApply {
                plan,
                approval: approval.clone(),
            },
            Command::RollbackPlan {
                batch,
                delete: false,
            },
            Command::RollbackPlan {
                batch,
                delete: true,
            },
            Command::AdoptPlan {
                host: host.clone(),
                provider: provider.clone(),
            },
            Command::AdoptApply {
                plan,
                approval: approval.clone(),
            },
            Command::PrunePlan {
                host: host.clone(),
                provider: provider.clone(),
            },
            Command::PruneApply {
                plan,
                approval: approval.clone(),
            },
            Command::RecoverPlan {
                host: host.clone(),
                account: RemoteId(7),
                provider: Some(provider.clone()),
            },
            Command::RecoverApply {
                plan,
                approval: approval.clone(),
            },
            Command::RollbackApply {
                plan,
                approval: approval.clone(),
            },
            Command::ProbeRun {
                host: host.clone(),
                provider: None,
            },
            Command::ProbeRun {
                host,
                provider: Some(provider),
            },
            Command::ProbeSplit {
                host: HostId::new("h").unwrap(),
                provider: PackId::new("p").unwrap(),
                key: SplitKey::Item(batch, ItemId(7)),
                here: true,
            },
            Command::ProbeSplit {
                host: HostId::new("h").unwrap(),
                provider: PackId::new("p").unwrap(),
                key: SplitKey::Named(CallerKey::Reference("env:KEY".to_owned())),
                here: false,
            },
            Command::ProviderResources {
                host: HostId::new("h").unwrap(),
                provider: None,
            },
            Command::ProviderList,
            Command::RunbookList,
            Command::RunbookShow {
                book: "p/again".to_owned(),
            },
            Command::RunbookRun {
                walk: NewWalk {
                    book: "again".to_owned(),
                    host: Some(HostId::new("h").unwrap()),
                    machine: Some(machine),
                    begin_only: false,
                },
            },
            Command::RunbookRuns { run: None },
            Command::RunbookRuns {
                run: Some(RunId(3)),
            },
            Command::RunbookResume {
                run: RunId(3),
                word: SaidToRun::GoOn,
            },
            Command::RunbookResume {
                run: RunId(3),
                word: SaidToRun::Answer("not done".to_owned()),
            },
            Command::RunbookResume {
                run: RunId(3),
                word: SaidToRun::Approve(approval),
            },
            Command::RunbookResume {
                run: RunId(3),
                word: SaidToRun::Skip,
            },
            Command::RunbookResume {
                run: RunId(3),
                word: SaidToRun::Stop("it's late".to_owned()),
            },
            Command::RunbookBack { run: RunId(3) },
            Command::Doctor,
            Command::ExplainKey {
                host: Some(HostId::new("h").unwrap()),
                key: AskedKey::Text(CallerKey::Reference("env:KEY".to_owned())),
            },
            Command::Triage {
                host: Some(HostId::new("h").unwrap()),
                look: true,
            },
        ];
        for command in &all {
            match command {
                Command::BaselineRun { .. }
                | Command::BaselineHistory { .. }
                | Command::BaselineWaivers
                | Command::BaselineDraft { .. }
                | Command::BaselineDiff { .. }
                | Command::BaselineWaive { .. }
                | Command::BaselineClear { .. }
                | Command::HostProbe { .. }
                | Command::MachineCheck { .. }
                | Command::HostListing { .. }
                | Command::ImportPlan { .. }
                | Command::ImportApply { .. }
                | Command::BatchList { .. }
                | Command::BatchShow { .. }
                | Command::BatchResume { .. }
                | Command::BatchRetry { .. }
                | Command::AccessStatus { .. }
                | Command::AccessPreview { .. }
                | Command::AccessPlan { .. }
                | Command::AccessApply { .. }
                | Command::LeaseList
                | Command::LeaseTake { .. }
                | Command::HostAdd { .. }
                | Command::HostRemove { .. }
                | Command::ProviderStatus { .. }
                | Command::ReconcilePlan { .. }
                | Command::ReconcileLook { .. }
                | Command::ReconcileApply { .. }
                | Command::RepairPlan { .. }
                | Command::RepairApply { .. }
                | Command::RollbackPlan { .. }
                | Command::RollbackApply { .. }
                | Command::AdoptPlan { .. }
                | Command::AdoptApply { .. }
                | Command::PrunePlan { .. }
                | Command::PruneApply { .. }
                | Command::RecoverPlan { .. }
                | Command::RecoverApply { .. }
                | Command::ProbeRun { .. }
                | Command::ProbeSplit { .. }
                | Command::ProviderResources { .. }
                | Command::ProviderList
                | Command::RunbookList
                | Command::RunbookShow { .. }
                | Command::RunbookRun { .. }
                | Command::RunbookRuns { .. }
                | Command::RunbookResume { .. }
                | Command::RunbookBack { .. }
                | Command::GateBefore { .. }
                | Command::GateAfter { .. }
                | Command::GateShow { .. }
                | Command::GateAnswer { .. }
                | Command::GateApply { .. }
                | Command::StackList
                | Command::StackShow { .. }
                | Command::StackClean { .. }
                | Command::StackRegister { .. }
                | Command::Triage { .. }
                | Command::ExplainKey { .. }
                | Command::Doctor => {}
            }
        }
        all
    }
}
