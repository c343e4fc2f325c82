//! A node of a cluster: what it says to others, and how it works with them.

pub mod api_types;
