//! Linking over real TLS on loopback.
