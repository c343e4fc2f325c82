//! Wrong study files, wrong data, devices that are not there: named with their place, before any
//! run folder is made.

use crate::process::Finished;
use crate::sandbox::Sandbox;

/// The study on other data; nothing may be left behind.
#[track_caller]
fn refused_data(csv: impl AsRef<[u8]>, arguments: &[&str]) -> Finished {
    let sandbox = Sandbox::new();
    sandbox.write("classes.csv", csv);
    let refused = sandbox.study("run", arguments).finish().expect(4);
    sandbox.wallaby(&[&["check", "study.toml"], arguments].concat()).finish().expect(4);
    assert!(!sandbox.path("run").exists());
    refused
}

/// Another study file; nothing may be left behind.
#[track_caller]
fn refused_study(name: &str, text: impl AsRef<[u8]>) -> Finished {
    let sandbox = Sandbox::new();
    sandbox.write(name, text);
    let refused = sandbox.wallaby(&["run", name]).finish().expect(3);
    let checked = sandbox.wallaby(&["check", name]).finish().expect(3);
    assert_eq!(checked.err, refused.err);
    assert_eq!(sandbox.list("runs"), [""; 0]);
    refused
}

#[test]
fn data_that_is_not_there_is_named() {
    for (path, words) in [("missing.csv", "no such file"), (".", "is a folder")] {
        let set = format!("data.path={path}");
        refused_data("", &["--set", &set]).complains(words);
    }
}

#[test]
fn data_without_rows_is_named() {
    refused_data("", &[]).complains("classes.csv: is empty");
    refused_data("a,label\n", &[]).complains("classes.csv: has a header and no row");
}

#[test]
fn a_cell_that_is_no_number_is_named_by_row_and_column() {
    let refused = refused_data("a,b,label\n1,2,x\n1,two,y\n", &[]);
    refused.complains("classes.csv:3: column 1 (b) = \"two\", expected a finite number");
    let refused = refused_data("a,b,label\n1,2,x\n1,,y\n", &[]);
    refused.complains("classes.csv:3: column 1 (b) is empty");
    let refused = refused_data("a,b,label\n1,2,x\n1,nan,y\n", &[]);
    refused.complains("classes.csv:3: column 1 (b) = \"nan\"");
}

#[test]
fn a_ragged_row_is_named() {
    let refused = refused_data("a,b,label\n1,2,x\n1,y\n", &[]);
    refused.complains("classes.csv:3: 2 cells, expected 3");
}

#[test]
fn a_label_that_never_changes_is_named() {
    let rows = "1,2,x\n".repeat(20);
    let refused = refused_data(format!("a,b,label\n{rows}"), &[]);
    refused.complains("column 2 (label) is \"x\" in every row");
}

#[test]
fn more_partitions_than_rows_are_refused() {
    let rows = "1,2,x\n3,4,y\n".repeat(5);
    let refused = refused_data(format!("a,b,label\n{rows}"), &["--set", "data.partitions=50"]);
    refused.complains("partitions = 50: expected from 1 to 8, the number of training rows");
}

#[test]
fn data_that_is_no_text_is_refused() {
    refused_data(b"a,b,label\n1,2,x\n1,\xff\xfe,y\n", &[]).complains("classes.csv:3: not UTF-8");
    refused_data([0x1f, 0x8b, 0, 0], &[]);
}

#[test]
fn every_mistake_of_a_study_file_is_told_at_once_with_its_line() {
    let text = "[study]\nname = \"x\"\nsede = 3\n[data]\npath = \"classes.csv\"\ntarget = \"label\"\n\
                partitions = -1\n[search]\nsampler = \"randm\"\n[budget]\ntrials = 3\nepochs = 0\n";
    let refused = refused_study("wrong.toml", text);
    let lines: Vec<&str> = refused.err.lines().collect();
    assert_eq!(lines.len(), 4, "{}", refused.err);
    for (line, words) in lines.iter().zip([
        "wallaby: wrong.toml:3: study.sede = 3: unknown key",
        "wallaby: wrong.toml:7: data.partitions = -1: expected a whole number from 1 to 65536",
        "wallaby: wrong.toml:9: search.sampler = \"randm\": expected one of grid, random, sobol; \
         did you mean \"random\"?",
        "wallaby: wrong.toml:12: budget.epochs = 0: expected a whole number",
    ]) {
        assert!(line.starts_with(words), "{line}");
    }
}

#[test]
fn what_is_no_study_file_at_all_is_refused_in_place() {
    refused_study("empty.toml", "").complains("empty.toml: study.name: missing");
    refused_study("empty.json", "").complains("empty.json");
    refused_study("half.json", "{\"study\": 3").complains("half.json:1:");
    refused_study("half.toml", "[study\n").complains("half.toml:1:");
    refused_study("list.json", "[1, 2]").complains("list.json:1: expected an object");
    refused_study("bytes.toml", b"[study]\nname = \"\xff\"\n").complains("bytes.toml:2: not UTF-8");
}

#[test]
fn a_study_file_that_is_not_there_is_a_wrong_command_line() {
    let sandbox = Sandbox::new();
    for command in ["run", "check"] {
        sandbox.wallaby(&[command, "missing.toml"]).finish().expect(2).complains("missing.toml");
        sandbox.wallaby(&[command, "."]).finish().expect(2).complains(".: ");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_rather_than_waited_for() {
    let sandbox = Sandbox::new();
    for name in ["pipe.toml", "pipe.csv"] {
        let made = std::process::Command::new("mkfifo").arg(sandbox.path(name)).status();
        assert!(made.unwrap().success());
    }
    let told = sandbox.wallaby(&["run", "pipe.toml"]).finish().expect(2);
    told.complains("pipe.toml: is a pipe or a device, expected a study file");
    let told = sandbox.study("run", &["--set", "data.path=pipe.csv"]).finish().expect(4);
    told.complains("pipe.csv: is a pipe or a device, expected a CSV file");
}

#[test]
fn a_flag_out_of_its_form_is_a_wrong_command_line() {
    let sandbox = Sandbox::new();
    for slots in ["0", "1025"] {
        sandbox.study("run", &["--slots", slots]).finish().expect(2).complains("--slots <N>");
    }
    for set in ["budget.epochs", "=3"] {
        let told = sandbox.study("run", &["--set", set]).finish().expect(2);
        told.complains("expected KEY=VALUE, for example budget.epochs=3");
    }
}

#[test]
fn names_that_would_leave_the_folder_of_runs_are_refused() {
    let sandbox = Sandbox::new();
    for name in ["../x", "a b", "", ".", "a/b", "ä"] {
        let set = format!("study.name={name:?}");
        let refused = sandbox.wallaby(&["run", "study.toml", "--set", &set]).finish().expect(3);
        refused.complains("study.name");
    }
}

#[test]
fn a_metric_that_the_task_does_not_have_is_refused() {
    let sandbox = Sandbox::new();
    let refused = sandbox.study("run", &["--set", "objective.metric=r2"]).finish().expect(3);
    refused.complains("objective.metric = \"r2\": expected");
    assert!(!sandbox.path("run").exists());
}

#[test]
fn what_is_allowed_and_most_likely_not_meant_is_told() {
    let sandbox = Sandbox::new();
    let told = |arguments: &[&str], words: &str| {
        let check = [&["check", "study.toml"], arguments].concat();
        sandbox.wallaby(&check).finish().expect(0).complains(words);
        let run = sandbox.study("run", &[arguments, &["--new"]].concat()).finish().expect(0);
        std::fs::remove_dir_all(sandbox.path("run")).unwrap();
        run.complains(words);
    };
    let direction = "objective.direction=minimize";
    told(&["--set", "objective.metric=accuracy", "--set", direction], "is \"maximize\" meant?");
    let data = sandbox.read("classes.csv").replace("class-", "");
    sandbox.write("classes.csv", data.split_once('\n').unwrap().1);
    told(&["--set", "data.target=-1"], "classes.csv:1: the header holds nothing but numbers");
}

#[test]
fn an_address_that_cannot_be_listened_on_is_told_by_its_key_for_tcp_and_for_udp() {
    let sandbox = Sandbox::new();
    sandbox.wallaby(&["cluster", "init", "new"]).finish().expect(0);
    let refused = |listen: &str| {
        let arguments = ["node", "--config", "new/cluster.toml", "--listen", listen];
        let told = sandbox.wallaby(&arguments).finish().expect(2);
        told.complains(&format!("node.listen = \"{listen}\": "))
    };
    let in_use = "is in use by another process, expected a free port; choose another with --listen";
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    refused(&tcp.local_addr().unwrap().to_string()).complains(in_use);
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    refused(&udp.local_addr().unwrap().to_string()).complains(in_use);
    refused("192.0.2.1:7701").complains("expected an address of this host");
}

#[test]
fn a_place_that_cannot_be_written_to_is_told_in_words() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &[]);
    let told = |code: i32, arguments: &[&str], words: &str| {
        let told = sandbox.wallaby(arguments).finish().expect(code).complains(words);
        assert!(!told.err.contains("os error"), "{}", told.err);
    };
    let export = ["export", "run", "--format", "csv", "--out"];
    told(2, &[&export[..], &["study.toml"]].concat(), "study.toml: is a file, expected a folder");
    told(2, &[&export[..], &["study.toml/x"]].concat(), "a part of the path is a file");
    let predict = ["predict", "run", "--data", "classes.csv", "--out"];
    told(2, &[&predict[..], &["."]].concat(), ".: is a folder, expected a file to write");
    told(8, &[&predict[..], &["/dev/full"]].concat(), "/dev/full: no space left, expected a file");
    let report = ["report", "run", "--out", "no/x.html"];
    told(2, &report, "no/x.html: no such file or folder, expected a file to write in a folder");
    told(
        6,
        &["run", "study.toml", "--run", "study.toml"],
        "study.toml is a file, expected a folder",
    );
    told(6, &["run", "study.toml", "--run", "study.toml/x"], "a part of the path is a file");
    told(6, &["show", "study.toml"], "study.toml is not a run folder");
    sandbox.write("run/run.json", b"\xff{");
    told(6, &["show", "run"], "run/run.json is damaged: it is not UTF-8");
}

#[test]
fn a_device_that_is_not_built_in_is_refused_with_the_way_to_get_it() {
    for (device, built_in) in [("wgpu", cfg!(feature = "wgpu")), ("cuda", cfg!(feature = "cuda"))] {
        if built_in {
            continue;
        }
        let sandbox = Sandbox::new();
        let set = format!("run.device={device}");
        let refused = sandbox.study("run", &["--set", &set]).finish().expect(5);
        refused.complains(&format!("this build has no {device}: build with --features {device}"));
        assert!(!sandbox.path("run").exists());
    }
}
