//! A cluster of containers as `docker-compose.yml` describes it, with a project, a secret and
//! volumes of its own. Nothing of it outlives the test.

use crate::docker::{IMAGE, compose_program, docker, image, repository, run, try_run};
use serde_json::Value as Json;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// A container of the cluster at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Container {
    /// The engine's name for it.
    pub(crate) id: String,
    /// The service that it belongs to.
    pub(crate) service: String,
    /// Its place among those of its service, from 1.
    pub(crate) number: u32,
    /// The name of the node in it.
    pub(crate) node: String,
    /// Its process on this machine; 0 if it does not run.
    pub(crate) pid: u32,
    /// Its address; none if it does not run or is cut off.
    pub(crate) address: Option<String>,
}

impl Container {
    /// A name that can be read: `node1`, `trainer-2`.
    pub(crate) fn label(&self) -> String {
        match self.service.as_str() {
            "trainer" => format!("trainer-{}", self.number),
            voter => voter.to_owned(),
        }
    }

    /// Runs and can be reached.
    pub(crate) fn api(&self) -> Option<String> {
        let address = self.address.as_ref().filter(|_| self.pid != 0)?;
        Some(format!("{address}:7701"))
    }
}

/// What a cluster is started with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    /// How much longer each unit takes, in milliseconds.
    pub(crate) delay_ms: u64,
    /// Nodes without a vote.
    pub(crate) trainers: u32,
    /// The third node has a disk of this many megabytes.
    pub(crate) small_disk_mb: Option<u32>,
}

/// A running cluster.
pub(crate) struct Stand {
    project: String,
    folder: TempDir,
    /// When it was started, in milliseconds since the epoch.
    pub(crate) began: u64,
    /// The size of its image in bytes.
    pub(crate) image_bytes: u64,
}

impl Stand {
    /// Starts a cluster; returns as soon as its containers run.
    pub(crate) fn up(setting: Setting) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = TempDir::with_prefix("wallaby-nemesis-").unwrap();
        let image_bytes = image(&folder.path().join("secret"));
        let project = format!("wallaby-nemesis-{}-{count}", std::process::id());
        std::fs::write(folder.path().join("nemesis.yml"), overlay(setting)).unwrap();
        let mut stand = Self { project, folder, began: 0, image_bytes };
        stand.secret();
        let scale = format!("trainer={}", setting.trainers);
        stand.compose(&["up", "-d", "--scale", &scale]);
        stand.began = now();
        stand
    }

    /// The file with the cluster's secret.
    pub(crate) fn secret(&self) -> PathBuf {
        let path = self.folder.path().join("secret");
        if !path.exists() {
            let digits =
                run(Command::new("od").args(["-An", "-v", "-tx1", "-N32", "/dev/urandom"]));
            std::fs::write(&path, digits.split_whitespace().collect::<String>()).unwrap();
            run(Command::new("chmod").arg("444").arg(&path));
        }
        path
    }

    /// A Compose command on this cluster.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let words = compose_program().expect("present() has looked");
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).current_dir(repository());
        command.args(["-p", &self.project, "-f", "docker-compose.yml", "-f"]);
        command.arg(self.folder.path().join("nemesis.yml")).args(arguments);
        command.env("WALLABY_IMAGE", IMAGE).env("WALLABY_SECRET_FILE", self.secret());
        // Any ports that are free.
        for port in ["WALLABY_PORT1", "WALLABY_PORT2", "WALLABY_PORT3"] {
            command.env(port, "0");
        }
        command
    }

    /// Runs a Compose command; what it wrote.
    #[track_caller]
    pub(crate) fn compose(&self, arguments: &[&str]) -> String {
        run(&mut self.command(arguments))
    }

    /// `wallaby` in the first node's container.
    #[track_caller]
    pub(crate) fn wallaby(&self, arguments: &[&str]) -> String {
        self.compose(&[&["exec", "-T", "node1", "wallaby"], arguments].concat())
    }

    /// All containers, those too that do not run, in the order of their labels.
    pub(crate) fn containers(&self) -> Vec<Container> {
        let filter = format!("label=com.docker.compose.project={}", self.project);
        let listed = run(&mut docker(&["ps", "-aq", "--no-trunc", "--filter", &filter]));
        let ids: Vec<&str> = listed.lines().collect();
        if ids.is_empty() {
            return Vec::new();
        }
        // One may have been removed in between.
        let told = docker(&[&["inspect"], ids.as_slice()].concat()).output().unwrap();
        let all: Vec<Json> = serde_json::from_slice(&told.stdout).unwrap_or_default();
        let mut all: Vec<Container> = all.iter().map(container).collect();
        all.sort_by_key(|container| container.label());
        all
    }

    /// The container of a node.
    pub(crate) fn container(&self, node: &str) -> Option<Container> {
        let mut all = self.containers();
        // A node that is being replaced is there twice.
        all.sort_by_key(|container| container.pid == 0);
        all.into_iter().find(|container| container.node == node)
    }

    /// The name of the cluster's network.
    pub(crate) fn network(&self) -> String {
        format!("{}_cluster", self.project)
    }

    /// The name of a volume.
    pub(crate) fn volume(&self, name: &str) -> String {
        format!("{}_{name}", self.project)
    }

    /// The volumes of the trainers, which have no names of their own.
    pub(crate) fn trainers_volumes(&self) -> Vec<String> {
        let all = self.containers();
        let trainers = all.iter().filter(|it| it.service == "trainer");
        let volumes = trainers.map(|it| {
            let format = "{{range .Mounts}}{{if eq .Type \"volume\"}}{{.Name}} {{end}}{{end}}";
            run(&mut docker(&["inspect", "--format", format, &it.id]))
        });
        volumes
            .flat_map(|it| it.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }

    /// Ends all nodes in order; their containers stay.
    pub(crate) fn stop(&self) {
        let filter = format!("label=com.docker.compose.project={}", self.project);
        let listed = run(&mut docker(&["ps", "-q", "--filter", &filter]));
        let ids: Vec<&str> = listed.lines().collect();
        run(&mut docker(&[&["stop", "-t", "20"], ids.as_slice()].concat()));
    }

    /// Copies a file out of a container that may have ended; false if it has none.
    pub(crate) fn copy_out(&self, container: &Container, path: &str, to: &std::path::Path) -> bool {
        let from = format!("{}:{path}", container.id);
        try_run(docker(&["cp", &from]).arg(to))
    }

    /// The last lines that each node wrote: what a failure is explained by.
    pub(crate) fn logs(&self) -> String {
        let said = self.command(&["logs", "--no-color", "--tail", "60"]).output().unwrap();
        String::from_utf8_lossy(&said.stdout).into_owned()
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        let filter = format!("label=com.docker.compose.project={}", self.project);
        for container in run(&mut docker(&["ps", "-q", "--filter", &filter])).lines() {
            // One that stands still cannot be stopped.
            try_run(&mut docker(&["unpause", container]));
        }
        try_run(&mut self.command(&["down", "-v", "-t", "1", "--remove-orphans"]));
        for container in run(&mut docker(&["ps", "-aq", "--filter", &filter])).lines() {
            try_run(&mut docker(&["rm", "-fv", container]));
        }
    }
}

/// What differs from the cluster that users start.
fn overlay(setting: Setting) -> String {
    let mut text = "services:\n".to_owned();
    for service in ["node1", "node2", "node3", "trainer"] {
        let delay = setting.delay_ms;
        text +=
            &format!("  {service}:\n    environment:\n      WALLABY_FAULTS: \"delay:{delay}\"\n");
        if service == "node3" && setting.small_disk_mb.is_some() {
            text += "    volumes: [\"small:/data\"]\n";
        }
    }
    if let Some(size) = setting.small_disk_mb {
        let options = format!("size={size}m,uid=10001,gid=10001,mode=0700");
        text += "volumes:\n  small:\n    driver_opts:\n      type: tmpfs\n      device: tmpfs\n";
        text += &format!("      o: \"{options}\"\n");
    }
    text
}

fn container(told: &Json) -> Container {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let labels = &told["Config"]["Labels"];
    let number = labels["com.docker.compose.container-number"].as_str().unwrap_or("1");
    let networks = told["NetworkSettings"]["Networks"].as_object();
    let addresses = networks.into_iter().flat_map(|all| all.values());
    let address = addresses.map(|network| text(&network["IPAddress"])).find(|it| !it.is_empty());
    Container {
        id: text(&told["Id"]),
        service: text(&labels["com.docker.compose.service"]),
        number: number.parse().unwrap_or(1),
        node: text(&told["Config"]["Hostname"]),
        pid: told["State"]["Pid"].as_u64().unwrap_or_default() as u32,
        address,
    }
}

/// Milliseconds since the epoch, the time of everything that is reported.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

/// Waits until something holds; false if it does not within `limit`.
pub(crate) fn await_that(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + limit;
    loop {
        if holds() {
            return true;
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        std::thread::park_timeout(left.min(Duration::from_millis(25)));
    }
}
