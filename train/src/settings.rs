//! Reads a configuration: typed values by name, checked against what a family declares.
//! Adds no defaults; the caller completes the configuration before.

use crate::UnitError;
use wallaby_core::parameter::Parameter;
use wallaby_core::value::{Config, Value};

/// A view of a configuration that gives typed values, or says what is wrong with them.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a>(pub &'a Config);

impl<'a> Settings<'a> {
    /// Checks that every declared parameter is there and has an accepted value.
    ///
    /// # Errors
    /// [`UnitError::BadConfig`] for the first that is not.
    pub fn check(self, parameters: &[Parameter]) -> Result<(), UnitError> {
        for parameter in parameters {
            let value = self.0.get(parameter.name);
            if !value.is_some_and(|value| parameter.accepts.contains(value)) {
                return Err(bad(parameter.name, value, parameter.accepts.expected()));
            }
        }
        Ok(())
    }

    /// A number.
    ///
    /// # Errors
    /// It is missing or no number.
    pub fn number(self, name: &str) -> Result<f64, UnitError> {
        self.read(name, "a number", Value::as_f64)
    }

    /// A whole number, not negative.
    ///
    /// # Errors
    /// It is missing or no such number.
    pub fn count(self, name: &str) -> Result<usize, UnitError> {
        self.read(name, "a whole number", as_count)
    }

    /// A word.
    ///
    /// # Errors
    /// It is missing or no text.
    pub fn word(self, name: &str) -> Result<&'a str, UnitError> {
        self.read(name, "a word", Value::as_text)
    }

    /// A list of whole numbers, none negative.
    ///
    /// # Errors
    /// It is missing or no such list.
    pub fn counts(self, name: &str) -> Result<Vec<usize>, UnitError> {
        let list = |value: &'a Value| value.as_list()?.iter().map(as_count).collect();
        self.read(name, "a list of whole numbers", list)
    }

    fn read<T>(
        self,
        name: &str,
        expected: &str,
        convert: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<T, UnitError> {
        let value = self.0.get(name);
        value.and_then(convert).ok_or_else(|| bad(name, value, expected.to_owned()))
    }
}

fn as_count(value: &Value) -> Option<usize> {
    value.as_i64().and_then(|number| usize::try_from(number).ok())
}

fn bad(parameter: &str, value: Option<&Value>, expected: String) -> UnitError {
    let found = value.map_or_else(|| "missing".to_owned(), Value::to_string);
    UnitError::BadConfig { parameter: parameter.to_owned(), found, expected }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wallaby_core::parameter::Accepts;

    #[test]
    fn a_value_outside_its_bounds_is_named_with_what_was_expected() {
        let parameter = Parameter {
            name: "layers",
            accepts: Accepts::Int { low: 1, high: 4 },
            default: Value::Int(1),
            help: "",
        };
        let config = Config::from([("layers".to_owned(), Value::Int(9))]);
        let error = Settings(&config).check(std::slice::from_ref(&parameter)).unwrap_err();
        let text = "parameter layers is 9, expected a whole number from 1 to 4";
        assert_eq!(error.to_string(), text);
        let error = Settings(&Config::new()).check(&[parameter]).unwrap_err();
        assert!(error.to_string().starts_with("parameter layers is missing"));
    }

    #[test]
    fn a_negative_number_is_no_count() {
        let config = Config::from([("width".to_owned(), Value::Int(-1))]);
        assert!(Settings(&config).count("width").is_err());
        assert_eq!(Settings(&config).number("width"), Ok(-1.0));
    }
}
