//! Whole lists: every page, cross-checked, or an error; never a part (trap 2).

use super::call::Call;
use super::client::HostHttp;
use cockpit_domain::ids::RemoteId;
use cockpit_engine::failure::{Failure, FailureKind, Outcome};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

/// Well under the 1000 above which a host silently gives 20.
const PAGE_SIZE: u64 = 200;
/// A list that changes while it is read is read again this often in all.
const READINGS: usize = 3;
/// More pages than any host has; a host that says more is not believed.
const MOST_PAGES: u64 = 10_000;

#[derive(Deserialize)]
struct Answered {
    #[serde(default)]
    items: Option<Vec<Value>>,
    total: u64,
    #[serde(default)]
    page: Option<u64>,
    #[serde(default)]
    page_size: Option<u64>,
    #[serde(default)]
    pages: Option<u64>,
}

/// One reading of a list.
enum Reading {
    Whole(BTreeMap<RemoteId, Value>),
    /// The pages do not fit together; why.
    Torn(String),
}

impl HostHttp {
    /// All items of a paged list, once each, in order of their id.
    pub(super) async fn paged<T: DeserializeOwned>(&self, call: Call<'_>) -> Outcome<Vec<T>> {
        let mut why = String::new();
        for _ in 0..READINGS {
            match self.reading(&call).await? {
                Reading::Whole(items) => {
                    return items
                        .into_values()
                        .map(|item| self.decode(&call, item))
                        .collect();
                }
                Reading::Torn(reason) => why = reason,
            }
        }
        let failure = Failure::new(
            FailureKind::Remote,
            format!("the list does not fit together, read {READINGS} times: {why}"),
        )
        .hint("somebody may be changing the host right now: try again when it is quiet");
        Err(self.name(&call, failure))
    }

    async fn reading(&self, call: &Call<'_>) -> Outcome<Reading> {
        let mut items = BTreeMap::new();
        let mut first: Option<(u64, u64)> = None;
        let mut page = 1;
        loop {
            let asked = call
                .clone()
                .query("page", page)
                .query("page_size", PAGE_SIZE);
            let got: Answered = self.get(&asked).await?;
            let size = got.page_size.unwrap_or(PAGE_SIZE);
            let list = got.items.unwrap_or_default();
            let count = list.len() as u64;
            if got.page.is_some_and(|answered| answered != page) {
                return Ok(Reading::Torn(format!(
                    "asked for page {page}, got page {}",
                    got.page.unwrap_or_default()
                )));
            }
            let (total, first_size) = *first.get_or_insert((got.total, size));
            if total != got.total {
                return Ok(Reading::Torn(format!(
                    "the total went from {total} to {} between pages",
                    got.total
                )));
            }
            // A smaller size from the first page on is some version's own limit and does no harm,
            // since `pages` follows it. One that changes in between would skip rows.
            if size != first_size || size == 0 {
                return Ok(Reading::Torn(format!(
                    "the page size went from {first_size} to {size} between pages"
                )));
            }
            for item in list {
                let id = serde_json::from_value(item["id"].clone()).map_err(|_| {
                    let failure = Failure::new(FailureKind::Remote, "a row of the list has no id")
                        .hint("check whether this host's version is a known one");
                    self.name(call, failure)
                })?;
                // Rows that move between pages come twice; the newer copy stays.
                items.insert(id, item);
            }
            let pages = got.pages.unwrap_or_else(|| total.div_ceil(size)).max(1);
            if page >= pages {
                break;
            }
            if count == 0 || page >= MOST_PAGES {
                return Ok(Reading::Torn(format!(
                    "page {page} of {pages} is empty or too many"
                )));
            }
            page += 1;
        }
        let (total, _) = first.unwrap_or_default();
        let unique = items.len() as u64;
        if unique != total {
            return Ok(Reading::Torn(format!(
                "the host counts {total} rows and gives {unique}"
            )));
        }
        Ok(Reading::Whole(items))
    }
}
