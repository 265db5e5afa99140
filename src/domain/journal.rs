//! The journal's vocabulary: one row for every remote write, intent first, outcome after.

use crate::batch::words;
use crate::ids::{BatchId, HostId, RemoteId, StepId};
use crate::resource::ResourceKind;
use serde::{Deserialize, Serialize};

words! {
    /// How far a step got.
    StepState {
        /// Durable before anything was sent: surely without effect.
        Intended = "intended",
        /// Handed to the connection: may have taken effect.
        Sent = "sent",
        /// Answered well.
        Done = "done",
        /// Answered no: without effect.
        Failed = "failed",
        /// No readable answer: must be looked up before anything else.
        Unknown = "unknown",
    }
}

words! {
    /// Which remote write a step is.
    StepKind {
        /// Create the batch's group.
        CreateGroup = "create_group",
        /// Create the channel.
        CreateChannel = "create_channel",
        /// Correct a channel that is not as it should be.
        CorrectChannel = "correct_channel",
        /// Create the sale offer.
        CreatePlan = "create_plan",
        /// Create an account.
        CreateAccount = "create_account",
        /// Bind an account to its groups.
        BindAccount = "bind_account",
        /// Run the host's account test (changes the account's state).
        TestAccount = "test_account",
        /// Make an older account unschedulable.
        ParkAccount = "park_account",
        /// Make it schedulable again.
        UnparkAccount = "unpark_account",
        /// Clear what an answer of the upstream did to an account.
        ResetAccount = "reset_account",
        /// Create the managed user.
        CreateUser = "create_user",
        /// Set the managed user's password.
        SetPassword = "set_password",
        /// Allow a user in an exclusive group.
        AllowGroup = "allow_group",
        /// Set the managed user's balance.
        SetBalance = "set_balance",
        /// Assign the subscription.
        AssignSubscription = "assign_subscription",
        /// Extend it.
        ExtendSubscription = "extend_subscription",
        /// Revoke one that no extension revives.
        RevokeSubscription = "revoke_subscription",
        /// Create the managed key.
        CreateKey = "create_key",
        /// Bind a user's own key.
        BindKey = "bind_key",
        /// Put back the groups an account or a channel has to have.
        RepairBinding = "repair_binding",
        /// Put back the fields of a channel.
        RepairFields = "repair_fields",
        /// Switch an account on again for scheduling.
        RepairSwitch = "repair_switch",
        /// Delete a resource of ours.
        Delete = "delete",
        /// Put a corrected resource back to its before-image.
        Restore = "restore",
    }
}

/// A remote write about to happen.
#[derive(Debug, Clone)]
pub struct Intent {
    /// Batch it belongs to.
    pub batch: BatchId,
    /// Which host.
    pub host: HostId,
    /// What is written.
    pub kind: StepKind,
    /// Kind of the resource it touches.
    pub resource: ResourceKind,
    /// Deterministic name (or `id:7`) of its target: what a lookup asks for.
    pub target: String,
    /// SHA-256 of the request without secrets, 64 hex digits.
    pub request_digest: String,
    /// UUIDv7, the same on every replay of this step.
    pub idempotency_key: String,
    /// What the target was before, or null.
    pub before: serde_json::Value,
    /// UTC ms.
    pub at_ms: i64,
}

/// A row of the journal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JournalRow {
    /// Its id; grows with time.
    pub id: StepId,
    /// What is written.
    pub kind: StepKind,
    /// Kind of the resource.
    pub resource: ResourceKind,
    /// Name of the target.
    pub target: String,
    /// How far it got.
    pub state: StepState,
    /// The host's id of the resource, once known.
    pub host_resource_id: Option<RemoteId>,
    /// Replay key.
    pub idempotency_key: String,
    /// SHA-256 of the request.
    pub request_digest: String,
    /// Before-image or null.
    pub before: serde_json::Value,
    /// What the host said, one redacted sentence.
    pub answer: String,
    /// UTC ms of intent.
    pub at_ms: i64,
    /// How often it was handed to the connection.
    pub sends: u32,
    /// UTC ms when an answer of it was last found missing; stays when the step is done.
    pub lost_ms: Option<i64>,
}

impl JournalRow {
    /// Whether it may have taken effect without our knowing.
    pub fn is_open(&self) -> bool {
        matches!(self.state, StepState::Sent | StepState::Unknown)
    }

    /// Whether it may take effect, or have taken effect, beside what we know of it: unanswered,
    /// or sent again after an answer was lost.
    pub fn may_have_more(&self) -> bool {
        self.is_open() || (self.lost_ms.is_some() && self.sends > 1)
    }

    /// UTC ms from which a lost request is counted.
    pub fn doubtful_since(&self) -> i64 {
        self.lost_ms.unwrap_or(self.at_ms).max(self.at_ms)
    }
}
