//! Sessions between machines: letters come in order, late, twice or not at all; what was under
//! way is lost with a session.

use super::letter::{Letter, Life, News};
use super::world::{Happening, World};
use crate::ids::Moment;

/// A session that nothing comes through for so long is given up.
pub(super) const SILENCE_MILLIS_MAX: u64 = 15_000;

/// What lies between two machines.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Link {
    /// Rises when a session is lost.
    session: u64,
    /// No session until then.
    down_until: Moment,
    /// Nothing comes through until then: towards the higher number, and back.
    cut_until: [Moment; 2],
    /// When the last letter arrives.
    last: [Moment; 2],
}

impl World {
    fn link(&mut self, a: usize, b: usize) -> &mut Link {
        self.links.entry((a.min(b), a.max(b))).or_default()
    }

    /// Whether packets come through from one machine to another.
    pub(super) fn comes_through(&self, from: usize, to: usize) -> bool {
        let link = self.links.get(&(from.min(to), from.max(to))).copied().unwrap_or_default();
        from == to || link.cut_until[usize::from(from > to)] <= self.now
    }

    /// Whether two machines can talk.
    pub(super) fn can_talk(&self, a: usize, b: usize) -> bool {
        self.comes_through(a, b) && self.comes_through(b, a)
    }

    /// Whether there is a session between two machines, as far as they know.
    pub(super) fn has_session(&self, a: usize, b: usize) -> bool {
        let link = self.links.get(&(a.min(b), a.max(b))).copied().unwrap_or_default();
        a == b || link.down_until <= self.now
    }

    pub(super) fn lose_session(&mut self, a: usize, b: usize, millis: u64) {
        let now = self.now;
        let link = self.link(a, b);
        link.session += 1;
        link.last = [now; 2];
        link.down_until = link.down_until.max(Moment(now.0 + millis));
    }

    pub(super) fn lose_sessions_of(&mut self, machine: usize) {
        let others = 0..self.machines.len();
        others.for_each(|other| self.lose_session(machine, other, 0));
    }

    /// Cuts the way from one machine to another for a while.
    pub(super) fn cut(&mut self, from: usize, to: usize, millis: u64) {
        let until = Moment(self.now.0 + millis);
        let way = usize::from(from > to);
        let link = self.link(from, to);
        link.cut_until[way] = link.cut_until[way].max(until);
        if millis > SILENCE_MILLIS_MAX {
            let lost = Happening::SessionLost { a: from, b: to, until };
            self.plan(SILENCE_MILLIS_MAX, lost);
        }
    }

    /// Sends a letter. Whether it arrives shows later.
    pub(super) fn send(&mut self, from: Life, to: Life, letter: Letter) {
        let (now, here) = (self.now, from.machine == to.machine);
        let stormy = now.0 <= self.scenario.stormy_millis;
        let lost = !here && stormy && self.random.chance(self.scenario.losses);
        let down = self.link(from.machine, to.machine).down_until > now;
        let known = self.machines.get(to.machine).is_some_and(|m| m.up && m.boot == to.boot);
        if lost || (down && !here) || !known {
            self.outcome.lost += 1;
            return;
        }
        let slow = !here && self.random.chance(0.03);
        let delay = if slow { self.random.from(10..=1500) } else { self.random.from(0..=5) };
        let twice = !here && self.random.chance(self.scenario.duplicates);
        let way = usize::from(from.machine > to.machine);
        let link = self.link(from.machine, to.machine);
        let at = Moment(now.0 + delay).max(link.last[way]).max(link.cut_until[way]);
        link.last[way] = at;
        let session = link.session;
        let delivered = Happening::Delivered { from, to, session, letter: Box::new(letter) };
        let delay = at.millis_since(now);
        if twice {
            self.outcome.duplicates += 1;
            self.plan(delay, delivered.clone());
        }
        self.plan(delay, delivered);
    }

    pub(super) fn delivered(&mut self, from: Life, to: Life, session: u64, letter: Letter) {
        let machine = &self.machines[to.machine];
        if !machine.up || machine.boot != to.boot {
            return;
        }
        if self.link(from.machine, to.machine).session != session {
            self.outcome.lost += 1;
            return;
        }
        match letter {
            Letter::Order(term, order) => self.ordered(to.machine, from, term, order),
            Letter::Beat(term, number) => {
                self.send(to, from, Letter::News(term, News::Beat(number)));
            }
            Letter::News(term, news) => self.hear(term, to, from, news),
        }
    }
}
