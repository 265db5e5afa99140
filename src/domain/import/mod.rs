//! The rules of an import: reading keys, naming, planning, judging (`product.md` 4).

mod balance;
mod gateway;
mod judge;
mod keys;
mod names;
mod plan;
mod preconditions;
mod view;

pub use balance::{LEAST_BALANCE, STARTING_BALANCE, is_enough, usd};
pub use gateway::{classify, is_warming};
pub use judge::{FinalWords, KeyJudgement, final_words, judge_key};
pub use keys::{BadKeyLine, KeyInput, KeyLine, read_keys};
pub use names::{
    Leftovers, account_name, is_own_name, managed_email, managed_key, managed_key_name,
    managed_password, subscription_notes,
};
pub use plan::{
    ImportPlan, ImportRequest, KeyFact, KeyState, KeyTotals, PlanItem, Seen, changed_fields,
    plan_import,
};
pub use preconditions::{Holds, Precondition, preconditions};
pub use view::HostView;
