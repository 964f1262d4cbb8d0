//! `org.toml`: what an operator decides about a node. Everything in it is checked before a port is opened; what is not in it has
//! a named default.

use crate::session::Limits;
use entente_certs::RootFingerprint;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem};
use serde::Deserialize;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

/// Largest `org.toml` that is read. A real one is under a kilobyte.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// A DNS name of 253 characters, a colon and a port.
const ADDRESS_BYTES_MAX: usize = 259;
/// Most that `sessions.at_once` may be set to: each session has a thread and up to 16 MiB in its queues.
const SESSIONS_MAX: u32 = 256;
/// Longest deadline that may be set. A partner that takes longer is broken in a way that waiting does not cure.
const DEADLINE_S_MAX: u64 = 3600;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Whose node this is. The keys say the same; both are compared.
    pub(crate) org: OrgName,
    /// The one inbound port.
    pub(crate) listen: SocketAddr,
    /// Where partners reach that port, where it is not `listen`.
    #[serde(default)]
    pub(crate) advertise: Option<Address>,
    /// The coordinator; without one nothing travels but what partners exchange when they link.
    #[serde(default)]
    pub(crate) coordinator: Option<CoordinatorAddress>,
    /// How protocol runs are limited.
    #[serde(default)]
    pub(crate) sessions: SessionsConfig,
}

/// `[sessions]`: limits an operator may have to change; the others are constants of `session/`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SessionsConfig {
    /// Runs at once, in each direction.
    pub(crate) at_once: u32,
    /// Runs at once with one partner.
    pub(crate) at_once_per_partner: u32,
    /// Seconds until a partner that cannot be reached is given up for this try.
    pub(crate) connect_s: u64,
    /// Seconds until a partner that sends nothing at all is given up.
    pub(crate) idle_s: u64,
}

impl Default for SessionsConfig {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            at_once: limits.sessions_max,
            at_once_per_partner: limits.per_partner_max,
            connect_s: limits.connect.as_secs(),
            idle_s: limits.idle.as_secs(),
        }
    }
}

/// `host:port`, where the host is a DNS name or an IP address and the port is not 0.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Address(String);

impl Address {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The host alone, as it stands in a certificate.
    pub(crate) fn host(&self) -> &str {
        let host = self.0.rsplit_once(':').map_or("", |(host, _)| host);
        host.trim_start_matches('[').trim_end_matches(']')
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl From<Address> for String {
    fn from(address: Address) -> String {
        address.0
    }
}
impl TryFrom<String> for Address {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}
impl FromStr for Address {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let shown: String = text.chars().take(80).collect();
        let wrong = || format!("\"{shown}\" is not an address of the form host:port");
        if text.len() > ADDRESS_BYTES_MAX {
            return Err(wrong());
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port: u16 = port.parse().map_err(|_| wrong())?;
        let is_v6 = text.parse::<SocketAddr>().is_ok_and(|a| a.is_ipv6());
        if port == 0 || !(is_v6 || is_host_name(host)) {
            return Err(wrong());
        }
        Ok(Self(text.to_owned()))
    }
}

fn is_host_name(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

/// `host:port#fingerprint`: where the coordinator is and which root it has. Its key comes from nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct CoordinatorAddress {
    /// Where.
    pub(crate) address: Address,
    /// Which root.
    pub(crate) root: RootFingerprint,
}

impl fmt::Display for CoordinatorAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.address, self.root)
    }
}
impl TryFrom<String> for CoordinatorAddress {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}
impl FromStr for CoordinatorAddress {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (address, root) = text
            .rsplit_once('#')
            .ok_or("the coordinator is written host:port#fingerprint, as its `init` printed it")?;
        let root = root
            .parse()
            .map_err(|_| "the coordinator's fingerprint is 64 lower-case hexadecimal digits")?;
        Ok(Self {
            address: address.parse()?,
            root,
        })
    }
}

impl Config {
    /// Reads and checks the file.
    pub(crate) fn load(path: &Path) -> Result<Self, Problem> {
        let unreadable = |error: &std::io::Error| {
            let what = format!("{} cannot be read: {error}", path.display());
            wrong(
                what,
                "begin with `entente init`, or name the home folder with --home",
            )
        };
        let length = std::fs::metadata(path).map_err(|e| unreadable(&e))?.len();
        if length > FILE_BYTES_MAX {
            let what = format!("{} has {length} bytes", path.display());
            return Err(wrong(what, "restore the file that `entente init` wrote"));
        }
        let text = std::fs::read_to_string(path).map_err(|e| unreadable(&e))?;
        Self::parse(&text).map_err(|problem| {
            let what = format!("{}: {}", path.display(), problem.what);
            Problem { what, ..problem }
        })
    }

    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| line_of(text, span.start));
            let place = line.map_or_else(String::new, |line| format!("line {line}: "));
            let todo = "correct the file; `entente init` writes a good one into an empty folder";
            wrong(format!("{place}{}", error.message()), todo)
        })?;
        config.sessions.check()?;
        Ok(config)
    }

    /// Where partners reach this node, given the address that was bound; a problem if that says nothing to a partner.
    pub(crate) fn advertised(&self, bound: SocketAddr) -> Result<Address, Problem> {
        if let Some(address) = &self.advertise {
            return Ok(address.clone());
        }
        if bound.ip().is_unspecified() {
            return Err(wrong(
                format!(
                    "the node listens on {bound}, which is no address that a partner could call"
                ),
                "set advertise = \"host:port\" in org.toml to where partners reach this node, and restart it",
            ));
        }
        let address = bound.to_string().parse();
        address.map_err(|what| wrong(what, "set advertise in org.toml"))
    }

    /// The names that this node's certificate carries.
    pub(crate) fn certificate_names(&self) -> Vec<String> {
        let listen = Some(self.listen.ip()).filter(|ip| !ip.is_unspecified());
        let advertised = self.advertise.as_ref().map(|a| a.host().to_owned());
        let mut names: Vec<_> = advertised
            .into_iter()
            .chain(listen.map(|ip| ip.to_string()))
            .collect();
        names.dedup();
        names
    }
}

impl SessionsConfig {
    fn check(&self) -> Result<(), Problem> {
        let counts = [
            ("at_once", u64::from(self.at_once), u64::from(SESSIONS_MAX)),
            (
                "at_once_per_partner",
                u64::from(self.at_once_per_partner),
                u64::from(SESSIONS_MAX),
            ),
            ("connect_s", self.connect_s, DEADLINE_S_MAX),
            ("idle_s", self.idle_s, DEADLINE_S_MAX),
        ];
        for (name, got, max) in counts {
            if !(1..=max).contains(&got) {
                let what = format!("sessions.{name} is {got}; it may be 1 to {max}");
                return Err(wrong(what, "correct the file"));
            }
        }
        Ok(())
    }

    /// The limits of `session/` with these in place.
    pub(crate) fn limits(&self) -> Limits {
        let defaults = Limits::default();
        let idle = Duration::from_secs(self.idle_s);
        Limits {
            sessions_max: self.at_once,
            per_partner_max: self.at_once_per_partner,
            connect: Duration::from_secs(self.connect_s),
            // The partner's idle deadline is its own; five of these can get lost within the default.
            working_every: defaults.working_every.min(idle / 6),
            idle,
            ..defaults
        }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    before.filter(|byte| **byte == b'\n').count() + 1
}

fn wrong(what: impl AsRef<str>, todo: &str) -> Problem {
    Problem::here(Code::Home, what, todo)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "org = \"north-bank\"\nlisten = \"0.0.0.0:7443\"\n";

    #[test]
    fn a_minimal_file_has_named_defaults() {
        let config = Config::parse(GOOD).expect("a good file");
        assert_eq!(config.sessions.limits(), Limits::default());
        assert_eq!(config.coordinator, None);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let root = "ab".repeat(32);
        let text = format!(
            "{GOOD}advertise = \"node.north.example:443\"\ncoordinator = \"c.example:7444#{root}\"\n[sessions]\nidle_s = 60\n"
        );
        let config = Config::parse(&text).expect("a good file");
        let coordinator = config.coordinator.as_ref().expect("one is set");
        assert_eq!(coordinator.address.as_str(), "c.example:7444");
        assert_eq!(coordinator.to_string(), format!("c.example:7444#{root}"));
        assert_eq!(config.sessions.limits().idle, Duration::from_secs(60));
        assert_eq!(
            config.sessions.limits().working_every,
            Duration::from_secs(10)
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let cases = [
            (
                "org = \"North Bank\"\nlisten = \"0.0.0.0:7443\"\n",
                "line 1",
            ),
            ("org = \"north-bank\"\n", "listen"),
            ("org = \"north-bank\"\nlisten = \"7443\"\n", "line 2"),
            (&format!("{GOOD}listn = \"x\"\n"), "listn"),
            (&format!("{GOOD}mtls = false\n"), "mtls"),
            (&format!("{GOOD}advertise = \"north\"\n"), "host:port"),
            (&format!("{GOOD}advertise = \"north:0\"\n"), "host:port"),
            (&format!("{GOOD}advertise = \"no rth:1\"\n"), "host:port"),
            (&format!("{GOOD}coordinator = \"c:1\"\n"), "fingerprint"),
            (&format!("{GOOD}coordinator = \"c:1#abc\"\n"), "64"),
            (&format!("{GOOD}[sessions]\nat_once = 0\n"), "at_once"),
            (&format!("{GOOD}[sessions]\nidle_s = 999999\n"), "idle_s"),
            (&format!("{GOOD}[sessions]\nidle_ms = 1\n"), "idle_ms"),
        ];
        for (text, names) in cases {
            let problem = Config::parse(text).expect_err(text);
            assert_eq!(problem.code, Code::Home);
            assert!(problem.what.contains(names), "{text}: {}", problem.what);
        }
    }

    #[test]
    fn addresses_of_every_kind_are_read_and_nothing_else_is() {
        for good in [
            "a:1",
            "127.0.0.1:7443",
            "[::1]:7443",
            "node_1.north-bank.example:65535",
        ] {
            assert!(good.parse::<Address>().is_ok(), "{good}");
        }
        for bad in [
            "", "a", ":1", "a:", "a:65536", "a:b", "::1:7443", "a b:1", "-a:1", "a..b:1", "a/b:1",
            "a:1\n",
        ] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
        let long = format!("{}:1", "a.".repeat(200));
        assert!(long.parse::<Address>().is_err());
        let v6: Address = "[::1]:7443".parse().expect("an address");
        assert_eq!(v6.host(), "::1");
    }

    #[test]
    fn a_node_on_every_interface_needs_an_address_to_give_away() {
        let config = Config::parse(GOOD).expect("a good file");
        let everywhere = "0.0.0.0:7443".parse().expect("an address");
        let problem = config
            .advertised(everywhere)
            .expect_err("no partner can call it");
        assert!(problem.todo.contains("advertise"));
        let bound = "127.0.0.1:4711".parse().expect("an address");
        assert_eq!(
            config.advertised(bound).map(String::from),
            Ok("127.0.0.1:4711".into())
        );
    }
}
