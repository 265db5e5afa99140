//! What an import needs: host, provider, modes, and the keys by paste or file; without the keys, what
//! preparing access needs. Keys are never shown.

use super::edit;
use crate::model::Model;
use cockpit_domain::batch::{AccessMode, ImportMode};
use cockpit_domain::ids::{BatchId, HostId, PackId};
use cockpit_domain::import::read_keys;
use cockpit_domain::secret::Secret;
use cockpit_engine::failure::Failure;
use cockpit_engine::import::CallerKey;
use crossterm::event::{KeyCode, KeyEvent};
use tui_input::Input;

/// Its fields, from top to bottom.
pub(crate) const FIELDS: [&str; 7] = ["host", "provider", "mode", "access", "keys", "own", "plan"];

/// Where the keys are among them; before it something is chosen, not typed.
pub(crate) const KEYS: usize = 4;

/// Where the import mode is.
const MODE: usize = 2;

/// Where the plan is made.
const PLAN: usize = FIELDS.len() - 1;

/// Where the caller's own key is: empty is a managed key.
pub(crate) const OWN: usize = 5;

pub(super) enum Next {
    Stay,
    Close,
    Submit,
}

/// What was pasted: never shown, only counted as the reader of keys counts it.
#[derive(Debug)]
pub(crate) struct Pasted {
    text: Secret,
    pub(crate) keys: usize,
    pub(crate) lines: usize,
}

/// The form.
#[derive(Debug)]
pub(crate) struct ImportForm {
    pub(crate) hosts: Vec<HostId>,
    pub(crate) host: usize,
    pub(crate) providers: Vec<PackId>,
    pub(crate) provider: usize,
    pub(crate) strict: bool,
    pub(crate) self_service: bool,
    pub(crate) path: Input,
    pub(crate) keys: Option<Pasted>,
    /// The caller's own key, or where it is kept.
    pub(crate) own: Input,
    pub(crate) focus: usize,
    /// The batch whose failed keys are tried again: it says the rest.
    pub(crate) retry: Option<BatchId>,
    /// Whether access is prepared: there are no keys then.
    pub(crate) prepare: bool,
    /// What the last try came to.
    pub(crate) refused: Vec<String>,
}

impl ImportForm {
    /// A form with what is pointed at filled in.
    pub(crate) fn new(model: &Model, host: Option<HostId>, provider: Option<PackId>) -> Self {
        let hosts: Vec<HostId> = model
            .setup
            .hosts
            .iter()
            .map(|host| host.id.clone())
            .collect();
        let providers: Vec<PackId> = model
            .setup
            .providers
            .iter()
            .map(|(id, _)| id.clone())
            .collect();
        Self {
            // Where nobody said which, production is chosen by a person only.
            host: host
                .and_then(|id| hosts.iter().position(|known| *known == id))
                .or_else(|| hosts.iter().position(|id| !model.setup.is_production(id)))
                .unwrap_or(0),
            provider: provider
                .and_then(|id| providers.iter().position(|known| *known == id))
                .unwrap_or(0),
            hosts,
            providers,
            strict: false,
            self_service: false,
            path: Input::default(),
            keys: None,
            own: Input::default(),
            focus: 0,
            retry: None,
            prepare: false,
            refused: Vec::new(),
        }
    }

    /// For the failed keys of a batch: only the keys are asked for.
    pub(crate) fn again(&mut self, batch: BatchId) {
        self.retry = Some(batch);
        self.focus = KEYS;
    }

    /// With host and provider said already: what is typed next is meant for what is left to say.
    pub(crate) fn said(&mut self) {
        self.focus = if self.prepare { PLAN } else { KEYS };
    }

    /// Whether a field is asked for.
    pub(crate) fn asks(&self, field: usize) -> bool {
        match (self.prepare, self.retry) {
            (true, _) => field != MODE && field != KEYS,
            (false, None) => true,
            (false, Some(_)) => field == KEYS || field == PLAN,
        }
    }

    /// To the next field that is asked for, or the one before.
    fn step(&mut self, forward: bool) {
        let count = FIELDS.len();
        let by = if forward { 1 } else { count - 1 };
        self.focus = (self.focus + by) % count;
        while !self.asks(self.focus) {
            self.focus = (self.focus + by) % count;
        }
    }

    /// Whether everything is there to make the plan.
    fn is_complete(&self) -> bool {
        let keys = self.prepare || self.keys.is_some() || !self.path().is_empty();
        self.pair().is_some() && keys
    }

    /// Host and provider, where there are any.
    pub(crate) fn pair(&self) -> Option<(HostId, PackId)> {
        Some((
            self.hosts.get(self.host)?.clone(),
            self.providers.get(self.provider)?.clone(),
        ))
    }

    /// Strict or partial.
    pub(crate) fn mode(&self) -> ImportMode {
        if self.strict {
            ImportMode::Strict
        } else {
            ImportMode::Partial
        }
    }

    /// By subscription or by the user's balance.
    pub(crate) fn access(&self) -> AccessMode {
        if self.self_service {
            AccessMode::SelfService
        } else {
            AccessMode::Subscription
        }
    }

    /// The caller's own key, when one was given.
    pub(crate) fn own(&self) -> Option<CallerKey> {
        let text = self.own.value().trim();
        match text {
            "" => None,
            reference if self.own_is_named() => Some(CallerKey::Reference(reference.to_owned())),
            key => Some(CallerKey::Given(Secret::new(key))),
        }
    }

    /// Whether the own key is named by where it is kept: only that is ever shown.
    pub(crate) fn own_is_named(&self) -> bool {
        let text = self.own.value().trim_start();
        // While it is being typed a beginning of the word is no secret either.
        ["env:", "file:"]
            .iter()
            .any(|word| text.starts_with(word) || word.starts_with(text))
    }

    /// Keys that were pasted, or one that was typed.
    pub(crate) fn pasted(&self) -> Option<Secret> {
        match &self.keys {
            Some(pasted) => Some(pasted.text.clone()),
            None => self.typed_key().then(|| Secret::new(self.path().trim())),
        }
    }

    /// Whether what was typed is taken for a key: terminals that do not bracket a paste type it. Only
    /// what begins like a path is one, and only a path is ever shown.
    pub(crate) fn typed_key(&self) -> bool {
        !self.path().is_empty() && !self.path().starts_with(['/', '~', '.'])
    }

    /// The file to read keys from.
    pub(crate) fn path(&self) -> &str {
        self.path.value()
    }

    /// Keeps what a try came to, to be mended.
    pub(crate) fn refused(&mut self, failure: &Failure) {
        self.refused = failure
            .message
            .lines()
            .chain(failure.hint.lines())
            .filter(|line| !line.trim().is_empty())
            .map(str::to_owned)
            .collect();
    }

    /// Pasted text is keys, wherever the focus is: it is never shown.
    pub(super) fn paste(&mut self, text: String) {
        self.refused.clear();
        if self.focus == OWN || self.prepare {
            self.own = Input::new(text.lines().next().unwrap_or_default().trim().to_owned());
            return;
        }
        self.keys = (!text.trim().is_empty()).then(|| Pasted {
            keys: read_keys(&text).keys.len(),
            lines: text.lines().count(),
            text: Secret::new(text),
        });
        self.focus = PLAN;
    }

    pub(super) fn key(&mut self, key: KeyEvent) -> Next {
        if (self.focus == KEYS || self.focus == OWN)
            && matches!(key.code, KeyCode::Char(_) | KeyCode::Backspace)
        {
            // What was said of the last try is said of other keys.
            self.refused.clear();
        }
        match key.code {
            KeyCode::Esc => return Next::Close,
            KeyCode::Enter if self.focus == PLAN => {
                if self.is_complete() {
                    return Next::Submit;
                }
                self.focus = if self.prepare { 0 } else { KEYS };
            }
            // The caller's own key is an exception: Enter goes past it.
            KeyCode::Enter if self.focus == KEYS => self.focus = PLAN,
            KeyCode::Enter | KeyCode::Tab | KeyCode::Down => self.step(true),
            KeyCode::BackTab | KeyCode::Up => self.step(false),
            KeyCode::Left => self.turn(false),
            KeyCode::Right => self.turn(true),
            KeyCode::Char(' ') if self.focus < KEYS => self.turn(true),
            KeyCode::Char(letter) if self.focus < 2 => self.seek(letter),
            _ if self.focus == OWN => edit(&mut self.own, key),
            _ if self.focus == KEYS => {
                // Typing a path takes the place of what was pasted.
                self.keys = None;
                edit(&mut self.path, key);
            }
            _ => {}
        }
        Next::Stay
    }

    /// To the next choice that begins with a letter.
    fn seek(&mut self, letter: char) {
        let next = |names: Vec<&str>, now: usize| {
            let count = names.len();
            let mut turns = (1..=count).map(|step| (now + step) % count);
            turns
                .find(|at| names[*at].starts_with(letter))
                .unwrap_or(now)
        };
        match self.focus {
            0 => self.host = next(self.hosts.iter().map(HostId::as_str).collect(), self.host),
            _ => {
                let names = self.providers.iter().map(PackId::as_str).collect();
                self.provider = next(names, self.provider);
            }
        }
    }

    fn turn(&mut self, forward: bool) {
        let step = |at: usize, count: usize| match (count, forward) {
            (0, _) => 0,
            (count, true) => (at + 1) % count,
            (count, false) => (at + count - 1) % count,
        };
        match self.focus {
            0 => self.host = step(self.host, self.hosts.len()),
            1 => self.provider = step(self.provider, self.providers.len()),
            2 => self.strict = !self.strict,
            3 => self.self_service = !self.self_service,
            _ => {}
        }
    }
}
