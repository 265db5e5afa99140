//! Where a person is and how they came there: the pages opened from a pane, one on the other, and
//! the pages they left, as a browser keeps them.

use crate::place::Place;

/// A page with how it is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    /// The page.
    pub place: Place,
    /// Identity of the selected row.
    pub selected: Option<String>,
    /// Where it was when last seen: its neighbour is selected when it goes away.
    pub index: usize,
    /// First row or line shown.
    pub offset: usize,
    /// Section shown, of a page with several.
    pub section: usize,
    /// Text that rows must hold.
    pub filter: String,
    /// Whether only what is broken is shown.
    pub only_broken: bool,
}

impl View {
    /// A page as it is first looked at.
    pub(crate) fn new(place: Place) -> Self {
        Self {
            place,
            selected: None,
            index: 0,
            offset: 0,
            section: 0,
            filter: String::new(),
            only_broken: false,
        }
    }
}

/// Pages left that can be gone back to.
const REMEMBERED: usize = 50;

/// The stack of open pages of every pane, and the way through them.
#[derive(Debug, Clone)]
pub(crate) struct Trail {
    /// One stack a pane, never empty: the pane itself, then what was opened from it.
    stacks: Vec<Vec<View>>,
    current: usize,
    last: usize,
    past: Vec<(usize, Vec<View>)>,
    future: Vec<(usize, Vec<View>)>,
}

impl Trail {
    /// Every pane as it is at first, the first one shown.
    pub(crate) fn new() -> Self {
        Self {
            stacks: Place::PANES
                .iter()
                .map(|place| vec![View::new(place.clone())])
                .collect(),
            current: 0,
            last: 0,
            past: Vec::new(),
            future: Vec::new(),
        }
    }

    /// The pages from the pane to the one that is shown.
    pub(crate) fn stack(&self) -> &[View] {
        &self.stacks[self.current]
    }

    /// Number of the pane that is shown.
    pub(crate) fn pane(&self) -> usize {
        self.current
    }

    /// The page that is shown.
    pub(crate) fn view(&self) -> &View {
        // A stack is never empty: only `back` takes from it, and leaves one.
        let stack = &self.stacks[self.current];
        &stack[stack.len() - 1]
    }

    /// The same, to be changed.
    pub(crate) fn view_mut(&mut self) -> &mut View {
        let stack = &mut self.stacks[self.current];
        let top = stack.len() - 1;
        &mut stack[top]
    }

    /// Opens a page: a pane by switching to it, anything else on top. The page that is shown
    /// already is not opened twice.
    pub(crate) fn open(&mut self, place: Place) {
        if self.view().place == place {
            return;
        }
        self.remember();
        if let Some(pane) = place.pane() {
            self.switch(pane);
            self.stacks[pane].truncate(1);
        } else {
            self.stacks[self.current].push(View::new(place));
        }
    }

    /// Switches to a pane, as it was left.
    pub(crate) fn switch_to(&mut self, pane: usize) {
        if pane < self.stacks.len() && pane != self.current {
            self.remember();
            self.switch(pane);
        }
    }

    /// One page back; says whether there was one.
    pub(crate) fn back(&mut self) -> bool {
        if self.stacks[self.current].len() < 2 {
            return false;
        }
        self.remember();
        drop(self.stacks[self.current].pop());
        true
    }

    /// To the pane shown before this one.
    pub(crate) fn flip(&mut self) {
        let last = self.last;
        self.switch_to(last);
    }

    /// Back to what was shown before, if there is something.
    pub(crate) fn history_back(&mut self) {
        self.travel(true);
    }

    /// Forward again.
    pub(crate) fn history_forward(&mut self) {
        self.travel(false);
    }

    /// Lays a page ahead without showing it: one step forward opens it on top of this one.
    pub(crate) fn lay_ahead(&mut self, place: Place) {
        let mut stack = self.stacks[self.current].clone();
        stack.push(View::new(place));
        self.future.push((self.current, stack));
    }

    fn travel(&mut self, back: bool) {
        let now = (self.current, self.stacks[self.current].clone());
        let (from, to) = if back {
            (&mut self.past, &mut self.future)
        } else {
            (&mut self.future, &mut self.past)
        };
        let Some((pane, stack)) = from.pop() else {
            return;
        };
        to.push(now);
        self.switch(pane);
        self.stacks[pane] = stack;
    }

    fn switch(&mut self, pane: usize) {
        if pane != self.current {
            self.last = self.current;
            self.current = pane;
        }
    }

    fn remember(&mut self) {
        self.future.clear();
        self.past
            .push((self.current, self.stacks[self.current].clone()));
        if self.past.len() > REMEMBERED {
            drop(self.past.remove(0));
        }
    }
}

impl Default for Trail {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cockpit_domain::ids::BatchId;

    fn places(trail: &Trail) -> Vec<&'static str> {
        trail.stack().iter().map(|view| view.place.name()).collect()
    }

    #[test]
    fn pages_stack_on_their_pane_and_go_back_one_at_a_time() {
        let mut trail = Trail::new();
        trail.open(Place::Batches);
        trail.open(Place::Batch(BatchId(3)));
        trail.open(Place::Batch(BatchId(3)));
        assert_eq!(places(&trail), ["batches", "batch"]);
        trail.switch_to(0);
        trail.switch_to(2);
        assert_eq!(
            places(&trail),
            ["batches", "batch"],
            "a pane is as it was left"
        );
        assert!(trail.back());
        assert!(!trail.back(), "a pane has nothing below it");
    }

    #[test]
    fn a_page_that_was_laid_ahead_is_one_step_forward_and_comes_back_here() {
        let mut trail = Trail::new();
        trail.open(Place::Batches);
        trail.lay_ahead(Place::Batch(BatchId(3)));
        assert_eq!(places(&trail), ["batches"]);
        trail.history_forward();
        assert_eq!(places(&trail), ["batches", "batch"]);
        trail.back();
        assert_eq!(places(&trail), ["batches"]);
    }

    #[test]
    fn history_goes_back_and_forward_and_flip_shows_the_last_pane() {
        let mut trail = Trail::new();
        trail.open(Place::Batches);
        trail.open(Place::Batch(BatchId(3)));
        trail.history_back();
        assert_eq!(places(&trail), ["batches"]);
        trail.history_back();
        assert_eq!(places(&trail), ["baseline"]);
        trail.history_back();
        assert_eq!(
            places(&trail),
            ["baseline"],
            "there is nothing before the first"
        );
        trail.history_forward();
        trail.history_forward();
        assert_eq!(places(&trail), ["batches", "batch"]);
        trail.flip();
        assert_eq!(places(&trail), ["baseline"]);
        trail.flip();
        assert_eq!(places(&trail), ["batches", "batch"]);
    }
}
