//! An engine, its journal and its clock, for tests that play the rest of the world.

use super::*;

/// An engine and what it has written.
pub(super) struct Leader {
    pub(super) engine: Engine,
    /// All records, durable or not.
    pub(super) journal: Vec<Entry>,
    now: u64,
}

impl Leader {
    /// The first leader of a study, and its first commands.
    pub(super) fn begin(creation: Creation) -> (Self, Vec<Command>) {
        let created = Record::StudyCreated(Box::new(creation));
        Self::take_over(vec![Entry { at: Moment(0), record: created }], 1, 0)
    }

    /// The first leader of a study whose nodes have joined: one for each offer, from node 1 on.
    /// All that it decided about that is durable; comes with the tries it has started.
    pub(super) fn with_nodes(
        creation: Creation,
        offers: impl IntoIterator<Item = Offer>,
    ) -> (Self, Vec<Try>) {
        let (mut leader, _) = Self::begin(creation);
        let mut tries = Vec::new();
        for (node, offer) in (1..).zip(offers) {
            tries.extend(started(&leader.tell(joined(node, 1, offer))));
        }
        tries.extend(started(&leader.persist()));
        (leader, tries)
    }

    /// A leader that starts from this journal.
    pub(super) fn take_over(journal: Vec<Entry>, term: u64, now: u64) -> (Self, Vec<Command>) {
        let study = Study::replay(&journal).expect("what was decided can be replayed");
        let recorded = Seq(journal.len() as u64);
        let numerics = Digest::of(b"numerics");
        let engine = Engine::new(study, recorded, Term(term), numerics, Moment(now));
        let mut leader = Self { engine, journal, now };
        let commands = leader.drain();
        (leader, commands)
    }

    /// The leader of the next term, from the whole journal.
    pub(super) fn successor(&self) -> (Self, Vec<Command>) {
        Self::take_over(self.journal.clone(), self.engine.term.0 + 1, self.now)
    }

    /// Time passes unnoticed.
    pub(super) fn wait(&mut self, millis: u64) -> &mut Self {
        self.now += millis;
        self
    }

    /// Tells one event; the commands it leads to.
    pub(super) fn tell(&mut self, event: Event) -> Vec<Command> {
        self.engine.handle(Moment(self.now), event);
        self.drain()
    }

    /// Everything decided so far becomes durable.
    pub(super) fn persist(&mut self) -> Vec<Command> {
        self.tell(Event::Appended(Seq(self.journal.len() as u64 - 1)))
    }

    /// Tells an event and makes durable what follows from it; the tries that this starts.
    pub(super) fn settle(&mut self, event: Event) -> Vec<Try> {
        let mut commands = self.tell(event);
        commands.extend(self.persist());
        started(&commands)
    }

    /// The result of a try: a state named after the trial's progress, or the state measured.
    pub(super) fn output_of(&self, attempt: Try, loss: f64) -> Output {
        let trial = self.engine.study().trial(attempt.unit.trial).expect("a known trial");
        let visited = trial.visited.len() as u32;
        let state = match attempt.unit.step {
            Step::Train(_) => state(trial.id.0, trial.epoch.0, visited + 1),
            Step::Validate => attempt.input.expect("what is validated was trained"),
        };
        output(state, loss)
    }

    /// A try comes to its end.
    pub(super) fn finish(&mut self, attempt: Try, loss: f64) -> Vec<Command> {
        let output = self.output_of(attempt, loss);
        self.tell(Event::UnitFinished(attempt, output))
    }

    /// A try comes to its end, and that becomes durable; the tries that this starts.
    pub(super) fn complete(&mut self, attempt: Try, loss: f64) -> Vec<Try> {
        let output = self.output_of(attempt, loss);
        self.settle(Event::UnitFinished(attempt, output))
    }

    /// The only unit under way comes to its end, and so on, `units` times; the next try.
    pub(super) fn advance(&mut self, mut attempt: Try, units: usize, loss: f64) -> Try {
        for _ in 0..units {
            attempt = match self.complete(attempt, loss)[..] {
                [next] => next,
                ref tries => panic!("expected one start, got {tries:?}"),
            };
        }
        attempt
    }

    fn drain(&mut self) -> Vec<Command> {
        let commands: Vec<Command> = std::iter::from_fn(|| self.engine.poll()).collect();
        for command in &commands {
            if let Command::Append { first, entries } = command {
                assert_eq!(first.0, self.journal.len() as u64, "records follow each other");
                self.journal.extend(entries.iter().cloned());
            }
        }
        assert_eq!(self.engine.violation(), None);
        assert_eq!(Study::replay(&self.journal).as_ref(), Ok(self.engine.study()));
        commands
    }
}
