//! The YAML form of a job, as a data team writes it.

use super::{
    Attendance, Dropouts, JOB_VERSION, Job, Measure, NotAFraction, Protect, ProtocolChoice,
    SecurityChoice,
};
use crate::names::{ColumnName, OrgName};
use crate::policy::Epsilon;
use crate::problem::{Code, Problem};
use crate::written::fields::Fields;
use crate::written::{Mistake, Value, Written, yaml};
use std::collections::{BTreeMap, BTreeSet};

const FIELDS: &[&str] = &[
    "entente",
    "name",
    "purpose",
    "legal_basis",
    "ask",
    "parties",
    "aggregate",
    "protect",
    "results_to",
    "expires",
    "runs",
    "domains",
    "measures",
];

/// Runs of a job that names none: the fewest.
const RUNS_DEFAULT: u32 = 1;

impl Job {
    /// Reads a job file. The first mistake is told with its line, its reason and what to write instead.
    pub fn from_yaml(text: &str) -> Result<Self, Problem> {
        read(text).map_err(|mistake| mistake.into_problem(Code::JobFile, "job file"))
    }
}

fn read(text: &str) -> Result<Job, Mistake> {
    let file = yaml::parse(text)?;
    let fields = Fields::of(&file, "the job", FIELDS)?;
    let version = fields.required("entente", "begin the file with `entente: 1`")?;
    if version.value != Value::Number(JOB_VERSION.to_string()) {
        let what = "this program reads job files of version 1 only";
        return Err(Mistake::new(
            version.place,
            what,
            "write `entente: 1`, or upgrade the older program",
        ));
    }
    let words = |name: &str, fix: &str| Ok(fields.required(name, fix)?.text("a text")?.to_owned());
    let job = Job {
        entente: JOB_VERSION,
        name: fields
            .required("name", NAME_FIX)?
            .parsed("a name", NAME_FIX)?,
        purpose: words("purpose", "say in a sentence what the answer is for")?,
        legal_basis: words(
            "legal_basis",
            "say in a sentence on which legal basis the data is used",
        )?,
        ask: words(
            "ask",
            "write the SQL question, after `ask: |` on indented lines",
        )?,
        parties: fields
            .optional("parties")
            .map_or(Ok(BTreeSet::new()), |written| {
                organisations(written, PARTIES_FIX)
            })?,
        aggregate: fields
            .optional("aggregate")
            .map(attendance)
            .transpose()?
            .or_else(|| fields.optional("parties").map(|_| Attendance::default())),
        protect: fields
            .optional("protect")
            .map_or(Ok(Protect::default()), protect)?,
        results_to: organisations(fields.required("results_to", RESULTS_FIX)?, RESULTS_FIX)?,
        expires_unix_s: moment(fields.required("expires", EXPIRES_FIX)?)?,
        runs: fields
            .optional("runs")
            .map_or(Ok(RUNS_DEFAULT), Written::small_count)?,
        domains: fields
            .optional("domains")
            .map_or(Ok(BTreeMap::new()), domains)?,
        measures: fields
            .optional("measures")
            .map_or(Ok(BTreeMap::new()), measures)?,
    };
    job.check().map_err(|flaw| file.mistake(flaw))?;
    Ok(job)
}

const NAME_FIX: &str = "write a name such as tier-by-segment";
const RESULTS_FIX: &str = "write the organisation that reads the answer: results_to: [north-bank]";
const DROPOUTS_FIX: &str = "write how many may vanish on the way, such as dropouts: 1/3, or 0";
const PARTIES_FIX: &str =
    "list the organisations whose tables are added up: parties: [north-bank, river-pay, hill-bank]";
const EXPIRES_FIX: &str = "write a moment such as 2026-12-31T00:00:00Z";

fn protect(written: &Written) -> Result<Protect, Mistake> {
    const PROTECT_FIELDS: &[&str] = &["epsilon", "min_group", "security", "protocol"];
    let fields = Fields::of(written, "protect", PROTECT_FIELDS)?;
    Ok(Protect {
        epsilon: fields.optional("epsilon").map_or(Ok(None), epsilon)?,
        min_group: fields
            .optional("min_group")
            .map(Written::count)
            .transpose()?,
        security: fields.optional("security").map(security).transpose()?,
        protocol: fields.optional("protocol").map(protocol).transpose()?,
    })
}

fn epsilon(written: &Written) -> Result<Option<Epsilon>, Mistake> {
    if written.value == Value::Text("none".to_owned()) {
        return Ok(None);
    }
    let units = written.decimal(Epsilon::SCALE).map_err(|mistake| Mistake {
        fix: "write a number such as 1.0, or none".to_owned(),
        ..mistake
    })?;
    let units = u64::try_from(units).map_err(|_| {
        Mistake::new(
            written.place,
            "epsilon is negative",
            "write a number such as 1.0, or none",
        )
    })?;
    Ok(Some(Epsilon(units)))
}

fn security(written: &Written) -> Result<SecurityChoice, Mistake> {
    match written.text("semi-honest or malicious")? {
        "semi-honest" => Ok(SecurityChoice::SemiHonest),
        "malicious" => Ok(SecurityChoice::Malicious),
        _ => Err(Mistake::new(
            written.place,
            format!("there is no security {}", written.value.describe()),
            "write semi-honest or malicious, or leave the field out",
        )),
    }
}

fn protocol(written: &Written) -> Result<ProtocolChoice, Mistake> {
    match written.text("the name of a protocol")? {
        "blind" => Ok(ProtocolChoice::Blind),
        "vole" => Ok(ProtocolChoice::Vole),
        "ecdh" => Ok(ProtocolChoice::Ecdh),
        _ => Err(Mistake::new(
            written.place,
            format!("there is no protocol {}", written.value.describe()),
            "write blind, vole or ecdh, or leave the field out",
        )),
    }
}

fn attendance(written: &Written) -> Result<Attendance, Mistake> {
    let fields = Fields::of(
        written,
        "aggregate",
        &["min_parties", "dropouts", "colluders"],
    )?;
    let default = Attendance::default();
    Ok(Attendance {
        min_parties: fields
            .optional("min_parties")
            .map_or(Ok(default.min_parties), Written::small_count)?,
        dropouts: fields
            .optional("dropouts")
            .map_or(Ok(default.dropouts), dropouts)?,
        colluders: fields
            .optional("colluders")
            .map(Written::small_count)
            .transpose()?,
    })
}

fn dropouts(written: &Written) -> Result<Dropouts, Mistake> {
    let text = match &written.value {
        Value::Text(text) | Value::Number(text) => text.as_str(),
        other => {
            let what = format!("{} is not a part of the parties", other.describe());
            return Err(Mistake::new(written.place, what, DROPOUTS_FIX));
        }
    };
    text.parse().map_err(|error: NotAFraction| {
        let what = format!(
            "{} is not a part of the parties: {error}",
            written.value.describe()
        );
        Mistake::new(written.place, what, DROPOUTS_FIX)
    })
}

fn organisations(written: &Written, fix: &str) -> Result<BTreeSet<OrgName>, Mistake> {
    let mut orgs = BTreeSet::new();
    for item in written.list("organisations")? {
        let org: OrgName = item.parsed("the name of an organisation", fix)?;
        if !orgs.insert(org) {
            return Err(Mistake::new(
                item.place,
                "the organisation stands here twice",
                "name it once",
            ));
        }
    }
    Ok(orgs)
}

fn moment(written: &Written) -> Result<u64, Mistake> {
    let wrong = |reason: String| Mistake::new(written.place, reason, EXPIRES_FIX);
    let text = written
        .text("a moment")
        .map_err(|mistake| wrong(mistake.what))?;
    // RFC 3339 needs all of date, time and offset; `jiff` alone would take more forms.
    let complete =
        text.len() >= "2026-12-31T00:00:00Z".len() && text.as_bytes().get(10) == Some(&b'T');
    if !complete || text.contains('[') {
        return Err(wrong(format!(
            "{} is not an RFC 3339 moment",
            written.value.describe()
        )));
    }
    let moment: jiff::Timestamp = text.parse().map_err(|_| {
        wrong(format!(
            "{} is not an RFC 3339 moment",
            written.value.describe()
        ))
    })?;
    if moment.subsec_nanosecond() != 0 {
        return Err(wrong("moments are whole seconds".to_owned()));
    }
    u64::try_from(moment.as_second()).map_err(|_| wrong("the moment is before 1970".to_owned()))
}

fn column(key: &str) -> ColumnName {
    ColumnName(key.to_owned())
}

fn domains(written: &Written) -> Result<BTreeMap<ColumnName, Vec<String>>, Mistake> {
    let entries = written.table("domains")?;
    entries
        .iter()
        .map(|entry| {
            let values = entry
                .value
                .list("values")?
                .iter()
                .map(Written::domain_value);
            Ok((column(&entry.key), values.collect::<Result<_, _>>()?))
        })
        .collect()
}

fn measures(written: &Written) -> Result<BTreeMap<ColumnName, Measure>, Mistake> {
    let entries = written.table("measures")?;
    entries
        .iter()
        .map(|entry| Ok((column(&entry.key), measure(&entry.value)?)))
        .collect()
}

fn measure(written: &Written) -> Result<Measure, Mistake> {
    let fields = Fields::of(written, "a measure", &["clip", "scale"])?;
    let scale = crate::policy::file::scale(
        fields.required("scale", "write how many decimals are kept: scale: 2")?,
    )?;
    let clip = fields.required(
        "clip",
        "write the range that values are capped to: clip: [0, 1000]",
    )?;
    Ok(Measure {
        clip: crate::policy::file::clip(clip, scale)?,
        scale,
    })
}
