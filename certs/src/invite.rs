//! An invite: one line that an organisation's operator sends to a partner's operator, so that the partner's node finds the
//! inviting node, knows its root, and may link once.
//!
//! It holds a bearer token: whoever has the line first may link under their own name, which the inviting operator sees
//! together with the check words. Somebody who changes the line on its way can put himself in the middle; the
//! check words ([`crate::Peer::words`]) are what shows that.
//!
//! Form: `entente-inv1:` and base64url without padding of
//! `len8 org ‖ len16 address ‖ root 32 ‖ token 16 ‖ expires 8 (seconds since 1970) ‖ check 8`, integers big-endian, check = the
//! first bytes of SHA-256 over what stands before. The check catches lines cut or mistyped; it is no signature.

use crate::fingerprint::RootFingerprint;
use crate::identity::Label;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{Context, SHA256};
use ring::rand::{SecureRandom, SystemRandom};
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};
use zeroize::Zeroize;

const PREFIX: &str = "entente-inv1:";
/// Longest line: the longest name and address, and some room.
const LINE_BYTES_MAX: usize = 1024;
/// A DNS name of 253 characters, a colon, a port.
const ADDRESS_BYTES_MAX: usize = 259;
const TOKEN_BYTES: usize = 16;
const CHECK_BYTES: usize = 8;

/// Why an invite cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InviteError {
    /// Not an invite at all.
    #[error("this is not an invite; an invite is one line beginning with {PREFIX}")]
    NotAnInvite,
    /// An invite of another version of Entente.
    #[error("this invite is of another version of Entente; both sides need the same")]
    OtherVersion,
    /// Cut or changed on its way.
    #[error(
        "this invite was cut or changed on its way; copy the whole line again, or ask for a new one"
    )]
    Damaged,
    /// Too late.
    #[error("this invite expired {ago_s} s ago; ask for a new one")]
    Expired {
        /// How long ago, in seconds.
        ago_s: u64,
    },
    /// The name cannot stand in an invite.
    #[error(transparent)]
    Org(#[from] crate::IdentityError),
    /// The address cannot stand in an invite.
    #[error("\"{given}\" is not an address of the form host:port")]
    Address {
        /// What was given, cut at 80 characters.
        given: String,
    },
}

/// The one-time secret of an invite. Holds a secret: no `Debug`; compare digests, or bytes in constant time.
#[derive(Clone)]
pub struct InviteToken([u8; TOKEN_BYTES]);

impl InviteToken {
    /// A new token from the operating system's randomness.
    pub fn generate() -> Self {
        let mut bytes = [0; TOKEN_BYTES];
        SystemRandom::new()
            .fill(&mut bytes)
            .expect("the operating system gives random bytes");
        Self(bytes)
    }

    /// From bytes that a partner sent; `None` where the length is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.try_into().ok()?))
    }

    /// To be sent to the inviting node, over a connection that proved it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What the inviting node keeps: enough to know the token again, useless for whoever reads the store. Equal digests
    /// mean equal tokens; comparing digests of random tokens leaks nothing useful by its timing.
    pub fn digest(&self) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        context.update(b"entente/1/invite-token");
        context.update(&self.0);
        let hash = context.finish();
        hash.as_ref().try_into().expect("SHA-256 gives 32 bytes")
    }
}

impl Drop for InviteToken {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// An invite. Holds a secret token: no `Debug`.
#[derive(Clone)]
pub struct Invite {
    org: Label,
    address: String,
    root: RootFingerprint,
    token: InviteToken,
    expires_unix_s: u64,
}

impl Invite {
    /// An invite by `org`, whose node partners reach at `address` (host:port) and whose root is `root`.
    pub fn new(
        org: &str,
        address: &str,
        root: RootFingerprint,
        token: InviteToken,
        expires: SystemTime,
    ) -> Result<Self, InviteError> {
        let since_1970 = expires.duration_since(SystemTime::UNIX_EPOCH);
        Ok(Self {
            org: Label::new(org)?,
            address: checked_address(address)?,
            root,
            token,
            expires_unix_s: since_1970.unwrap_or_default().as_secs(),
        })
    }

    /// Who invites.
    pub fn org(&self) -> &str {
        self.org.as_str()
    }

    /// Where the inviting node listens: host:port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The inviting organisation's root: what the invited side pins.
    pub fn root(&self) -> RootFingerprint {
        self.root
    }

    /// The one-time secret.
    pub fn token(&self) -> &InviteToken {
        &self.token
    }

    /// Until when it can be used. The inviting node keeps this itself; the line only tells the other side.
    pub fn expires(&self) -> SystemTime {
        let since_1970 = Duration::from_secs(self.expires_unix_s);
        // Past the end of time is as good as never.
        SystemTime::UNIX_EPOCH
            .checked_add(since_1970)
            .unwrap_or(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(u32::MAX)))
    }

    /// Refuses an invite whose time is over.
    pub fn check(&self, now: SystemTime) -> Result<(), InviteError> {
        match now.duration_since(self.expires()) {
            Ok(ago) => Err(InviteError::Expired {
                ago_s: ago.as_secs(),
            }),
            Err(_) => Ok(()),
        }
    }

    /// The one line to send.
    pub fn encode(&self) -> String {
        let mut bytes = Vec::with_capacity(LINE_BYTES_MAX);
        let org = self.org.as_str().as_bytes();
        // Both fit: a label has at most 63 bytes, an address 259.
        bytes.push(org.len() as u8);
        bytes.extend(org);
        bytes.extend((self.address.len() as u16).to_be_bytes());
        bytes.extend(self.address.as_bytes());
        bytes.extend(self.root.as_bytes());
        bytes.extend(self.token.as_bytes());
        bytes.extend(self.expires_unix_s.to_be_bytes());
        let check = check(&bytes);
        bytes.extend(check);
        let line = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&bytes));
        bytes.zeroize();
        line
    }
}

impl FromStr for Invite {
    type Err = InviteError;
    fn from_str(line: &str) -> Result<Self, InviteError> {
        let line = line.trim();
        let Some(text) = line.strip_prefix(PREFIX) else {
            return Err(match line.strip_prefix("entente-inv") {
                Some(_) => InviteError::OtherVersion,
                None => InviteError::NotAnInvite,
            });
        };
        if text.len() > LINE_BYTES_MAX {
            return Err(InviteError::Damaged);
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| InviteError::Damaged)?;
        decode(&bytes).ok_or(InviteError::Damaged)
    }
}

fn decode(bytes: &[u8]) -> Option<Invite> {
    let (body, sum) = bytes.split_last_chunk::<CHECK_BYTES>()?;
    if check(body) != *sum {
        return None;
    }
    let (&org_bytes, rest) = body.split_first()?;
    let (org, rest) = rest.split_at_checked(usize::from(org_bytes))?;
    let (address_bytes, rest) = rest.split_first_chunk::<2>()?;
    let address_bytes = usize::from(u16::from_be_bytes(*address_bytes));
    let (address, rest) = rest.split_at_checked(address_bytes)?;
    let (root, rest) = rest.split_first_chunk::<32>()?;
    let (token, rest) = rest.split_first_chunk::<TOKEN_BYTES>()?;
    let expires_unix_s = u64::from_be_bytes(rest.try_into().ok()?);
    Some(Invite {
        org: Label::new(std::str::from_utf8(org).ok()?).ok()?,
        address: checked_address(std::str::from_utf8(address).ok()?).ok()?,
        root: RootFingerprint::from_bytes(*root),
        token: InviteToken(*token),
        expires_unix_s,
    })
}

fn check(bytes: &[u8]) -> [u8; CHECK_BYTES] {
    let mut context = Context::new(&SHA256);
    context.update(b"entente/1/invite");
    context.update(bytes);
    let hash = context.finish();
    let mut check = [0; CHECK_BYTES];
    check.copy_from_slice(&hash.as_ref()[..CHECK_BYTES]);
    check
}

/// `host:port`, printable, without the characters that a shell or a URL would read otherwise.
fn checked_address(address: &str) -> Result<String, InviteError> {
    let host_byte = |c: u8| c.is_ascii_alphanumeric() || b".-_[]:%".contains(&c);
    let good = address.len() <= ADDRESS_BYTES_MAX
        && address.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty()
                && host.bytes().all(host_byte)
                && port.parse::<u16>().is_ok_and(|port| port != 0)
        });
    if good {
        return Ok(address.to_owned());
    }
    let given = address.chars().take(80).collect();
    Err(InviteError::Address { given })
}

/// Names and times only; the token stays out of logs.
impl fmt::Display for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invite by {} at {}", self.org, self.address)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn moment(unix_s: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(unix_s)
    }

    fn invite() -> Invite {
        let root = RootFingerprint::of_root_key(&[3; 32]);
        let token = InviteToken([9; TOKEN_BYTES]);
        Invite::new(
            "north-bank",
            "bank.example:7443",
            root,
            token,
            moment(2_000_000_000),
        )
        .unwrap()
    }

    #[test]
    fn an_invite_is_read_back() {
        let line = invite().encode();
        let read: Invite = format!(" {line}\n").parse().unwrap();
        assert_eq!(read.org(), "north-bank");
        assert_eq!(read.address(), "bank.example:7443");
        assert_eq!(read.root(), invite().root());
        assert_eq!(read.token().digest(), invite().token().digest());
        assert_eq!(read.expires(), moment(2_000_000_000));
        assert_eq!(read.encode(), line);
        assert!(line.len() < 200, "the line has {} characters", line.len());
    }

    #[test]
    fn a_tampered_invite_is_refused_wherever_it_was_changed() {
        let line = invite().encode();
        for place in 0..line.len() {
            let mut bytes = line.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let tampered = String::from_utf8(bytes).unwrap();
            assert!(
                tampered.parse::<Invite>().is_err(),
                "changed at {place}: {tampered}"
            );
        }
    }

    #[test]
    fn an_invite_that_was_cut_or_grew_is_refused() {
        let line = invite().encode();
        for length in 0..line.len() {
            assert!(line[..length].parse::<Invite>().is_err(), "cut to {length}");
        }
        assert!(format!("{line}A").parse::<Invite>().is_err());
        assert!(format!("{line}AAAA").parse::<Invite>().is_err());
    }

    #[test]
    fn an_expired_invite_is_refused() {
        assert_eq!(invite().check(moment(1_999_999_999)), Ok(()));
        for (now, ago_s) in [(2_000_000_000, 0), (2_000_000_060, 60)] {
            let refused = invite().check(moment(now));
            assert_eq!(refused, Err(InviteError::Expired { ago_s }));
        }
    }

    #[test]
    fn another_version_is_named() {
        let other = invite().encode().replace("inv1", "inv2");
        assert_eq!(
            other.parse::<Invite>().err(),
            Some(InviteError::OtherVersion)
        );
    }

    #[test]
    fn bad_addresses_are_refused() {
        for bad in [
            "",
            ":1",
            "host",
            "host:",
            "host:0",
            "host:70000",
            "a b:1",
            "h;ost:1",
            "h/x:1",
        ] {
            let token = InviteToken::generate();
            let made = Invite::new("north-bank", bad, invite().root(), token, moment(1));
            assert!(made.is_err(), "{bad:?} was taken");
        }
    }

    proptest! {
        #[test]
        fn bytes_with_a_right_check_are_canonical_or_refused(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let check = check(&bytes);
            bytes.extend(check);
            let line = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&bytes));
            if let Ok(read) = line.parse::<Invite>() {
                prop_assert_eq!(read.encode(), line);
            }
        }
    }
}
