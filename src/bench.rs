//! Measurements of the real parts, for `wallaby bench`.

#[cfg(unix)]
pub(crate) mod cluster;
pub(crate) mod dispatch;
