//! The documents point at things that exist.
