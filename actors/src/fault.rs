//! Faults on demand, for tests of the real program: a model that panics, a process that dies in
//! the middle of a unit, units that take their time. None unless asked for.

use std::str::FromStr;
use std::time::Duration;
use thiserror::Error;
use wallaby_core::unit::Unit;

/// Which faults to inject, for example `panic:3`, `abort:3:2` or `delay:50`, separated by commas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Every unit of this trial panics (from this epoch on).
    Panic { trial: u32, epoch: u32 },
    /// The process aborts in every unit of this trial (from this epoch on).
    Abort { trial: u32, epoch: u32 },
    /// Every unit takes so much longer.
    Delay(Duration),
}

/// A fault that is not known.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "fault {0:?} is unknown, expected panic:TRIAL[:EPOCH], abort:TRIAL[:EPOCH] or delay:MILLIS"
)]
pub struct UnknownFault(String);

impl Faults {
    /// Lets happen what is to happen to this unit.
    pub(crate) fn strike(&self, unit: &Unit) {
        let hits = |trial: u32, epoch: u32| unit.trial.0 == trial && unit.epoch.0 >= epoch;
        for fault in &self.0 {
            match fault {
                Fault::Delay(delay) => std::thread::sleep(*delay),
                Fault::Panic { trial, epoch } if hits(*trial, *epoch) => {
                    panic!("injected into {unit}")
                }
                Fault::Abort { trial, epoch } if hits(*trial, *epoch) => std::process::abort(),
                _ => {}
            }
        }
    }
}

impl FromStr for Faults {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        text.split(',')
            .filter(|fault| !fault.is_empty())
            .map(parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn parse(text: &str) -> Result<Fault, UnknownFault> {
    let unknown = || UnknownFault(text.to_owned());
    let mut words = text.split(':');
    let kind = words.next().unwrap_or_default();
    let numbers: Vec<u32> =
        words.map(|word| word.parse().map_err(|_| unknown())).collect::<Result<_, _>>()?;
    match (kind, numbers.as_slice()) {
        ("panic", [trial]) => Ok(Fault::Panic { trial: *trial, epoch: 1 }),
        ("panic", [trial, epoch]) => Ok(Fault::Panic { trial: *trial, epoch: *epoch }),
        ("abort", [trial]) => Ok(Fault::Abort { trial: *trial, epoch: 1 }),
        ("abort", [trial, epoch]) => Ok(Fault::Abort { trial: *trial, epoch: *epoch }),
        ("delay", [millis]) => Ok(Fault::Delay(Duration::from_millis(u64::from(*millis)))),
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_parsed_and_unknown_ones_named() {
        let faults: Faults = "panic:3,delay:5,abort:1:2".parse().unwrap();
        assert_eq!(faults.0.len(), 3);
        assert_eq!("".parse(), Ok(Faults::default()));
        assert!("panic".parse::<Faults>().unwrap_err().to_string().contains("\"panic\""));
        assert!("delay:x".parse::<Faults>().is_err());
    }
}
