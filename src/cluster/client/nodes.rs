//! What a client asks of nodes: who they are, and to leave.

use super::{Client, ClusterError};
use bytes::Bytes;
use http::Method;
use wallaby_actors::cluster::api_types::NodeInfo;

impl Client {
    /// All nodes that the cluster knows. Their addresses are tried from now on, too.
    ///
    /// # Errors
    /// No answer.
    pub(crate) async fn nodes(&self) -> Result<Vec<NodeInfo>, ClusterError> {
        let nodes: Vec<NodeInfo> = self.get("/v1/nodes").await?;
        self.learn(nodes.iter().map(|node| node.api.as_str()));
        Ok(nodes)
    }

    /// A node finishes the units at hand, hands over, and takes no more.
    ///
    /// # Errors
    /// No answer, or no such node.
    pub(crate) async fn drain(&self, node: &str) -> Result<(), ClusterError> {
        let path = format!("/v1/nodes/{}/drain", super::studies::segment(node));
        self.order(Method::POST, &path, Bytes::new()).await
    }
}
