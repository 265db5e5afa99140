//! What the screen looks like: frames drawn from fixed states, kept as text to be read. A file under
//! `snapshots/` shows one page in every state it can be in; a state that needs colour to be told
//! from another one fails here.

mod baseline;
mod batches;
mod dialogs;
mod drift;
pub(crate) mod fleet;
mod leading;
mod logs;
mod looks;
mod others;
mod picture;
mod plans;
mod pool_acts;
mod pools;
mod runbooks;
mod sizes;
mod stacks;
mod standing;
mod states;
mod triage;
