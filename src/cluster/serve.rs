//! Runs a node of a cluster from its configuration, until it is told to end or cannot go on.

use super::ClusterError;
use super::config::NodeConfig;
use crate::error::{Code, Error};
use crate::launch::{device_named, read_again, workbench_on};
use crate::recorded::Facts;
use crate::signals::Signals;
use crate::study_file::StudyFile;
use std::io::ErrorKind;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::thread::available_parallelism;
use wallaby_actors::blobs::BlobStore;
use wallaby_actors::cluster::MakeBench;
use wallaby_actors::cluster::node::{ClusterNode, ClusterNodeArgs, ClusterNodeError};
use wallaby_actors::trainer::quiet_panics_of_trainers;
use wallaby_actors::workbench::{Source, Workbench};
use wallaby_core::journal::Creation;
use wallaby_links::gossip::GossipError;
use wallaby_links::port::PortError;
use wallaby_links::secret::Secret;
use wallaby_train::{Device, Registry, canary};

/// Runs a node; `say` is told when it begins to look for its cluster, and when it takes part.
///
/// # Errors
/// It cannot start, or cannot go on.
pub(crate) fn serve(
    config: &NodeConfig,
    rejoin: bool,
    registry: &Registry,
    say: impl Fn(&str),
) -> Result<Code, Error> {
    let args = node_args(config, rejoin, registry)?;
    quiet_panics_of_trainers();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::Unexpected(error.to_string()))?;
    let code = runtime.block_on(run(config, args, say));
    // Trainer threads may still compute; what they do is done again elsewhere.
    runtime.shutdown_background();
    code
}

async fn run(
    config: &NodeConfig,
    args: ClusterNodeArgs,
    say: impl Fn(&str),
) -> Result<Code, Error> {
    let mut signals = Signals::listen().map_err(|error| Error::Unexpected(error.to_string()))?;
    let (name, cluster) = (&config.name, args.secret.cluster_id());
    say(&format!("{name} looks for cluster {cluster} from {}\n", config.listen));
    let start = ClusterNode::start(args);
    let mut node = tokio::select! {
        node = start => node.map_err(|error| refused(config, error))?,
        () = signals.next() => return Ok(Code::Done),
    };
    tokio::select! {
        ready = node.ready() => {
            ready?;
            say(&format!("{name} takes part as node {} at {}\n", node.id().0, config.advertise));
        }
        () = signals.next() => return Ok(Code::Done),
    }
    tokio::select! {
        ended = node.ended() => {
            ended?;
            say(&format!("{name} has handed over and leaves\n"));
        }
        () = signals.next() => {}
    }
    tokio::select! {
        () = node.stop() => Ok(Code::Done),
        () = signals.next() => std::process::exit(130),
    }
}

/// An address that cannot be listened on is told by its key, whichever of TCP and UDP it was.
fn refused(config: &NodeConfig, error: ClusterNodeError) -> Error {
    let source = match &error {
        ClusterNodeError::Port(PortError { source, .. })
        | ClusterNodeError::Gossip(GossipError::Listen { source, .. }) => source,
        _ => return error.into(),
    };
    let why = match source.kind() {
        ErrorKind::AddrInUse => "is in use by another process, expected a free port".to_owned(),
        ErrorKind::AddrNotAvailable => "expected an address of this host".to_owned(),
        ErrorKind::PermissionDenied => {
            "permission is denied, expected a port above 1023".to_owned()
        }
        _ => source.to_string(),
    };
    let listen = &config.listen;
    Error::Usage(format!("node.listen = {listen:?}: {why}; choose another with --listen HOST:PORT"))
}

fn node_args(
    config: &NodeConfig,
    rejoin: bool,
    registry: &Registry,
) -> Result<ClusterNodeArgs, Error> {
    let secret = Secret::read(&config.cluster.secret_file).map_err(ClusterError::from)?;
    let device = device_named(config.device)?;
    let numerics = canary(&device).map_err(|error| Error::Unexpected(error.to_string()))?;
    let slots = config.slots;
    Ok(ClusterNodeArgs {
        name: config.name.clone(),
        data: config.data.clone(),
        listen: resolve(&config.listen)?,
        advertise: config.advertise.clone(),
        seeds: config.cluster.seeds.clone(),
        voters: config.voters.clone(),
        replicas: config.replicas,
        slots: slots.unwrap_or_else(|| available_parallelism().map_or(1, |n| n.get() as u32)),
        numerics,
        secret,
        rejoin,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        make_bench: bench_maker(device, registry.clone()),
    })
}

/// The address of this host that a name means.
fn resolve(listen: &str) -> Result<SocketAddr, Error> {
    let wrong = |why: String| {
        Error::Usage(format!("node.listen = {listen:?}: {why}, expected an address of this host"))
    };
    let mut addresses = listen.to_socket_addrs().map_err(|error| wrong(error.to_string()))?;
    addresses.next().ok_or_else(|| wrong("the name has no address".to_owned()))
}

/// What the units of any study work with here: on this node's device, whatever the study's file
/// says of another machine.
fn bench_maker(device: Device, registry: Registry) -> Arc<MakeBench> {
    Arc::new(move |creation, blobs, others| {
        bench(device.clone(), &registry, creation, blobs, others).map_err(|error| error.to_string())
    })
}

fn bench(
    device: Device,
    registry: &Registry,
    creation: &Creation,
    blobs: Arc<BlobStore>,
    others: Box<Source>,
) -> Result<Workbench, Error> {
    let facts: Facts = serde_json::from_str(&creation.manifest.problem)
        .map_err(|error| Error::Unexpected(format!("the description of the data: {error}")))?;
    let families: Vec<_> = registry.families().map(|f| (f.name(), f.parameters())).collect();
    let file = StudyFile::parse(&creation.document, "study.json", &[], &families);
    let file = file.map_err(Error::Mistakes)?;
    // What no other node has may still lie where the study was submitted from.
    let source: Box<Source> = Box::new(move |wanted| {
        others(wanted)
            .or_else(|lost| read_again(&file, wanted).map_err(|unread| format!("{lost}; {unread}")))
    });
    workbench_on(device, creation, &facts, blobs, source, registry)
}
