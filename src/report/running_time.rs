//! The running time of a study: the leader's clock without the time in which nothing ran.
//! The same account as `Study::active_millis`, for every moment instead of the last one.

use wallaby_core::ids::Moment;
use wallaby_core::journal::{Entry, Record};

/// A stretch of the journal without interruption.
struct Stretch {
    from: Moment,
    to: Moment,
    /// Running time at `from`, in milliseconds.
    before: u64,
}

/// Maps moments to running time.
pub(super) struct RunningTime(Vec<Stretch>);

impl RunningTime {
    /// Of a journal.
    pub(super) fn of(entries: &[Entry]) -> Self {
        let mut stretches: Vec<Stretch> = Vec::new();
        let mut paused = false;
        for Entry { at, record } in entries {
            let fresh = matches!(record, Record::TermBegan { .. } | Record::StudyResumed);
            match stretches.last_mut() {
                Some(stretch) if !fresh && !paused => stretch.to = stretch.to.max(*at),
                last => {
                    let before =
                        last.map_or(0, |last| last.before + last.to.millis_since(last.from));
                    stretches.push(Stretch { from: *at, to: *at, before });
                }
            }
            paused = match record {
                Record::StudyPaused { .. } => true,
                Record::StudyResumed => false,
                _ => paused,
            };
        }
        Self(stretches)
    }

    /// Running time at `moment` in milliseconds; within an interruption that of its beginning.
    pub(super) fn at(&self, moment: Moment) -> u64 {
        let after = self.0.partition_point(|stretch| stretch.from <= moment);
        let Some(stretch) = after.checked_sub(1).and_then(|at| self.0.get(at)) else { return 0 };
        stretch.before + moment.min(stretch.to).millis_since(stretch.from)
    }

    /// Running time at which the study was interrupted, in milliseconds.
    pub(super) fn interruptions(&self) -> Vec<u64> {
        let mut places: Vec<u64> =
            self.0.iter().map(|stretch| stretch.before).filter(|before| *before > 0).collect();
        places.dedup();
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wallaby_core::ids::{Digest, Term};
    use wallaby_core::journal::{Conclusion, Pause};

    fn journal(records: Vec<(u64, Record)>) -> Vec<Entry> {
        records.into_iter().map(|(at, record)| Entry { at: Moment(at), record }).collect()
    }

    fn term(term: u64) -> Record {
        Record::TermBegan { term: Term(term), numerics: Digest::of(b"numerics") }
    }

    fn ended() -> Record {
        Record::StudyEnded { cause: Conclusion::TrialsSpent }
    }

    #[test]
    fn the_time_between_two_terms_does_not_count() {
        let journal =
            [(1000, term(1)), (1040, Record::StudyResumed), (9000, term(2)), (9010, ended())];
        let time = RunningTime::of(&journal_of(journal));
        assert_eq!([1000, 1040, 5000, 9000, 9010].map(|at| time.at(Moment(at))), [0, 0, 0, 0, 10]);
    }

    fn journal_of<const N: usize>(records: [(u64, Record); N]) -> Vec<Entry> {
        journal(records.into_iter().collect())
    }

    #[test]
    fn a_pause_does_not_count_and_is_an_interruption() {
        let pause = Record::StudyPaused { cause: Pause::Requested };
        let time = RunningTime::of(&journal_of([
            (1000, term(1)),
            (1050, pause),
            (7000, Record::StudyResumed),
            (7030, ended()),
        ]));
        assert_eq!(
            [1020, 1050, 6000, 7000, 7030].map(|at| time.at(Moment(at))),
            [20, 50, 50, 50, 80]
        );
        assert_eq!(time.interruptions(), [50]);
    }

    #[test]
    fn a_moment_before_the_journal_is_its_beginning() {
        assert_eq!(RunningTime::of(&journal_of([(1000, term(1))])).at(Moment(3)), 0);
        assert_eq!(RunningTime::of(&[]).at(Moment(3)), 0);
    }
}
