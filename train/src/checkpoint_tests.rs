//! Checkpoints against damage and against states of other models.

use super::*;
use proptest::prelude::*;

fn tensors(shapes: &Shapes, start: f32) -> Tensors {
    let fill = |(path, shape): (&String, &Vec<usize>)| {
        let count = shape.iter().product::<usize>();
        let values: Vec<f32> = (0..count).map(|at| start + at as f32).collect();
        (path.clone(), TensorData::new(values, shape.clone()))
    };
    shapes.iter().map(fill).collect()
}

fn shapes() -> Shapes {
    Shapes::from([
        ("layers.0.bias".to_owned(), vec![3]),
        ("layers.0.weight".to_owned(), vec![2, 3]),
    ])
}

fn encoded(steps: u64) -> Vec<u8> {
    let (weights, first, second) =
        (tensors(&shapes(), 0.5), tensors(&shapes(), 10.0), tensors(&shapes(), 20.0));
    State {
        family: "mlp",
        optimizer: "adam",
        steps,
        weights: &weights,
        first: &first,
        second: &second,
    }
    .encode()
    .unwrap()
}

/// Everything a checkpoint says, or why it says nothing.
fn decoded(bytes: &[u8]) -> Result<(Header, Vec<Tensors>), CheckpointError> {
    let checkpoint = Checkpoint::open(bytes, "mlp")?;
    checkpoint.expect_optimizer("adam")?;
    let sections = Section::ALL.map(|section| checkpoint.section(section, &shapes()));
    let sections = sections.into_iter().collect::<Result<_, _>>()?;
    Ok((checkpoint.header, sections))
}

#[test]
fn a_state_survives_its_bytes() {
    let (header, sections) = decoded(&encoded(7)).unwrap();
    assert_eq!(header.steps, 7);
    let expected = [0.5, 10.0, 20.0].map(|start| tensors(&shapes(), start));
    assert_eq!(sections, expected);
}

#[test]
fn equal_states_have_equal_bytes() {
    assert_eq!(encoded(7), encoded(7));
    assert_ne!(encoded(7), encoded(8));
}

#[test]
fn a_state_of_another_model_is_refused() {
    let bytes = encoded(1);
    let error = Checkpoint::open(&bytes, "cnn").unwrap_err();
    assert_eq!(error.to_string(), "family is mlp, expected cnn");
    let checkpoint = Checkpoint::open(&bytes, "mlp").unwrap();
    assert!(checkpoint.expect_optimizer("sgd").is_err());

    let section = |change: fn(&mut Shapes)| {
        let mut expected = shapes();
        change(&mut expected);
        checkpoint.section(Section::Weights, &expected).unwrap_err()
    };
    let wider = section(|expected| expected.values_mut().for_each(|shape| shape[0] += 1));
    assert!(matches!(wider, CheckpointError::Shape { .. }), "{wider}");
    let deeper = section(|expected| _ = expected.insert("layers.1.bias".to_owned(), vec![3]));
    assert_eq!(deeper, CheckpointError::Missing("weights.layers.1.bias".to_owned()));
    let shallower = section(|expected| _ = expected.remove("layers.0.bias"));
    assert!(matches!(shallower, CheckpointError::Surplus { found: 2, expected: 1, .. }));
}

#[test]
fn the_weights_alone_are_a_clean_file() {
    let bytes = weights_only(&encoded(3)).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let names: BTreeMap<_, _> = file.iter().collect();
    assert_eq!(names.keys().collect::<Vec<_>>(), [&"layers.0.bias", &"layers.0.weight"]);
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(metadata.metadata().as_ref().unwrap().len(), 1);
    assert!(weights_only(&bytes).is_err(), "weights alone are no state");
}

proptest! {
    #[test]
    fn a_cut_checkpoint_is_refused(cut in 0usize..1 << 16) {
        let bytes = encoded(3);
        prop_assert!(decoded(&bytes[..cut % bytes.len()]).is_err());
    }

    #[test]
    fn a_flipped_bit_never_changes_a_state_unnoticed(at in 0usize..1 << 16, bit in 0u8..8) {
        let original = encoded(3);
        let mut flipped = original.clone();
        flipped[at % original.len()] ^= 1 << bit;
        if let Ok(found) = decoded(&flipped) {
            prop_assert_eq!(found, decoded(&original).unwrap());
        }
    }

    #[test]
    fn arbitrary_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(decoded(&bytes).is_err());
    }
}
