//! The families that a study may name, ordered by name. Never builds a model.

use crate::{Family, Mlp, Neural};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use thiserror::Error;

/// Families by name. Cloning shares them.
#[derive(Clone, Default)]
pub struct Registry(BTreeMap<&'static str, Arc<dyn Family>>);

/// Why a family was not registered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RegistryError {
    /// The name is taken.
    #[error("family {0} is registered twice, expected different names")]
    Taken(&'static str),
}

impl Registry {
    /// A registry without families.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The families that come with Wallaby.
    pub fn built_in() -> Self {
        let mlp: Arc<dyn Family> = Arc::new(Neural(Mlp));
        Self(BTreeMap::from([(mlp.name(), mlp)]))
    }

    /// Adds a family under its own name.
    ///
    /// # Errors
    /// The name is taken.
    pub fn register(&mut self, family: Arc<dyn Family>) -> Result<(), RegistryError> {
        let name = family.name();
        if self.0.contains_key(name) {
            return Err(RegistryError::Taken(name));
        }
        self.0.insert(name, family);
        Ok(())
    }

    /// The family of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Family>> {
        self.0.get(name)
    }

    /// All names, in alphabetical order.
    pub fn names(&self) -> Vec<&'static str> {
        self.0.keys().copied().collect()
    }

    /// All families, ordered by name.
    pub fn families(&self) -> impl Iterator<Item = &Arc<dyn Family>> {
        self.0.values()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registry").field(&self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_registered_once() {
        let mut registry = Registry::built_in();
        assert_eq!(registry.names(), ["mlp"]);
        assert_eq!(registry.register(Arc::new(Neural(Mlp))), Err(RegistryError::Taken("mlp")));
        assert!(registry.get("mlp").is_some());
        assert!(registry.get("perceptron").is_none());
    }
}
