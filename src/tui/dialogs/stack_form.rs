//! What registering a temporary stack needs, field by field.

use super::edit;
use crate::model::Model;
use cockpit_domain::ids::{HostId, MachineId};
use cockpit_domain::stack::{Stack, StackFile, StackFileKind, StackSource};
use crossterm::event::{KeyCode, KeyEvent};
use tui_input::Input;

/// Its fields, from top to bottom. The machine is chosen, `keep` is switched, the last one registers.
pub(crate) const STACK_FIELDS: [&str; 14] = [
    "name",
    "machine",
    "reason",
    "port",
    "container",
    "until",
    "databases",
    "batch",
    "env",
    "bootstrap",
    "tunnel",
    "keep",
    "mark",
    "register",
];

const MACHINE: usize = 1;
const KEEP: usize = 11;
/// The file that marks a stack that is kept.
const MARK: usize = 12;
const LAST: usize = STACK_FIELDS.len() - 1;

pub(super) enum Next {
    Stay,
    Close,
    Submit,
}

/// The form.
#[derive(Debug)]
pub(crate) struct StackForm {
    pub(crate) machines: Vec<MachineId>,
    pub(crate) machine: usize,
    pub(crate) keep: bool,
    inputs: [Input; STACK_FIELDS.len()],
    pub(crate) focus: usize,
    /// What the last try came to.
    pub(crate) refused: Vec<String>,
}

impl StackForm {
    /// An empty form; the machine of production first, where such stacks stand.
    pub(crate) fn new(model: &Model) -> Self {
        let machines: Vec<MachineId> = (model.setup.machines.iter())
            .filter(|machine| !machine.is_local())
            .cloned()
            .collect();
        let mut hosts = model.setup.hosts.iter();
        let production = hosts.find(|host| model.setup.is_production(&host.id));
        let at = production.and_then(|host| {
            let mut known = machines.iter();
            known.position(|machine| *machine == host.machine)
        });
        Self {
            machine: at.unwrap_or(0),
            machines,
            keep: false,
            inputs: Default::default(),
            focus: 0,
            refused: Vec::new(),
        }
    }

    /// What stands in a field, as it is shown.
    pub(crate) fn shown(&self, model: &Model, field: usize) -> String {
        match field {
            MACHINE => {
                let machine = self.machines.get(self.machine);
                format!("< {} >", machine.map_or("-", MachineId::as_str))
            }
            KEEP => {
                let key = if self.keep { "yes" } else { "no" };
                format!("< {} >", model.say(&format!("stack-form.{key}")))
            }
            LAST => model.say("stack-form.go"),
            MARK if !self.keep => "-".to_owned(),
            _ => {
                let cursor = if self.focus == field { "_" } else { "" };
                format!("{}{cursor}", self.inputs[field].value())
            }
        }
    }

    fn text(&self, field: &str) -> String {
        let at = STACK_FIELDS.iter().position(|name| *name == field);
        let input = at.and_then(|at| self.inputs.get(at));
        input.map_or_else(String::new, |input| input.value().trim().to_owned())
    }

    /// Words with commas or blanks between.
    fn words(&self, field: &str) -> Vec<String> {
        let text = self.text(field);
        let words = text.split([',', ' ']).map(str::trim);
        words
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// What it describes, or what has to be mended first.
    pub(crate) fn stack(&self) -> Result<Stack, Vec<String>> {
        let name = HostId::new(self.text("name")).map_err(|bad| vec![bad.to_string()])?;
        let machine = self.machines.get(self.machine).cloned();
        let machine = machine.ok_or_else(|| vec!["the config has no machine".to_owned()])?;
        let port = self.text("port");
        let port = port
            .parse()
            .map_err(|_| vec![format!("`{port}` is no port: 1 to 65535")])?;
        let kinds = [
            ("env", StackFileKind::Env),
            ("bootstrap", StackFileKind::Bootstrap),
            ("tunnel", StackFileKind::Tunnel),
        ];
        let files = kinds.into_iter().flat_map(|(field, kind)| {
            let paths = self.words(field).into_iter();
            paths.map(move |path| StackFile { kind, path })
        });
        let stack = Stack {
            name,
            machine,
            reason: self.text("reason"),
            port,
            container: self.text("container"),
            databases: self.words("databases"),
            batch: Some(self.text("batch")).filter(|batch| !batch.is_empty()),
            files: files.collect(),
            until: self.text("until"),
            keep: self.keep,
            mark_file: Some(self.text("mark")).filter(|path| self.keep && !path.is_empty()),
            source: StackSource::Registered,
            by: String::new(),
            created_ms: 0,
        };
        match stack.faults() {
            faults if faults.is_empty() => Ok(stack),
            faults => Err(faults),
        }
    }

    /// Whether the field that is pointed at takes text. A mark is for what is kept.
    fn is_typed(&self) -> bool {
        match self.focus {
            MACHINE | KEEP | LAST => false,
            MARK => self.keep,
            _ => true,
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        let line = text.lines().next().unwrap_or_default().trim();
        if self.is_typed() {
            let was = self.inputs[self.focus].value().to_owned();
            self.inputs[self.focus] = Input::new(format!("{was}{line}"));
        }
    }

    pub(super) fn key(&mut self, key: KeyEvent) -> Next {
        match key.code {
            KeyCode::Esc => return Next::Close,
            KeyCode::Enter if self.focus == LAST => return Next::Submit,
            KeyCode::Enter | KeyCode::Tab | KeyCode::Down => {
                self.focus = (self.focus + 1) % STACK_FIELDS.len();
            }
            KeyCode::BackTab | KeyCode::Up => {
                self.focus = (self.focus + LAST) % STACK_FIELDS.len();
            }
            KeyCode::Left | KeyCode::Right | KeyCode::Char(' ') if self.focus == MACHINE => {
                self.turn(key.code != KeyCode::Left);
            }
            KeyCode::Left | KeyCode::Right | KeyCode::Char(' ') if self.focus == KEEP => {
                self.keep = !self.keep;
            }
            _ if self.is_typed() => {
                self.refused.clear();
                edit(&mut self.inputs[self.focus], key);
            }
            _ => {}
        }
        Next::Stay
    }

    fn turn(&mut self, forward: bool) {
        let count = self.machines.len().max(1);
        let step = if forward { 1 } else { count - 1 };
        self.machine = (self.machine + step) % count;
    }
}
