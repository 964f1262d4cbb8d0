//! Who an organisation is: its root, node certificates, partner pins, invites and the one TLS set-up.
#![forbid(unsafe_code)]
