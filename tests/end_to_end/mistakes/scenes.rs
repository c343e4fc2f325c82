//! The mistakes, one after the other: each made in a sandbox of its own, as a person makes it.

use super::Mistake;
use crate::process::Finished;
use crate::sandbox::Sandbox;
use crate::small_disk::SmallDisk;
use std::fs;
use std::net::TcpListener;

/// In the order of a person's way: study file, data, run folder, commands.
pub(super) const MISTAKES: &[Mistake] = &[
    edited("A misspelt key", |study| study.replace("epochs = 3", "epoch = 3")),
    edited("A value of the wrong type", |study| study.replace("trials = 6", "trials = \"six\"")),
    edited("A range upside down", |study| {
        study.replace("low = 1e-3, high = 1e-1", "low = 1e-1, high = 1e-3")
    }),
    edited("A logarithmic range from 0", |study| {
        let dropout = "dropout = { low = 0.0, high = 0.5, scale = \"log\" }";
        study.replace("[search.space]", &format!("[search.space]\n{dropout}"))
    }),
    edited("A parameter both fixed and searched", |study| {
        study.replace("hidden = [8]", "hidden = [8]\nlearning_rate = 0.01")
    }),
    edited("No number of trials", |study| study.replace("trials = 6\n", "")),
    edited("A metric that nobody knows", |study| {
        study.replace("[budget]", "[objective]\nmetric = \"acuracy\"\n\n[budget]")
    }),
    edited("A metric of another task", |study| {
        study.replace("[budget]", "[objective]\nmetric = \"rmse\"\n\n[budget]")
    }),
    edited("A word that is none of the choices", |study| {
        study.replace("[search.space]", "[search]\nsampler = \"randm\"\n\n[search.space]")
    }),
    edited("A key that is given twice", |study| {
        study.replace("epochs = 3", "epochs = 3\nepochs = 5")
    }),
    edited("A line that is not TOML", |study| study.replace("name = ", "name == ")),
    Mistake {
        title: "TOML in a file that is named as JSON",
        command: "run study.json",
        scene: Scene::Other(|sandbox, command| {
            sandbox.write("study.json", sandbox.read("study.toml").trim_start());
            Some(call(sandbox, command))
        }),
    },
    edited("A budget of no time", |study| {
        study.replace("epochs = 3", "epochs = 3\nwall_clock = \"0s\"")
    }),
    plain("A study file that is not there", "run studdy.toml"),
    edited("A data file that is not there", |study| study.replace("classes.csv", "clases.csv")),
    edited("A data file that is a folder", |study| study.replace("classes.csv", ".")),
    edited("A target column that does not exist", |study| study.replace("label", "lable")),
    with_data("Data that is not UTF-8", || b"a,b,label\n1,2,x\n1,2,\xe9t\xe9\n".to_vec()),
    with_data("Data with a header and nothing else", || b"a,b,label\n".to_vec()),
    with_data("Data of one class", || ("a,b,label\n".to_owned() + &"1,2,x\n".repeat(20)).into()),
    with_data("More partitions than rows", || b"a,b,label\n1,2,x\n3,4,y\n2,1,x\n4,3,y\n".to_vec()),
    with_data("A cell that is no number", || b"a,b,label\n1,2,x\n1,two,y\n".to_vec()),
    with_data("A number with a comma", || b"a,b,label\n1,2,x\n1,\"1,5\",y\n".to_vec()),
    with_data("A gap", || b"a,b,label\n1,2,x\n1,NA,y\n".to_vec()),
    Mistake {
        title: "A header that is read as a row",
        command: "run study.toml --set data.header=false --set data.target=-1",
        scene: Scene::Command,
    },
    with_data("Two columns of one name", || b"a,b,a,label\n1,2,3,x\n".to_vec()),
    with_data("A row with a cell too few", || b"a,b,label\n1,2,x\n1,y\n".to_vec()),
    Mistake {
        title: "A run folder without permission to write",
        command: "run study.toml --run locked/run",
        scene: Scene::Other(locked),
    },
    Mistake {
        title: "A disk without space",
        command: "run study.toml --run disk/run",
        scene: Scene::Other(full_disk),
    },
    Mistake {
        title: "A run folder that is in use",
        command: "resume runs/small-1",
        scene: Scene::Other(in_use),
    },
    Mistake {
        title: "A run folder of a newer version",
        command: "show runs/small-1",
        scene: Scene::Run(|sandbox| {
            let about = sandbox.read("runs/small-1/run.json");
            sandbox
                .write("runs/small-1/run.json", about.replace("\"format\": 1", "\"format\": 99"));
        }),
    },
    plain("A folder that is no run", "best examples"),
    Mistake {
        title: "A run into a folder of something else",
        command: "run study.toml --run letters",
        scene: Scene::Other(|sandbox, command| {
            sandbox.write("letters/mother.txt", "dear mother");
            Some(call(sandbox, command))
        }),
    },
    plain("A run into a file", "run study.toml --run study.toml"),
    Mistake {
        title: "A device that is not built in",
        command: "run study.toml --set run.device=cuda",
        scene: Scene::Other(device),
    },
    plain("--set with a key that does not exist", "run study.toml --set budget.epoch=3"),
    plain("A flag that does not exist", "run study.toml --slot 4"),
    after_a_run("A trial that does not exist", "verify runs/small-1 --trial 99"),
    after_a_run("A column that does not exist", "trials runs/small-1 --where acuracy>0.9"),
    after_a_run("An end that no trial comes to", "trials runs/small-1 --where end==complete"),
    after_a_run(
        "A file where a folder is expected",
        "export runs/small-1 --format csv --out study.toml",
    ),
    after_a_run("A folder where a file is expected", "report runs/small-1 --out ."),
    Mistake {
        title: "Rows to predict for without a feature",
        command: "predict runs/small-1 --data new.csv",
        scene: Scene::Run(|sandbox| sandbox.write("new.csv", "a,b,d\n1,2,3\n")),
    },
    Mistake {
        title: "A row to predict for that is far from all that was learnt",
        command: "predict runs/small-1 --data new.csv",
        scene: Scene::Run(|sandbox| sandbox.write("new.csv", "a,b,c,d\n1,2,1e300,4\n")),
    },
    after_a_run(
        "Answers in place of their rows",
        "predict runs/small-1 --data classes.csv --out classes.csv",
    ),
    plain("A command for a cluster, and none configured", "nodes"),
    Mistake {
        title: "A cluster's configuration with a misspelt key, a number of voters without a majority",
        command: "node --config new/cluster.toml",
        scene: Scene::Other(|sandbox, command| {
            call(sandbox, "cluster init new").expect(0);
            let config = sandbox.read("new/cluster.toml");
            let config = config.replace("[\"node1\"]  ", "[\"node1\", \"node2\"]");
            sandbox.write("new/cluster.toml", config.replace("replicas =", "replica ="));
            Some(call(sandbox, command))
        }),
    },
    Mistake {
        title: "A port in use",
        command: "node --config new/cluster.toml --listen 127.0.0.1:17711",
        scene: Scene::Other(|sandbox, command| {
            call(sandbox, "cluster init new").expect(0);
            // If it is another's already, it is in use all the same.
            let _taken = TcpListener::bind("127.0.0.1:17711");
            Some(call(sandbox, command))
        }),
    },
    with_secret("A cluster that does not run", "submit study.toml --cluster here", "ab"),
    with_secret("A cluster's secret that is none", "status --cluster here", "no"),
    Mistake {
        title: "A cluster where there is one already",
        command: "cluster init new",
        scene: Scene::Other(|sandbox, command| {
            call(sandbox, "cluster init new").expect(0);
            Some(call(sandbox, command))
        }),
    },
];

/// A cluster at a port where nobody listens, with a secret of this text, 32 times.
const fn with_secret(title: &'static str, command: &'static str, secret: &'static str) -> Mistake {
    Mistake { title, command, scene: Scene::Cluster(secret) }
}

/// The study in the sandbox, edited.
const fn edited(title: &'static str, edit: fn(&str) -> String) -> Mistake {
    Mistake { title, command: "run study.toml", scene: Scene::Study(edit) }
}

/// Other data.
const fn with_data(title: &'static str, data: fn() -> Vec<u8>) -> Mistake {
    Mistake { title, command: "run study.toml", scene: Scene::Data(data) }
}

/// Nothing but the command.
const fn plain(title: &'static str, command: &'static str) -> Mistake {
    Mistake { title, command, scene: Scene::Command }
}

/// A command on a run that has ended.
const fn after_a_run(title: &'static str, command: &'static str) -> Mistake {
    Mistake { title, command, scene: Scene::Run(|_| ()) }
}

/// Where a mistake is made.
pub(super) enum Scene {
    Study(fn(&str) -> String),
    Data(fn() -> Vec<u8>),
    Command,
    /// After a run, and something more.
    Run(fn(&Sandbox)),
    /// A folder `here` with a cluster's configuration and a secret of this text, 32 times.
    Cluster(&'static str),
    /// Whatever it takes; `None` if it is not possible here.
    Other(fn(&Sandbox, &str) -> Option<Finished>),
}

impl Scene {
    /// Makes the mistake.
    pub(super) fn play(&self, sandbox: &Sandbox, command: &str) -> Option<Finished> {
        match self {
            Scene::Study(edit) => {
                let study = sandbox.read("study.toml");
                let edited = edit(&study);
                assert_ne!(edited, study, "the edit finds nothing to change");
                sandbox.write("study.toml", edited);
            }
            Scene::Data(data) => sandbox.write("classes.csv", data()),
            Scene::Command => {}
            Scene::Run(then) => {
                call(sandbox, "run study.toml").expect(0);
                then(sandbox);
            }
            Scene::Cluster(secret) => {
                let seeds = "seeds = [\"127.0.0.1:1\"]";
                let config = format!("[cluster]\nsecret_file = \"cluster.secret\"\n{seeds}\n");
                sandbox.write("here/cluster.toml", config);
                sandbox.write("here/cluster.secret", secret.repeat(32));
            }
            Scene::Other(make) => return make(sandbox, command),
        }
        Some(call(sandbox, command))
    }
}

fn call(sandbox: &Sandbox, command: &str) -> Finished {
    let arguments: Vec<&str> = command.split(' ').collect();
    sandbox.wallaby(&arguments).finish()
}

/// On a disk that nobody may write to: permissions do not stop the super-user.
fn locked(sandbox: &Sandbox, command: &str) -> Option<Finished> {
    let folder = sandbox.path("locked");
    fs::create_dir(&folder).unwrap();
    let disk = SmallDisk::mount(&folder, 64)?;
    disk.protect();
    Some(call(sandbox, command))
}

fn full_disk(sandbox: &Sandbox, command: &str) -> Option<Finished> {
    let folder = sandbox.path("disk");
    fs::create_dir(&folder).unwrap();
    let _disk = SmallDisk::mount(&folder, 40)?;
    Some(call(sandbox, command))
}

fn in_use(sandbox: &Sandbox, command: &str) -> Option<Finished> {
    let study = sandbox.wallaby(&["run", "study.toml", "--json"]);
    let mut first = study.faults("delay:600000").start();
    first.await_event("trial_proposed");
    Some(call(sandbox, command))
}

fn device(sandbox: &Sandbox, command: &str) -> Option<Finished> {
    if cfg!(feature = "cuda") { None } else { Some(call(sandbox, command)) }
}
