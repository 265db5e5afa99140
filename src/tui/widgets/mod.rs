//! Drawing that knows none of our nouns: widths, lists, texts.

mod list;
mod page;
mod width;

pub(crate) use list::{draw_list, role_of_mark};
pub(crate) use page::{clipped, draw_text, wide, wrapped};
pub(crate) use width::{behind, cut, fit, width};

/// A stretch of time, coarse: a screen that counts seconds is never quiet.
pub(crate) fn span(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    match seconds {
        0..60 => "<1m".to_owned(),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}
