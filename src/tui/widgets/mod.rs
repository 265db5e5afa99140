//! Drawing that knows none of our nouns: widths, lists, texts.

mod list;
mod page;
mod width;

pub(crate) use list::draw_list;
pub(crate) use page::{clipped, draw_text, wide, wrapped};
pub(crate) use width::{behind, cut, fit, width};
