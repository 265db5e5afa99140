//! Where an answer came from, as the host itself booked it: the key that asked, the group it belongs
//! to, the channel over that, the account that served, the model that was asked for upstream.

use super::smoke::SmokeSeen;
use crate::ids::RemoteId;
use crate::inventory::UsageRow;
use crate::pack::SmokeLook;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// The key that asked, and the way of each answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The key, as the host knows it.
    pub key: RemoteId,
    /// The group whose active key it is.
    pub group: RemoteId,
    /// One way a model that answered and was booked.
    pub served: Vec<Served>,
}

/// The way of one answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// The model asked for.
    pub model: String,
    /// The account that served it.
    pub account: RemoteId,
    /// The channel it went through.
    pub channel: Option<RemoteId>,
    /// The group it was booked on.
    pub group: Option<RemoteId>,
    /// The model that the upstream was asked for.
    pub upstream_model: String,
    /// The path that the upstream was asked on.
    pub upstream_endpoint: String,
    /// The host's usage row.
    pub usage: RemoteId,
}

impl Served {
    fn of(model: &str, row: &UsageRow) -> Self {
        let upstream = row.upstream_model.as_ref().filter(|name| !name.is_empty());
        Self {
            model: model.to_owned(),
            account: row.account_id,
            channel: row.channel_id,
            group: row.group_id,
            upstream_model: upstream.unwrap_or(&row.model).clone(),
            upstream_endpoint: row.upstream_endpoint.clone(),
            usage: row.id,
        }
    }

    /// The way in few words.
    fn way(&self) -> String {
        let mut way = format!("account {}", self.account);
        if let Some(channel) = self.channel {
            let _ = write!(way, ", channel {channel}");
        }
        if self.upstream_model != self.model {
            let _ = write!(way, ", upstream as {}", self.upstream_model);
        }
        way
    }

    /// What is not as the pack says.
    fn faults(&self, look: &SmokeLook) -> Vec<String> {
        let mut faults = Vec::new();
        let model = &self.model;
        if let Some(group) = self.group.filter(|group| group.0 != look.group) {
            let wanted = look.group;
            faults.push(format!(
                "{model}: booked on group {group}, expected {wanted}"
            ));
        }
        if !look.accounts.is_empty() && !look.accounts.contains(&self.account.0) {
            let wanted: Vec<String> = look.accounts.iter().map(i64::to_string).collect();
            let (account, wanted) = (self.account, wanted.join(" or "));
            faults.push(format!(
                "{model}: served by account {account}, expected {wanted}"
            ));
        }
        if let Some(wanted) = look.channel
            && self.channel != Some(RemoteId(wanted))
        {
            let found = match self.channel {
                Some(channel) => format!("channel {channel}"),
                None => "no channel".to_owned(),
            };
            faults.push(format!(
                "{model}: went through {found}, expected channel {wanted}"
            ));
        }
        if let Some(wanted) = look.upstream.get(model)
            && self.upstream_model != *wanted
        {
            let found = &self.upstream_model;
            faults.push(format!(
                "{model}: answered by `{found}`, expected `{wanted}`"
            ));
        }
        faults
    }
}

impl Provenance {
    /// Traces the answers that came, by the rows that the key left since the smoke began. Gives what
    /// is wrong beside it: an answer that left no row is not of this host.
    pub(super) fn trace(
        look: &SmokeLook,
        seen: &SmokeSeen,
        rows: &[UsageRow],
    ) -> (Self, Vec<String>) {
        let mut faults = Vec::new();
        let mut served = Vec::new();
        for completion in seen.completions.iter().filter(|it| it.answers(look)) {
            let model = &completion.model;
            let own = rows.iter().filter(|row| row.model == *model);
            let Some(row) = own.max_by_key(|row| row.id) else {
                faults.push(format!(
                    "{model}: answered, and left no usage row on this host: the answer came from elsewhere, \
                     or nothing is booked any more"
                ));
                continue;
            };
            let way = Served::of(model, row);
            faults.extend(way.faults(look));
            served.push(way);
        }
        let provenance = Self {
            key: seen.key,
            group: RemoteId(look.group),
            served,
        };
        (provenance, faults)
    }

    /// The whole in one line: key and group, then the way; models that took the same one together.
    pub fn told(&self) -> String {
        let mut told = format!("key {} of group {}", self.key, self.group);
        let mut ways: Vec<(String, Vec<&str>)> = Vec::new();
        for served in &self.served {
            let way = served.way();
            match ways.iter_mut().find(|(known, _)| *known == way) {
                Some((_, models)) => models.push(&served.model),
                None => ways.push((way, vec![&served.model])),
            }
        }
        let several = ways.len() > 1;
        for (way, models) in ways {
            if several {
                let _ = write!(told, "; {} by {way}", models.join(", "));
            } else {
                let _ = write!(told, ", {way}");
            }
        }
        told
    }

    /// One line an answer, with all that is known of it.
    pub(super) fn evidence(&self) -> String {
        let lines = self.served.iter().map(|served| {
            let endpoint = &served.upstream_endpoint;
            format!(
                "\n{} <- {}, group {}, model {} at {}, usage row {}",
                served.model,
                served.way(),
                served
                    .group
                    .map_or_else(|| "?".to_owned(), |id| id.to_string()),
                served.upstream_model,
                if endpoint.is_empty() { "?" } else { endpoint },
                served.usage
            )
        });
        lines.collect()
    }
}
