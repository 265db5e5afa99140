//! What a program says to its terminal beside text: which modes it leaves on, and what it asks
//! and then has to wait for. Read from the bytes, so that a mode which the emulator does not know
//! counts too.

use std::collections::BTreeMap;
use vte::{Params, Parser, Perform};

/// Private modes that are on in a fresh terminal: wrapping, and the cursor that is shown.
const ON_AT_FIRST: [u16; 2] = [7, 25];

/// What was said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    /// Questions that a terminal answers, in order.
    pub(crate) queries: Vec<String>,
    /// What is not as in a fresh terminal at the end.
    pub(crate) left_on: Vec<String>,
}

impl Traffic {
    /// Reads everything a program wrote.
    pub(crate) fn of(raw: &[u8]) -> Self {
        let mut ear = Ear::default();
        Parser::new().advance(&mut ear, raw);
        let mut left_on: Vec<String> = ear
            .modes
            .iter()
            .filter(|(mode, on)| **on != ON_AT_FIRST.contains(mode))
            .map(|(mode, on)| format!("{} {}", name(*mode), if *on { "on" } else { "off" }))
            .collect();
        if ear.keyboard > 0 {
            left_on.push("kitty keyboard flags".to_owned());
        }
        if ear.keypad {
            left_on.push("application keypad".to_owned());
        }
        if ear.other_keys {
            left_on.push("modifyOtherKeys".to_owned());
        }
        if ear.shape {
            left_on.push("a cursor shape".to_owned());
        }
        Self {
            queries: ear.queries,
            left_on,
        }
    }
}

fn name(mode: u16) -> String {
    let known = match mode {
        1 => "application cursor keys",
        7 => "wrapping",
        25 => "cursor",
        47 | 1047 | 1049 => "alternate screen",
        1000 | 1002 | 1003 => "mouse",
        1005 | 1006 | 1015 | 1016 => "mouse encoding",
        1004 => "focus reports",
        2004 => "bracketed paste",
        2026 => "synchronised output",
        _ => "mode",
    };
    format!("{known} (?{mode})")
}

#[derive(Default)]
struct Ear {
    queries: Vec<String>,
    modes: BTreeMap<u16, bool>,
    keyboard: i32,
    keypad: bool,
    other_keys: bool,
    shape: bool,
}

impl Ear {
    fn asks(&mut self, what: &str) {
        self.queries.push(what.to_owned());
    }
}

impl Perform for Ear {
    fn execute(&mut self, byte: u8) {
        if byte == 0x05 {
            self.asks("ENQ");
        }
    }

    fn csi_dispatch(&mut self, params: &Params, between: &[u8], _ignored: bool, action: char) {
        let first = params
            .iter()
            .next()
            .and_then(|param| param.first().copied());
        let first = first.unwrap_or(0);
        match (between, action) {
            (b"?", 'h' | 'l') => {
                for mode in params.iter().filter_map(|param| param.first()) {
                    self.modes.insert(*mode, action == 'h');
                }
            }
            (b"" | b"?", 'n') => self.asks(&format!("DSR {first}")),
            (b"" | b">" | b"=", 'c') => self.asks("DA"),
            (b"?$" | b"$", 'p') => self.asks(&format!("DECRQM {first}")),
            (b">", 'q') => self.asks("XTVERSION"),
            (b"", 'x') => self.asks("DECREQTPARM"),
            (b"?", 'm') => self.asks("modifyOtherKeys"),
            (b"", 't') if matches!(first, 11 | 13..=16 | 18..=21) => {
                self.asks(&format!("window report {first}"));
            }
            (b"?", 'u') => self.asks("kitty keyboard"),
            (b">", 'u') => self.keyboard += 1,
            (b"<", 'u') => self.keyboard -= i32::from(first.max(1)),
            (b">", 'm') => {
                let second = params
                    .iter()
                    .nth(1)
                    .and_then(|param| param.first().copied());
                self.other_keys = second.unwrap_or(0) > 0;
            }
            (b" ", 'q') => self.shape = first > 0,
            _ => {}
        }
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _bell: bool) {
        if params.last() == Some(&&b"?"[..]) {
            let number = String::from_utf8_lossy(params[0]).into_owned();
            self.asks(&format!("OSC {number}"));
        }
    }

    fn hook(&mut self, _params: &Params, between: &[u8], _ignored: bool, action: char) {
        if matches!((between, action), (b"+" | b"$", 'q')) {
            self.asks("DCS");
        }
    }

    fn esc_dispatch(&mut self, between: &[u8], _ignored: bool, byte: u8) {
        match (between, byte) {
            (b"", b'=') => self.keypad = true,
            (b"", b'>') => self.keypad = false,
            (b"", b'Z') => self.asks("DECID"),
            // A full reset puts everything back.
            (b"", b'c') => {
                let queries = std::mem::take(&mut self.queries);
                *self = Self {
                    queries,
                    ..Self::default()
                };
            }
            _ => {}
        }
    }
}
