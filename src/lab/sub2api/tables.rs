//! What the host's database holds, as far as a query of the lab's `psql` may ask.

use super::SimHost;
use crate::machine::{Rows, Tables};
use serde_json::{Map, Value};

impl Tables for SimHost {
    fn rows(&self, table: &str) -> Option<Rows> {
        let pair = |names: [&str; 2], ids: (i64, i64)| -> Map<String, Value> {
            let values = [Value::from(ids.0), Value::from(ids.1)];
            names.map(str::to_owned).into_iter().zip(values).collect()
        };
        self.with(|state| {
            Some(match table {
                "account_groups" => state
                    .account_groups
                    .keys()
                    .map(|ids| pair(["account_id", "group_id"], *ids))
                    .collect(),
                "channel_groups" => state
                    .channels
                    .values()
                    .flat_map(|channel| {
                        let groups = channel.group_ids.iter();
                        groups.map(|group| (channel.id, *group)).collect::<Vec<_>>()
                    })
                    .map(|ids| pair(["channel_id", "group_id"], ids))
                    .collect(),
                _ => return None,
            })
        })
    }
}
