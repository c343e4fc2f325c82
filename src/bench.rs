//! Measurements of the real parts, for `wallaby bench`.

pub(crate) mod dispatch;
