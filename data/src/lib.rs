//! Reads training data and cuts it into content-addressed partitions.
