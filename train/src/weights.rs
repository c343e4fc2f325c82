//! Walks a network by field path: which parameters it has, their values out, values in.
//! Paths are field names joined by dots (`layers.0.weight`); burn's random parameter ids appear
//! nowhere.

use crate::UnitError;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use std::collections::BTreeMap;

/// Values of parameters by path.
pub(crate) type Tensors = BTreeMap<String, TensorData>;

/// Shapes of parameters by path.
pub(crate) type Shapes = BTreeMap<String, Vec<usize>>;

/// Where a walk stands.
#[derive(Debug, Default)]
pub(crate) struct Path(Vec<String>);

impl Path {
    /// Steps into a field.
    pub(crate) fn enter(&mut self, name: &str) {
        self.0.push(name.to_owned());
    }

    /// Steps back out.
    pub(crate) fn exit(&mut self) {
        self.0.pop();
    }

    /// The path of the parameter at hand.
    pub(crate) fn join(&self) -> String {
        self.0.join(".")
    }
}

/// A parameter before it has a value of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Its shape as stored.
    pub(crate) shape: Vec<usize>,
    /// Whether the module was built with a value, rather than a lazy initializer.
    pub(crate) built: bool,
}

/// All parameters and running statistics of a network, without running its initializers.
pub(crate) fn slots(network: &impl Module) -> BTreeMap<String, Slot> {
    let mut walk = Slots::default();
    network.visit(&mut walk);
    walk.found
}

/// The parameters that a gradient changes.
pub(crate) fn trainable(network: &impl Module) -> Shapes {
    let mut walk = Trainable::default();
    network.visit(&mut walk);
    walk.found
}

/// The values of all parameters and running statistics.
pub(crate) fn read(network: &impl Module) -> Result<Tensors, UnitError> {
    // Running statistics lag one update behind until the module is asked for its evaluation form.
    let _ = network.valid();
    let mut walk = Read { path: Path::default(), found: Ok(Tensors::new()) };
    network.visit(&mut walk);
    walk.found
}

/// `network` with the given values; parameters that are not named keep theirs.
pub(crate) fn load<M: Module>(network: M, values: Tensors) -> M {
    network.map(&mut Load { path: Path::default(), values })
}

#[derive(Default)]
struct Slots {
    path: Path,
    found: BTreeMap<String, Slot>,
}

impl ModuleVisitor for Slots {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let shape = param.lazy_shape().as_slice().to_vec();
        self.found.insert(self.path.join(), Slot { shape, built: param.is_initialized() });
    }
}

#[derive(Default)]
struct Trainable {
    path: Path,
    found: Shapes,
}

impl ModuleVisitor for Trainable {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_require_grad() {
            self.found.insert(self.path.join(), param.shape().as_slice().to_vec());
        }
    }
}

struct Read {
    path: Path,
    found: Result<Tensors, UnitError>,
}

impl ModuleVisitor for Read {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Ok(found) = &mut self.found else { return };
        match param.transform_for_save().val().inner().try_into_data() {
            Ok(data) => {
                found.insert(self.path.join(), data);
            }
            Err(error) => self.found = Err(UnitError::device(error)),
        }
    }
}

struct Load {
    path: Path,
    values: Tensors,
}

impl ModuleMapper for Load {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(data) = self.values.remove(&self.path.join()) else { return param };
        let (id, device) = (param.id, param.lazy_device());
        param.transform_for_load(Tensor::from_data(data, &device), id)
    }
}
