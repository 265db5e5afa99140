//! Why a key fails, as text: the reason that decides, then every reason with the look behind it.

use super::put;
use cockpit_domain::explain::Holds;
use cockpit_engine::explain::Explained;

pub(super) fn explained(found: &Explained) -> String {
    let mut text = String::new();
    let verdict = match found.decided {
        Some(reason) => format!("x {reason}"),
        None if found.is_well() => {
            "+ none of the six reasons holds and the host takes it".to_owned()
        }
        None => "? none of the six reasons was seen to hold".to_owned(),
    };
    put(
        &mut text,
        format_args!("{} on {}: {verdict}", found.key, found.host),
    );
    for row in &found.reasons {
        let mark = match row.holds {
            Holds::Yes => 'x',
            Holds::No => '+',
            Holds::Unknown => '?',
            Holds::Moot => '.',
        };
        put(
            &mut text,
            format_args!("{mark} {:<22} {}", row.reason.as_str(), row.found),
        );
        put(&mut text, format_args!("      asked    {}", row.asked));
        if !row.next.is_empty() {
            put(&mut text, format_args!("      next     {}", row.next));
        }
    }
    if let Some(said) = &found.gateway {
        put(
            &mut text,
            format_args!(
                "  the gateway answers /v1/models with {}: {}",
                said.status, said.found
            ),
        );
    }
    for line in &found.notes {
        put(&mut text, format_args!("! {line}"));
    }
    text
}
