//! The model as a picture. Reads only.

use crate::chrome;
use crate::content::{Body, Cell, Note, note};
use crate::dialogs::{
    Confirm, Dialog, ImportForm, Message, Palette, Reply, STACK_FIELDS, StackForm,
};
use crate::model::Model;
use crate::panes;
use crate::theme::Role;
use crate::update::{Shown, shown};
use crate::widgets::{cut, draw_list, draw_text, fit, width, wrapped};
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::symbols::border;
use ratatui::widgets::{Block, Clear};

/// ASCII lines for terminals and fonts without box drawing.
const ASCII: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

/// Cells across of a form and of a confirmation.
const ACROSS: u16 = 72;

/// Draws the whole screen.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model) {
    let shown = shown(model);
    chrome::draw(frame, model, &shown);
    page(frame, model, &shown);
    if let Some(dialog) = &model.dialog {
        match dialog {
            Dialog::Palette(palette) => draw_palette(frame, model, palette),
            Dialog::Import(form) => draw_form(frame, model, form),
            Dialog::Stack(form) => draw_stack_form(frame, model, form),
            Dialog::Confirm(confirm) => draw_confirm(frame, model, confirm),
            Dialog::Reply(reply) => draw_reply(frame, model, reply),
            Dialog::Message(message) => draw_message(frame, model, message),
        }
    }
}

fn page(frame: &mut Frame<'_>, model: &Model, shown: &Shown) {
    let area = shown.geometry.body;
    if area.height == 0 || area.width == 0 {
        return;
    }
    let view = model.trail.view();
    let mut head = shown.content.head.clone();
    if !shown.content.sections.is_empty() {
        head.push(
            shown
                .content
                .sections
                .iter()
                .enumerate()
                .map(|(at, name)| {
                    if at == view.section {
                        Cell::new(format!("[{name}]"), Role::Focus)
                    } else {
                        Cell::muted(format!(" {name} "))
                    }
                })
                .collect(),
        );
    }
    let buffer = frame.buffer_mut();
    draw_text(buffer, area, &head, 0, &model.theme);
    let used = u16::try_from(head.len())
        .unwrap_or(u16::MAX)
        .min(area.height);
    let below = Rect {
        y: area.y + used,
        height: area.height - used,
        ..area
    };
    match &shown.content.body {
        Body::Text(lines) => draw_text(buffer, below, lines, view.offset, &model.theme),
        Body::List(list) if shown.rows.is_empty() => {
            let empty = if shown.total > 0 {
                let by_level = view.filter.is_empty() && !view.only_broken;
                let key = if by_level {
                    "log.all-hidden"
                } else {
                    "state.all-hidden"
                };
                vec![note(model.say(key), Role::Muted)]
            } else {
                list.empty.clone()
            };
            draw_text(
                buffer,
                below,
                &wrapped(&empty, below.width),
                0,
                &model.theme,
            );
        }
        Body::List(list) => {
            let rows: Vec<_> = shown.rows.iter().collect();
            draw_list(
                buffer,
                below,
                &list.columns,
                &rows,
                (shown.offset, shown.selected),
                (&model.theme, model.lang),
            );
        }
    }
    if let Some(side) = shown.geometry.side {
        let opens = shown.selected.and_then(|at| shown.rows[at].opens.as_ref());
        let lines = wrapped(&panes::beside(model, opens), side.width.saturating_sub(2));
        let bar = if model.setup.ascii { "|" } else { "│" };
        for y in side.y..side.y + area.height {
            buffer.set_string(side.x - 1, y, bar, model.theme.style(Role::Border));
        }
        let inner = Rect {
            x: side.x + 1,
            width: side.width.saturating_sub(2),
            ..side
        };
        draw_text(buffer, inner, &lines, 0, &model.theme);
        if let Some(log) = shown.geometry.side_log {
            let inner = Rect {
                x: inner.x,
                width: inner.width,
                ..log
            };
            let lines = panes::log_beside(model, shown, inner);
            draw_text(buffer, inner, &lines, 0, &model.theme);
        }
    }
}

/// A wide character of the page that reaches under the left edge of a box would hide the edge.
fn whole_edge(buffer: &mut Buffer, area: Rect) {
    let Some(beside) = area.x.checked_sub(1) else {
        return;
    };
    for y in area.top()..area.bottom() {
        if let Some(cell) = buffer.cell_mut((beside, y))
            && width(cell.symbol()) > 1
        {
            cell.set_symbol(" ");
        }
    }
}

/// A box in front of the page; gives back its inside.
fn front(frame: &mut Frame<'_>, model: &Model, title: &str, size: (u16, u16)) -> Rect {
    let screen = frame.area();
    let (wide, high) = (size.0.min(screen.width), size.1.min(screen.height));
    let area = Rect {
        x: (screen.width - wide) / 2,
        y: (screen.height - high) / 3,
        width: wide,
        height: high,
    };
    let mut block = Block::bordered()
        .title(format!(" {title} "))
        .border_style(model.theme.style(Role::Border))
        .title_style(model.theme.style(Role::Title));
    if model.setup.ascii {
        block = block.border_set(ASCII);
    }
    let mut inner = block.inner(area);
    whole_edge(frame.buffer_mut(), area);
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    if inner.width > 2 {
        inner.x += 1;
        inner.width -= 2;
    }
    inner
}

/// The mark in front of what has the keys.
fn pointer(here: bool) -> Cell {
    if here {
        Cell::new("> ", Role::Key)
    } else {
        Cell::plain("  ")
    }
}

/// A box that is as high as its lines.
fn around(frame: &mut Frame<'_>, model: &Model, title: &str, lines: &[Note]) -> Rect {
    let room = ACROSS.min(frame.area().width).saturating_sub(4);
    let high = u16::try_from(wrapped(lines, room).len()).unwrap_or(u16::MAX);
    front(frame, model, title, (ACROSS, high.saturating_add(2)))
}

fn lines_in(frame: &mut Frame<'_>, model: &Model, area: Rect, lines: &[Note], offset: usize) {
    let lines = wrapped(lines, area.width);
    draw_text(frame.buffer_mut(), area, &lines, offset, &model.theme);
}

fn draw_palette(frame: &mut Frame<'_>, model: &Model, palette: &Palette) {
    let title = model.say(match palette.kind {
        crate::dialogs::Kind::Command => "palette.title",
        crate::dialogs::Kind::Help => "palette.help",
        crate::dialogs::Kind::Menu(_) => "palette.menu",
    });
    let high = frame.area().height.saturating_sub(4).clamp(3, 24);
    let inner = front(frame, model, &title, (90, high));
    let mut lines = vec![vec![
        Cell::new(":", Role::Key),
        Cell::new(format!("{}_", palette.input.value()), Role::Focus),
    ]];
    let room = usize::from(inner.height.saturating_sub(1)).max(1);
    let first = palette.selected.saturating_sub(room - 1);
    let wide = palette
        .found
        .iter()
        .map(|entry| width(&entry.line))
        .max()
        .unwrap_or(0)
        .min(36);
    // What can be typed as an argument has no key.
    let with_keys = palette.found.iter().any(|entry| !entry.keys.is_empty());
    let help_room = usize::from(inner.width).saturating_sub(wide + if with_keys { 17 } else { 4 });
    let found = palette.found.iter().enumerate().skip(first).take(room);
    for (at, entry) in found {
        let chosen = at == palette.selected;
        let usable = entry.why_not.is_none();
        let role = match (chosen, usable) {
            (true, _) => Role::Selection,
            (false, true) => Role::Text,
            (false, false) => Role::Muted,
        };
        lines.push(vec![
            pointer(chosen),
            Cell::new(fit(&entry.line, wide), role),
            Cell::new(
                if with_keys {
                    format!(" {} ", fit(&entry.keys, 13))
                } else {
                    "  ".to_owned()
                },
                Role::Key,
            ),
            Cell::muted(cut(
                entry.why_not.as_ref().unwrap_or(&entry.help),
                help_room,
            )),
        ]);
    }
    if palette.found.is_empty() {
        lines.push(note(model.say("palette.none"), Role::Muted));
    }
    draw_text(frame.buffer_mut(), inner, &lines, 0, &model.theme);
}

/// The caller's own key: its place is shown, itself never.
fn own_key(model: &Model, form: &ImportForm) -> String {
    let focused = form.focus == crate::dialogs::OWN;
    let text = form.own.value();
    match (text.is_empty(), focused) {
        (true, false) => model.say("form.own-managed"),
        (true, true) => format!("_  {}", model.say("form.own-hint")),
        (false, _) if form.own_is_named() => format!("{text}{}", if focused { "_" } else { "" }),
        (false, _) => {
            let hidden = "*".repeat(text.chars().count().min(24));
            format!("{hidden}  {}", model.say("form.own-given"))
        }
    }
}

fn draw_form(frame: &mut Frame<'_>, model: &Model, form: &ImportForm) {
    let pick = |index: Option<&str>| format!("< {} >", index.unwrap_or("-"));
    let keys = match &form.keys {
        Some(pasted) => model.fill(
            "form.pasted",
            &[
                ("keys", &pasted.keys.to_string()),
                ("lines", &pasted.lines.to_string()),
            ],
        ),
        None if form.path().is_empty() && form.focus != crate::dialogs::KEYS => {
            model.say("form.keys-hint")
        }
        None if form.typed_key() => {
            let hidden = "*".repeat(form.path().chars().count());
            format!("{hidden}_  {}", model.say("form.typed"))
        }
        None => format!("{}_", form.path()),
    };
    let mode = if form.strict { "strict" } else { "partial" };
    let values = [
        form.hosts.get(form.host).map_or_else(
            || pick(None),
            |host| {
                let role = model.setup.host(host).map_or("", |host| host.role.as_str());
                let role = model.say(&format!("role.{role}"));
                format!("{}  {role}", pick(Some(host.as_str())))
            },
        ),
        pick(
            form.providers
                .get(form.provider)
                .map(cockpit_domain::ids::PackId::as_str),
        ),
        format!(
            "< {} >  {}",
            model.say(&format!("mode.{mode}")),
            model.say(&format!("form.{mode}"))
        ),
        format!(
            "< {} >  {}",
            model.say(&format!("access-mode.{}", form.access())),
            model.say(&format!("form.{}", form.access()))
        ),
        keys,
        own_key(model, form),
        model.say("form.plan"),
    ];
    let mut lines = Vec::new();
    if let Some(batch) = form.retry {
        let text = model.fill("form.again-hint", &[("batch", &batch.to_string())]);
        lines.extend([note(text, Role::Text), Vec::new()]);
    }
    if form.prepare {
        let text = model.say("form.prepare-hint");
        lines.extend([note(text, Role::Text), Vec::new()]);
    }
    for (at, (name, value)) in crate::dialogs::FIELDS.iter().zip(values).enumerate() {
        if !form.asks(at) {
            continue;
        }
        let focused = at == form.focus;
        lines.push(vec![
            pointer(focused),
            Cell::muted(fit(&model.say(&format!("form.field-{name}")), 10)),
            Cell::new(value, if focused { Role::Selection } else { Role::Text }),
        ]);
    }
    lines.push(Vec::new());
    for line in &form.refused {
        lines.push(note(line.clone(), Role::Fail));
    }
    lines.push(note(model.say("form.keys-line"), Role::Muted));
    let title = match form.retry {
        Some(batch) => model.fill("form.again", &[("batch", &batch.to_string())]),
        None if form.prepare => model.say("form.prepare"),
        None => model.say("form.title"),
    };
    let inner = around(frame, model, &title, &lines);
    lines_in(frame, model, inner, &lines, 0);
}

fn draw_stack_form(frame: &mut Frame<'_>, model: &Model, form: &StackForm) {
    let mut lines = Vec::new();
    for (at, name) in STACK_FIELDS.iter().enumerate() {
        let focused = at == form.focus;
        let role = if focused { Role::Selection } else { Role::Text };
        lines.push(vec![
            pointer(focused),
            Cell::muted(fit(&model.say(&format!("stack-form.field-{name}")), 11)),
            Cell::new(form.shown(model, at), role),
        ]);
    }
    lines.push(Vec::new());
    for line in &form.refused {
        lines.push(note(line.clone(), Role::Fail));
    }
    let hint = STACK_FIELDS.get(form.focus).copied().unwrap_or_default();
    lines.push(note(
        model.say(&format!("stack-form.hint-{hint}")),
        Role::Muted,
    ));
    lines.push(note(model.say("stack-form.keys-line"), Role::Muted));
    let inner = around(frame, model, &model.say("stack-form.title"), &lines);
    lines_in(frame, model, inner, &lines, 0);
}

fn draw_confirm(frame: &mut Frame<'_>, model: &Model, confirm: &Confirm) {
    let mut lines = confirm.lines.clone();
    lines.push(Vec::new());
    use crate::dialogs::Field;
    let mut input = |label: &str, value: &str, field: Field| {
        let focused = confirm.focus == field;
        lines.push(vec![
            pointer(focused),
            Cell::muted(fit(&model.say(label), 14)),
            Cell::new(
                format!("{value}{}", if focused { "_" } else { "" }),
                Role::Text,
            ),
        ]);
    };
    if confirm.wants_name.is_some() {
        input("confirm.name", confirm.name.value(), Field::Name);
    }
    if confirm.wants_reason() {
        input("confirm.reason", confirm.reason.value(), Field::Reason);
        if confirm.aside.is_some() {
            input("confirm.until", confirm.until.value(), Field::Until);
        }
        lines.push(Vec::new());
    }
    let buttons = confirm.focus == Field::Buttons;
    if let Some(canary) = &confirm.canary {
        let key = match (canary.on, canary.suggested) {
            (true, _) => "confirm.canary-on",
            (false, true) => "confirm.canary-suggested",
            (false, false) => "confirm.canary-off",
        };
        let count = canary.keys.to_string();
        let text = model.fill(key, &[("count", &count), ("which", &canary.which)]);
        let mark = if canary.on { "[x] " } else { "[ ] " };
        lines.push(vec![
            Cell::plain("  "),
            Cell::new("c ", if buttons { Role::Key } else { Role::Muted }),
            Cell::plain(mark),
            Cell::new(text, if canary.on { Role::Warn } else { Role::Text }),
        ]);
        lines.push(Vec::new());
    }
    lines.push(vec![
        pointer(buttons),
        Cell::new(
            format!("[ {} ]", model.say("confirm.cancel")),
            if buttons { Role::Selection } else { Role::Text },
        ),
        Cell::plain("   "),
        Cell::new("y ", if buttons { Role::Key } else { Role::Muted }),
        Cell::new(
            model.say("confirm.yes"),
            if buttons { Role::Text } else { Role::Muted },
        ),
    ]);
    lines.push(match confirm.refused {
        Some(refused) => note(model.say(refused), Role::Fail),
        None if buttons => note(model.say("confirm.buttons"), Role::Muted),
        None => note(model.say("confirm.keys"), Role::Muted),
    });
    let inner = around(frame, model, &model.say("confirm.title"), &lines);
    // Where there is not room for all, the fields and the buttons stay.
    let surplus = wrapped(&lines, inner.width)
        .len()
        .saturating_sub(inner.height.into());
    lines_in(frame, model, inner, &lines, surplus);
}

fn draw_reply(frame: &mut Frame<'_>, model: &Model, reply: &Reply) {
    let mut lines = reply.lines.clone();
    lines.push(Vec::new());
    lines.push(vec![
        pointer(true),
        Cell::plain(format!("{}_", reply.input.value())),
    ]);
    lines.push(note(model.say("runbook.reply-keys"), Role::Muted));
    let inner = around(frame, model, &model.say("runbook.reply"), &lines);
    // Where there is not room for all, the question and what is typed stay.
    let surplus = wrapped(&lines, inner.width)
        .len()
        .saturating_sub(inner.height.into());
    lines_in(frame, model, inner, &lines, surplus);
}

fn draw_message(frame: &mut Frame<'_>, model: &Model, message: &Message) {
    let room = 76.min(frame.area().width.saturating_sub(4));
    let high = wrapped(&message.lines, room).len();
    let high = u16::try_from(high).unwrap_or(u16::MAX).saturating_add(2);
    let title = format!(
        "{}: {}",
        model.say("message.title"),
        model.say("message.keys")
    );
    let inner = front(frame, model, &title, (80, high));
    lines_in(frame, model, inner, &message.lines, message.offset);
}
