//! A batch, its items and the words for how they fared (`product.md` 4.9). Field names here are
//! the names in store, JSON and evidence.

use crate::ids::{BatchId, HostId, ItemId, PackId, PlanId, RemoteId};
use crate::secret::Fingerprint;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in store, JSON and on screen.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Reads the word back.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What a batch is a record of.
    BatchKind {
        /// Keys of a provider brought into a host.
        Import = "import",
        /// One check of a baseline, or the drift of an import, repaired; holds no keys. Its provider
        /// is the pack that was judged by.
        Repair = "repair",
        /// Parked accounts of a provider deleted; holds no keys and cannot be taken back.
        Prune = "prune",
        /// What stood on a host taken over into our records; holds no keys, wrote nothing there.
        Adopt = "adopt",
        /// One account asked again and let in again; holds no keys.
        Recover = "recover",
        /// Access prepared for a provider, without keys of its own: group, user, right and user key.
        Access = "access",
    }
}

impl BatchKind {
    /// Whether it is about keys of a provider: it has items, gives access, and can be reconciled.
    pub fn has_keys(self) -> bool {
        self == Self::Import
    }

    /// Why it cannot be taken back; `None` when it can.
    pub fn why_final(self) -> Option<&'static str> {
        match self {
            Self::Import | Self::Repair | Self::Adopt | Self::Access => None,
            Self::Prune => Some("what was deleted cannot be brought back"),
            Self::Recover => Some("letting an account in again leaves nothing to take back"),
        }
    }
}

impl Default for BatchKind {
    /// What every batch was before there were repairs.
    fn default() -> Self {
        Self::Import
    }
}

words! {
    /// How a batch stands.
    BatchStatus {
        /// A process is at work on it.
        Running = "running",
        /// Everything passed and access is proven.
        Succeeded = "succeeded",
        /// Something is usable, something is not.
        PartiallySucceeded = "partially_succeeded",
        /// Nothing usable came of it; own work undone.
        Failed = "failed",
        /// Stopped in the middle: resume or roll back.
        Interrupted = "interrupted",
        /// Taken back.
        RolledBack = "rolled_back",
    }
}

words! {
    /// Why a batch is `interrupted`; its reason says the rest.
    Interruption {
        /// The first keys are through, end to end; the others wait for a person's word.
        Canary = "canary",
        /// A person held it, and the program ended before it went on.
        Paused = "paused",
        /// A person stopped it.
        Aborted = "aborted",
        /// The terminal it was run on, or the connection to it, was lost.
        HungUp = "hung_up",
        /// The process that ran it is gone.
        Killed = "killed",
        /// The host, or the way to it, was lost.
        LostConnection = "lost_connection",
        /// The host is not as the plan saw it any more.
        HostChanged = "host_changed",
        /// Something else failed.
        Failed = "failed",
    }
}

words! {
    /// How the provider stands on the host after a batch.
    ProviderStatus {
        /// Serving.
        Active = "active",
        /// Something of it fails.
        Degraded = "degraded",
        /// Not serving through our work.
        Failed = "failed",
    }
}

words! {
    /// The proof that an ordinary user can call the model.
    AccessStatus {
        /// Proven through a subscription.
        SubscriptionReady = "subscription_ready",
        /// Proven through the user's own balance.
        SelfServiceReady = "self_service_ready",
        /// Proven again, later, by a separate look.
        FullyReady = "fully_ready",
        /// Not proven.
        Broken = "broken",
    }
}

words! {
    /// How one key fared.
    AccountStatus {
        /// The host's test passed with the smoke model.
        Passed = "passed",
        /// Inconclusive at the host, good when asked directly.
        Warning = "warning",
        /// Not usable; the reason is in the summary.
        Failed = "failed",
    }
}

words! {
    /// Where an item is on its way.
    ItemStage {
        /// Looking: host, key, upstream.
        Probe = "probe",
        /// Being made on the host.
        Provision = "provision",
        /// Waiting for the host to see it.
        Confirm = "confirm",
        /// Being judged.
        Validate = "validate",
        /// Through, well or not.
        Done = "done",
    }
}

words! {
    /// What to do when some keys fail.
    ImportMode {
        /// All or nothing: own work is undone.
        Strict = "strict",
        /// Keep what works.
        Partial = "partial",
    }
}

words! {
    /// How ordinary users get at the model.
    AccessMode {
        /// Through a subscription group.
        Subscription = "subscription",
        /// Through a standard group and their balance.
        SelfService = "self_service",
    }
}

words! {
    /// Whose fault it is when a completion fails: host beside upstream, same key, model and
    /// payload (`product.md` 4.8).
    CompletionClass {
        /// Both answer.
        Ok = "ok",
        /// The upstream answers, the host does not.
        HostCompatibilityGap = "host_compatibility_gap",
        /// The key has no quota left.
        UpstreamKeyQuotaIssue = "upstream_key_quota_issue",
        /// The upstream refuses the key.
        UpstreamAuthFailed = "upstream_auth_failed",
        /// The upstream asks to slow down.
        UpstreamRateLimited = "upstream_rate_limited",
        /// Nobody answers there.
        UpstreamUnreachable = "upstream_unreachable",
        /// Something else.
        UpstreamUnexpected = "upstream_unexpected",
    }
}

/// What the gateway said to an ordinary key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayEvidence {
    /// Status of `GET /v1/models`.
    pub status_code: u16,
    /// Whether the list holds the smoke model.
    pub models_ok: bool,
    /// Whether a minimal chat answered.
    pub completion_ok: bool,
    /// Status of that chat.
    pub completion_status: u16,
    /// Its content type.
    pub completion_type: String,
    /// Head of its text, redacted.
    pub completion_preview: String,
    /// The account the usage row names, if one was found.
    pub served_by_account: Option<RemoteId>,
    /// Whether that account is one of ours.
    pub served_by_ours: bool,
    /// Tries it took within the warming window.
    pub tries: u32,
    /// Where the window ended without a verdict: what the host's stored state says of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stored: String,
}

/// What the upstream said when asked directly with one key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamEvidence {
    /// Status of the models list, 0 if there was no answer.
    pub upstream_models_status: u16,
    /// Status of the chat, 0 if there was no answer.
    pub upstream_chat_status: u16,
    /// Content type of the chat.
    pub upstream_chat_type: String,
    /// Head of its body, redacted: the upstream's own words.
    pub upstream_chat_preview: String,
}

/// What one plan came to: listed, shown, gone on with and, where its kind allows, taken back as a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Store id.
    pub id: BatchId,
    /// See [`BatchKind`].
    #[serde(default)]
    pub kind: BatchKind,
    /// Host.
    pub host: HostId,
    /// Provider pack; of a repaired check the baseline pack.
    pub provider: PackId,
    /// Plan it carries out.
    pub plan: PlanId,
    /// Hash of that plan.
    pub plan_hash: String,
    /// Strict or partial.
    pub mode: ImportMode,
    /// Access mode.
    pub access_mode: AccessMode,
    /// See [`BatchStatus`].
    #[serde(rename = "status")]
    pub batch_status: BatchStatus,
    /// Why it stopped, if it did.
    pub reason: String,
    /// What sort of stop it was, while it is `interrupted`.
    #[serde(default)]
    pub interrupted_by: Option<Interruption>,
    /// How many keys go first, end to end, before the others wait for a word; 0 is none.
    #[serde(default)]
    pub canary: usize,
    /// Provider status as the import left it.
    pub provider_status_from_import: Option<ProviderStatus>,
    /// Access at import; never rewritten.
    pub access_status: Option<AccessStatus>,
    /// Access at the newest look.
    pub latest_access_status: Option<AccessStatus>,
    /// Gateway evidence of the import.
    pub gateway: GatewayEvidence,
    /// Upstream evidence of the import.
    pub upstream: UpstreamEvidence,
    /// Host beside upstream.
    pub completion_classification: Option<CompletionClass>,
    /// `managed_subscription`, `managed_self_service` or `user_key`.
    pub effective_key_source: String,
    /// Fingerprint of the ordinary key that proved access.
    pub key_fingerprint: Option<Fingerprint>,
    /// UTC ms of our last write to the host: the warming window counts from here.
    pub last_write_ms: i64,
    /// UTC ms.
    pub created_ms: i64,
    /// UTC ms.
    pub updated_ms: i64,
    /// Who ran it.
    pub owner: String,
}

impl Batch {
    /// One that begins now, by a plan and its hash. Mode and access mode are those of an import;
    /// without keys they say nothing. Its id is given when it is stored.
    pub fn begun(
        kind: BatchKind,
        (host, provider): (&HostId, &PackId),
        (plan, hash): (PlanId, &str),
        owner: &str,
        now_ms: i64,
    ) -> Self {
        Self {
            id: BatchId(0),
            kind,
            host: host.clone(),
            provider: provider.clone(),
            plan,
            plan_hash: hash.to_owned(),
            mode: ImportMode::Strict,
            access_mode: AccessMode::Subscription,
            batch_status: BatchStatus::Running,
            reason: String::new(),
            interrupted_by: None,
            canary: 0,
            provider_status_from_import: None,
            access_status: None,
            latest_access_status: None,
            gateway: GatewayEvidence::default(),
            upstream: UpstreamEvidence::default(),
            completion_classification: None,
            effective_key_source: String::new(),
            key_fingerprint: None,
            last_write_ms: 0,
            created_ms: now_ms,
            updated_ms: now_ms,
            owner: owner.to_owned(),
        }
    }
}

/// One key of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Store id.
    pub id: ItemId,
    /// Its batch.
    #[serde(skip, default = "no_batch")]
    pub batch: BatchId,
    /// Line of the key input, from 1.
    pub line: usize,
    /// The key's fingerprint.
    pub fingerprint: Fingerprint,
    /// The key as shown.
    pub key: String,
    /// Deterministic account name.
    pub account_name: String,
    /// The account, once made.
    pub account_id: Option<RemoteId>,
    /// Where it is.
    pub stage: ItemStage,
    /// How it fared.
    pub account_status: Option<AccountStatus>,
    /// Whether the host's test passed.
    pub probe_ok: bool,
    /// Whether a warning is forgiven because the direct look was good.
    pub probe_advisory: bool,
    /// `pending`, `passed`, `warning`, `failed`.
    pub validation_status: String,
    /// One sentence: what the host's test said. Never empty once judged.
    pub account_probe_summary: String,
    /// What the upstream said to this key.
    #[serde(flatten)]
    pub upstream: UpstreamEvidence,
    /// How often this batch has taken it up; a resume takes up what was not judged.
    #[serde(default)]
    pub attempts: u32,
    /// How it fared in earlier batches of this host and provider, oldest first.
    #[serde(default)]
    pub earlier: Vec<Attempt>,
}

/// How a key fared in an earlier batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// That batch.
    pub batch: BatchId,
    /// Its item.
    pub item: ItemId,
    /// What it came to; `None` when it was never judged.
    pub account_status: Option<AccountStatus>,
    /// What was said of it.
    pub summary: String,
}

impl std::fmt::Display for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let status = self
            .account_status
            .map_or("not judged", AccountStatus::as_str);
        write!(
            f,
            "{}#item{} {status}: {}",
            self.batch, self.item.0, self.summary
        )
    }
}

fn no_batch() -> BatchId {
    BatchId(0)
}

/// Something that happened to a batch; kept in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchEvent {
    /// UTC ms.
    pub at_ms: i64,
    /// Item it is about, if one.
    pub item: Option<ItemId>,
    /// Stable id such as `account_created`.
    pub kind: String,
    /// One sentence, redacted.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for status in BatchStatus::ALL {
            assert_eq!(BatchStatus::parse(status.as_str()), Some(*status));
            assert_eq!(
                serde_json::to_string(status).unwrap(),
                format!("\"{status}\"")
            );
        }
        assert_eq!(AccessStatus::parse("models_ready"), None);
    }
}
