//! Every mistake in its exact words, and what is stronger than what.

use super::*;

const NODE: &str = r#"[cluster]
secret_file = "cluster.secret"
seeds = ["127.0.0.1:7701", "127.0.0.1:7702"]
voters = ["node1", "node2", "node3"]
replicas = 2

[node]
name = "node1"
data = "data/node1"
listen = "127.0.0.1:7701"
slots = 1
"#;

fn node(text: &str, given: &Given) -> Result<NodeConfig, String> {
    let host = Some("here".to_owned());
    NodeConfig::parse(text, "etc/node.toml", given, host).map_err(|mistakes| mistakes.to_string())
}

/// Each case: a line of the file, what it is replaced by, what is said to that.
fn assert_messages(cases: &[(&str, &str, &str)]) {
    for (old, new, expected) in cases {
        assert!(NODE.contains(old), "{old}");
        let said = node(&NODE.replacen(old, new, 1), &Given::nothing()).unwrap_err();
        assert_eq!(said, format!("etc/node.toml:{expected}"), "{new}");
    }
}

#[test]
fn a_file_without_mistakes_says_where_everything_is() {
    let config = node(NODE, &Given::nothing()).unwrap();
    assert_eq!(config.cluster.secret_file, Path::new("etc/cluster.secret"));
    assert_eq!(config.cluster.seeds, ["127.0.0.1:7701", "127.0.0.1:7702"]);
    assert_eq!(config.voters, ["node1", "node2", "node3"]);
    assert_eq!((config.replicas, config.slots, config.device), (2, Some(1), Device::Cpu));
    assert_eq!(config.data, Path::new("etc/data/node1"));
    assert_eq!(
        (config.listen.as_str(), config.advertise.as_str()),
        ("127.0.0.1:7701", "127.0.0.1:7701")
    );
}

#[test]
fn what_may_be_absent_has_a_default() {
    let text = NODE.replace("replicas = 2\n", "").replace("name = \"node1\"\n", "");
    let config = node(&text.replace("slots = 1\n", ""), &Given::nothing()).unwrap();
    assert_eq!((config.name.as_str(), config.replicas, config.slots), ("here", 2, None));
    let cluster = ClusterConfig::parse(NODE, "etc/node.toml", &Given::nothing()).unwrap();
    assert_eq!(cluster, config.cluster);
    let least = "[cluster]\nsecret_file = \"/s\"\nseeds = [\"a:1\"]\n";
    let cluster = ClusterConfig::parse(least, "etc/node.toml", &Given::nothing()).unwrap();
    assert_eq!(cluster.secret_file, Path::new("/s"));
}

#[test]
fn every_mistake_names_its_line_its_value_and_what_was_expected() {
    let seeds = "seeds = [\"127.0.0.1:7701\", \"127.0.0.1:7702\"]";
    let voters = "voters = [\"node1\", \"node2\", \"node3\"]";
    let listen = "listen = \"127.0.0.1:7701\"";
    let address = "expected an address, host:port, for example 127.0.0.1:7701";
    assert_messages(&[
        (
            seeds,
            "seds = [\"a:1\"]",
            "1: cluster.seeds: missing, expected a list of addresses of nodes, for example \
             [\"127.0.0.1:7701\"]\netc/node.toml:3: cluster.seds = [\"a:1\"]: unknown key, expected \
             one of secret_file, seeds, voters, replicas; did you mean `seeds`?",
        ),
        (
            seeds,
            "seeds = \"a:1\"",
            "3: cluster.seeds = \"a:1\": expected a list of addresses of nodes, for example [\"127.0.0.1:7701\"]",
        ),
        (seeds, "seeds = []", "3: cluster.seeds = []: expected 1 to 64 addresses of nodes"),
        (seeds, "seeds = [\"a\"]", &format!("3: cluster.seeds = \"a\": {address}")),
        (seeds, "seeds = [7701]", &format!("3: cluster.seeds = 7701: {address}")),
        (
            seeds,
            "seeds = [\"0.0.0.0:1\"]",
            "3: cluster.seeds = \"0.0.0.0:1\": means every address, expected one that others can dial",
        ),
        (
            voters,
            "",
            "1: cluster.voters: missing, expected the names of the 1, 3 or 5 nodes that vote, the same on all nodes",
        ),
        (
            voters,
            "voters = [\"a\", \"b\"]",
            "4: cluster.voters = [\"a\", \"b\"]: has 2 names, expected 1, 3 or 5",
        ),
        (
            voters,
            "voters = [\"a\", \"b\", \"a\"]",
            "4: cluster.voters = [\"a\", \"b\", \"a\"]: has \"a\" twice, expected distinct names",
        ),
        (
            voters,
            "voters = [\"a b\"]",
            "4: cluster.voters = \"a b\": expected a name of at most 64 letters, digits, -, _ and ., a letter or a digit first",
        ),
        (
            "replicas = 2",
            "replicas = 0",
            "5: cluster.replicas = 0: expected a whole number from 1 to 16",
        ),
        (
            "replicas = 2",
            "replicas = \"two\"",
            "5: cluster.replicas = \"two\": expected a whole number from 1 to 16",
        ),
        (
            "replicas = 2",
            "slots = 2",
            "5: cluster.slots = 2: unknown key, expected one of secret_file, seeds, voters, replicas; did you mean `node.slots`?",
        ),
        (
            "name = \"node1\"",
            "name = \"\"",
            "8: node.name = \"\": expected a name of at most 64 letters, digits, -, _ and .",
        ),
        (
            "data = \"data/node1\"",
            "",
            "7: node.data: missing, expected a folder for what the node stores",
        ),
        (listen, "listen = \"7701\"", &format!("10: node.listen = \"7701\": {address}")),
        (
            listen,
            "listen = \"0.0.0.0:7701\"",
            "7: node.advertise: missing, expected the address under which others reach this node, \
             since node.listen = \"0.0.0.0:7701\" means every address",
        ),
        (
            "slots = 1",
            "device = \"gpu\"",
            "11: node.device = \"gpu\": expected one of cpu, wgpu, cuda; did you mean \"wgpu\"?",
        ),
    ]);
}

#[test]
fn an_advertised_port_alone_is_one_of_the_host() {
    let text = NODE.replace("[node]", "[node]\nadvertise = \":7701\"");
    let text = text.replace("listen = \"127.0.0.1:7701\"", "listen = \"0.0.0.0:7701\"");
    let parse = |host: Option<&str>| {
        NodeConfig::parse(&text, "etc/node.toml", &Given::nothing(), host.map(str::to_owned))
    };
    assert_eq!(parse(Some("3f2a")).unwrap().advertise, "3f2a:7701");
    for unusable in [None, Some("no host")] {
        let mistakes = parse(unusable).unwrap_err().to_string();
        assert!(mistakes.contains("node.advertise = \":7701\": expected an address"), "{mistakes}");
    }
}

#[test]
fn a_misspelt_section_is_told_from_one_that_is_missing() {
    let said = node(&NODE.replace("[node]", "[nodes]"), &Given::nothing()).unwrap_err();
    let last = said.lines().last().unwrap();
    assert!(last.starts_with("etc/node.toml:7: nodes = { "), "{said}");
    let guess = "unknown key, expected one of cluster, node; did you mean `node`?";
    assert!(last.ends_with(guess), "{said}");
    assert!(said.starts_with("etc/node.toml: node.data: missing, expected a folder"), "{said}");
}

#[test]
fn an_error_of_syntax_names_its_line() {
    let said = node(&NODE.replace("slots = 1", "slots = "), &Given::nothing()).unwrap_err();
    assert!(said.starts_with("etc/node.toml:11: "), "{said}");
}

#[test]
fn a_flag_beats_a_variable_and_a_variable_beats_the_file() {
    let variable = |name: &str| match name {
        "WALLABY_NODE_SLOTS" => Some("3".to_owned()),
        "WALLABY_NODE_NAME" => Some("of-variable".to_owned()),
        "WALLABY_NODE_DATA" => Some("elsewhere".to_owned()),
        "WALLABY_NODE_LISTEN" => Some(String::new()),
        "WALLABY_CLUSTER_SEEDS" => Some("a:1, b:2".to_owned()),
        _ => None,
    };
    let settings = Settings { slots: Some("4".to_owned()), ..Settings::default() };
    let config = node(NODE, &Given::of(&settings, variable)).unwrap();
    assert_eq!((config.slots, config.name.as_str()), (Some(4), "of-variable"));
    assert_eq!(config.data, Path::new("elsewhere"));
    assert_eq!(config.listen, "127.0.0.1:7701");
    assert_eq!(config.cluster.seeds, ["a:1", "b:2"]);
}

#[test]
fn mistakes_of_flags_and_variables_name_them() {
    let variable = |name: &str| (name == "WALLABY_NODE_SLOTS").then(|| "many".to_owned());
    let settings = Settings { listen: Some("nowhere".to_owned()), ..Settings::default() };
    assert_eq!(
        node(NODE, &Given::of(&settings, variable)).unwrap_err(),
        "--listen: node.listen = \"nowhere\": expected an address, host:port, for example \
         127.0.0.1:7701\nWALLABY_NODE_SLOTS: node.slots = \"many\": expected a whole number from 1 \
         to 1024"
    );
}

#[test]
fn every_setting_can_be_given_without_a_file() {
    let all = |name: &str| {
        Some(match name {
            "WALLABY_CLUSTER_SECRET_FILE" => "/run/secrets/wallaby".to_owned(),
            "WALLABY_CLUSTER_SEEDS" => "a:1".to_owned(),
            "WALLABY_CLUSTER_VOTERS" => "a".to_owned(),
            "WALLABY_NODE_DATA" => "/data".to_owned(),
            "WALLABY_NODE_LISTEN" => "0.0.0.0:1".to_owned(),
            "WALLABY_NODE_ADVERTISE" => "a:1".to_owned(),
            _ => return None,
        })
    };
    let given = Given::of(&Settings::default(), all);
    let config = NodeConfig::parse("", NO_FILE, &given, Some("a".to_owned())).unwrap();
    assert_eq!((config.listen.as_str(), config.advertise.as_str()), ("0.0.0.0:1", "a:1"));
    assert_eq!(config.cluster.secret_file, Path::new("/run/secrets/wallaby"));
    assert_eq!(ClusterConfig::from_variables(&given).unwrap(), Some(config.cluster));
    assert_eq!(ClusterConfig::from_variables(&Given::nothing()).unwrap(), None);
    let nothing = NodeConfig::parse("", NO_FILE, &Given::nothing(), None).unwrap_err().to_string();
    assert_eq!(nothing.lines().count(), 6, "{nothing}");
    assert!(
        nothing.starts_with("configuration: cluster.secret_file: missing, expected "),
        "{nothing}"
    );
}
