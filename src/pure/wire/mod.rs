//! Formats that several channels or mirrors share.
