//! `entente people`: who may approve for this organisation. Each person makes and keeps a key; the organisation's root signs
//! the list of public keys.

use crate::cli::Context;
use crate::failure::{Failure, file_problem};
use crate::local_node::{LocalNode, block_on};
use crate::screen::table;
use clap::{Args, Subcommand};
use entente_certs::{KeyFileError, PrivateKey};
use entente_wire::names::{PersonName, Role};
use entente_wire::people::{Person, Registry};
use entente_wire::problem::{Code, Problem};
use entente_wire::sign::PublicKey;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The people who approve jobs for this organisation.
#[derive(Subcommand)]
pub(crate) enum People {
    /// Make a person's own key: run by that person, on that person's machine.
    Keygen(Keygen),
    /// Register a person under a role; signed by the organisation's root.
    Add(Add),
    /// Who is registered.
    List,
}

/// Make a person's own key pair: FILE, which stays with that person, and FILE.pub.
#[derive(Args)]
pub(crate) struct Keygen {
    /// Where the private key goes; it is never overwritten.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Register a person.
#[derive(Args)]
pub(crate) struct Add {
    /// The person.
    name: PersonName,
    /// What the person approves as: a role that policies name.
    #[arg(long)]
    role: Role,
    /// The person's public key: 64 hexadecimal digits, or the .pub file that holds them.
    #[arg(long, value_name = "PUB")]
    key: String,
}

/// A new key pair, as `--json` prints it.
#[derive(Serialize)]
struct MadeKey {
    private_key: String,
    public_key_file: String,
    public_key: PublicKey,
}

impl People {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Keygen(keygen) => keygen.run(context),
            Self::Add(add) => add.run(context),
            Self::List => {
                let registry = entente_node::home::registry(&context.home)?;
                context.screen.show(&registry, registry_text);
                Ok(())
            }
        }
    }
}

impl Keygen {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let key = PrivateKey::generate();
        key.save_new(&self.out)
            .map_err(|fault| key_problem(&fault))?;
        let public_key = PublicKey::from_bytes(key.public_key());
        let public_file = PathBuf::from(format!("{}.pub", self.out.display()));
        std::fs::write(&public_file, format!("{public_key}\n"))
            .map_err(|fault| file_problem(&public_file, "written", &fault))?;
        let made = MadeKey {
            private_key: self.out.display().to_string(),
            public_key_file: public_file.display().to_string(),
            public_key,
        };
        context.screen.show(&made, |made| {
            format!(
                "private key: {} (keep it; whoever has it can approve as you)\n\
                 public key:  {} in {}\n\
                 next: give the public key to whoever runs `entente people add`",
                made.private_key, made.public_key, made.public_key_file
            )
        });
        Ok(())
    }
}

impl Add {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let person = Person {
            role: self.role,
            key: public_key(&self.key)?,
        };
        let registry = add(&context.home, self.name, person)?;
        context.screen.show(&registry, registry_text);
        Ok(())
    }
}

/// Registers a person in a home, and tells the node if it is running.
pub(crate) fn add(home: &Path, name: PersonName, person: Person) -> Result<Registry, Failure> {
    let (record, registry) = entente_node::home::add_person(home, name, person)?;
    block_on(async {
        match LocalNode::connect(home).await {
            Ok(mut node) => Ok(node.put_registry(record).await?),
            // It reads the file when it starts.
            Err(problem) if problem.code == Code::NodeNotRunning => Ok(registry),
            Err(problem) => Err(problem.into()),
        }
    })
}

/// A public key, as digits or in a file.
fn public_key(text: &str) -> Result<PublicKey, Problem> {
    let digits = match std::fs::read_to_string(text) {
        Ok(file) => file,
        Err(_) => text.to_owned(),
    };
    let quoted = serde_json::Value::String(digits.trim().to_owned());
    serde_json::from_value(quoted).map_err(|_| {
        Problem::request(
            Code::KeyFile,
            format!("\"{text}\" is neither a public key nor a file that holds one"),
            "give the 64 hexadecimal digits or the .pub file that `entente people keygen` wrote",
        )
    })
}

/// A key file that cannot be used, as a problem.
pub(crate) fn key_problem(fault: &KeyFileError) -> Problem {
    Problem::request(
        Code::KeyFile,
        fault.to_string(),
        "name the private key file that `entente people keygen` wrote for this person",
    )
}

fn registry_text(registry: &Registry) -> String {
    let rows = registry
        .people
        .iter()
        .map(|(name, person)| {
            vec![
                name.to_string(),
                person.role.to_string(),
                person.key.to_string(),
            ]
        })
        .collect();
    format!(
        "{}, people registry version {}\n{}",
        registry.org,
        registry.version,
        table(&["person", "role", "public key"], &[], rows)
    )
}
