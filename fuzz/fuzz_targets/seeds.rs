//! No target, but what the others begin with, written into `corpus/TARGET/`: sound bytes of each
//! kind, made by the encoders, so that nothing of it grows old. A target all the same, since
//! everything here is built with coverage, which only a target can be linked with.
#![no_main]

use std::fs;
use std::path::Path;
use wallaby_core::cluster::{ClusterRecord, StudyId};
use wallaby_core::ids::{Digest, Moment, NodeId};
use wallaby_core::journal::{Blob, Creation, Entry, Manifest, Record};
use wallaby_core::space::{Domain, Space};
use wallaby_core::spec::{
    Budget, Direction, Objective, Order, PolicyKind, SamplerKind, Search, Spec,
};
use wallaby_core::value::Value;
use wallaby_data::{Partition, Target};

libfuzzer_sys::fuzz_target!(init: write(), |_bytes: &[u8]| {});

fn write() {
    let mut seeds = wallaby_actors::fuzzing::seeds();
    for (number, sampler) in
        [SamplerKind::Random, SamplerKind::Grid, SamplerKind::Sobol].into_iter().enumerate()
    {
        let creation = creation(sampler);
        seeds.push(("creation", postcard::to_stdvec(&creation).expect("it can be written")));
        let record = Record::StudyCreated(Box::new(creation));
        let entry = Entry { at: Moment(3), record };
        seeds.push(("records", entry.encode()));
        let study = StudyId(number as u32);
        seeds.push(("records", ClusterRecord::Study { study, entry }.encode()));
    }
    let placement = vec![vec![NodeId(1), NodeId(2)]];
    seeds.push(("records", ClusterRecord::Placed { study: StudyId(0), placement }.encode()));
    for target in [Target::Classes(vec![1, 0]), Target::Values(vec![0.5, -1.0])] {
        let partition = Partition { width: 2, features: vec![0.0, 1.0, 2.0, 3.0], target };
        seeds.push(("partition", partition.to_bytes()));
    }
    let digits = include_bytes!("../../examples/digits.toml");
    seeds.push(("study_file", digits.to_vec()));
    let text = |words: &str| words.as_bytes().to_vec();
    seeds.push(("filter", text("(accuracy > 0.9 or trial<=1) and not end == \"completed\"")));
    seeds.push(("filter", text("hidden = [128, 64] and accuracy != none")));
    seeds.push(("csv", text("\0a,b,label\n1,2.5,x\n-3e4,\"4\",y\n")));
    seeds.push(("csv", text("\u{9}1;2;3\n4;5;6\n")));
    seeds.push(("api", text(r#"{"priority":10}"#)));
    seeds.push((
        "api",
        text(r#"{"name":"a","fingerprint":"00","blobs":[{"digest":"11","bytes":7}]}"#),
    ));
    seeds.push(("api", text(r#"[{"slot":{"node":1,"index":0},"node":"node1","unit":{"trial":0,"epoch":1,"partition":null},"since":5}]"#)));
    seeds.push(("gossip", vec![0, 2, 0, 0]));
    seeds.push(("datagram", text("a message")));
    seeds.push(("checkpoint", checkpoint()));
    for (number, (target, bytes)) in seeds.iter().enumerate() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        fs::create_dir_all(&folder).expect("a folder for the corpus");
        fs::write(folder.join(format!("seed-{number}")), bytes).expect("a seed can be written");
    }
    println!("{} seeds", seeds.len());
}

fn creation(sampler: SamplerKind) -> Creation {
    let blob = |name: &str| Blob { digest: Digest::of(name.as_bytes()), rows: 10, bytes: 100 };
    let rate = Domain::Float { low: 1e-4, high: 0.1, log: true, points: Some(3) };
    let width = Domain::Int { low: 1, high: 9, log: false, points: None };
    let widths = Domain::Choice(vec![Value::List(vec![Value::Int(64)]), "none".into()]);
    let space = [("rate", rate), ("width", width), ("widths", widths)];
    let search = Search {
        space: Space(space.into_iter().map(|(name, domain)| (name.to_owned(), domain)).collect()),
        sampler,
        policy: PolicyKind::Asha { min_epochs: 1, eta: 3 },
        concurrency: Some(3),
    };
    let spec = Spec {
        name: "study".to_owned(),
        seed: 7,
        family: "mlp".to_owned(),
        model: [("dropout".to_owned(), Value::Float(0.5))].into(),
        search,
        objective: Objective { metric: "loss".to_owned(), direction: Direction::Minimize },
        budget: Budget { trials: Some(4), epochs: 2, wall_clock_seconds: Some(60) },
        order: Order::Free,
    };
    let (partitions, validation) = (vec![blob("0"), blob("1")], blob("validation"));
    let manifest = Manifest { partitions, validation, problem: "{}".to_owned() };
    Creation { spec, manifest, document: "{}".to_owned(), fingerprint: Digest::of(b"study") }
}

/// A head of safetensors with the one metadata key, and one tensor. Its digest is wrong.
fn checkpoint() -> Vec<u8> {
    let inner = r#"{\"format\":\"wallaby checkpoint 1\",\"family\":\"mlp\",\"optimizer\":\"sgd\",\"steps\":1,\"digest\":\"00\"}"#;
    let head = format!(
        r#"{{"__metadata__":{{"wallaby":"{inner}"}},"weights.w":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}}"#
    );
    let length = (head.len() as u64).to_le_bytes();
    [&length[..], head.as_bytes(), &[0; 4]].concat()
}
