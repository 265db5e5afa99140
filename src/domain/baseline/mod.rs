//! Judging an environment by its baseline: what was found against what is expected, and what the
//! rows come to together. Everything here is a pure function of text; the engine does the looking.

mod binding;
mod command;
mod compare;
mod containers;
mod expectation;
mod fields;
mod file;
mod glob;
mod history;
mod http;
mod judgement;
mod lasting;
mod listening;
mod metrics;
pub mod nginx;
mod process;
mod profile;
mod provenance;
mod report;
mod service;
mod smoke;
mod sql;
mod stacks;
mod stored;
mod system;
mod tool;
mod verdict;
mod waiver;

pub(crate) use binding::why_closed;
pub use binding::{AccountSeen, judge_account, judge_members};
pub use command::judge_command;
pub use compare::{Facts, judge_compare};
pub use containers::{Container, judge_containers, read_containers};
pub use expectation::expectation;
pub use file::{DiskSeen, FileSeen, judge_disk, judge_file, read_disk, read_stat};
pub use glob::matches_glob;
pub use history::{Brief, CheckHistory, FLAPS_MS, RECENT, Stretch, brief};
pub use http::{HttpSeen, judge_http};
pub use judgement::Judgement;
pub use lasting::{Turn, weigh};
pub use listening::{Listener, judge_listening, read_listeners};
pub use metrics::{Sample, judge_metrics, kept_for, measured, read_sample};
pub use nginx::{judge_nginx, server_text};
pub use process::{Insides, LIST, Process, judge_processes, meant, read_processes};
pub use profile::{judge_profile, read_profile};
pub use provenance::{Provenance, Served};
pub use report::{BaselineReport, CheckResult, Origin, judge_pack, mute_children};
pub use service::{Service, judge_services, read_services, service_list};
pub use smoke::{CompletionSeen, SmokeSeen, judge_smoke};
pub use sql::{
    ContainerSeen, Named, ask as ask_database, judge_sql, not_proven, read_rows, read_settings,
    started_ago,
};
pub use stacks::{judge_stacks, not_named};
pub use stored::{StoredSeen, judge_stored};
pub use system::System;
pub use tool::{ToolOutput, did_not_run, read_tool, too_long};
pub use verdict::Verdict;
pub use waiver::{LONGEST_DAYS, Waiver, WaiverSubject, read_until};
