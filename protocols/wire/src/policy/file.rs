//! The TOML form of a policy, as a data owner writes it.

use super::{Budget, ColumnPolicy, Epsilon, Noise, Policy, Quorum, Verb};
use crate::decimal::SCALE_MAX;
use crate::names::{ColumnName, OrgName, Role};
use crate::problem::{Code, Problem};
use crate::written::fields::Fields;
use crate::written::{Entry, Mistake, Value, Written, excerpt, toml};
use std::collections::{BTreeMap, BTreeSet};

const DATASET_FIELDS: &[&str] = &[
    "name",
    "consent",
    "min_group",
    "min_set",
    "budget",
    "approvers",
    "set_grid",
    "noise",
    "latest",
];
const COLUMN_FIELDS: &[&str] = &["id", "may", "domain", "clip", "scale", "nullable"];

/// How `consent` is written where no consent column is needed; nothing shorter counts.
const CONSENT_NOT_NEEDED: &str = "not-needed";
/// Published sizes are rounded up to this where the file names no grid (protocols.md §9).
const SET_GRID_DEFAULT: u64 = 1_000;

impl Policy {
    /// Reads a policy file. The first mistake is told with its line, its reason and what to write instead.
    pub fn from_toml(text: &str) -> Result<Self, Problem> {
        read(text).map_err(|mistake| mistake.into_problem(Code::PolicyFile, "policy file"))
    }
}

fn read(text: &str) -> Result<Policy, Mistake> {
    let file = toml::parse(text)?;
    let top = Fields::of(&file, "the policy", &["dataset", "columns"])?;
    let dataset = top.required("dataset", "begin the file with [dataset]")?;
    let columns = top.required(
        "columns",
        "add a table for each published column: [columns.NAME]",
    )?;
    let columns = columns
        .table("columns")?
        .iter()
        .map(column)
        .collect::<Result<_, _>>()?;
    let policy = read_dataset(dataset, columns)?;
    policy.check().map_err(|flaw| file.mistake(flaw))?;
    Ok(policy)
}

fn read_dataset(
    written: &Written,
    columns: BTreeMap<ColumnName, ColumnPolicy>,
) -> Result<Policy, Mistake> {
    let fields = Fields::of(written, "[dataset]", DATASET_FIELDS)?;
    let ids = |name: &str, fix: &str| fields.required(name, fix)?.count();
    Ok(Policy {
        dataset: fields
            .required("name", NAME_FIX)?
            .parsed("the dataset's name", NAME_FIX)?,
        consent: consent(fields.required("consent", CONSENT_FIX)?)?,
        min_group: ids(
            "min_group",
            "write the smallest group that may be shown: min_group = 50",
        )?,
        min_set: ids(
            "min_set",
            "write the smallest list that may be matched: min_set = 1000",
        )?,
        budget: budget(fields.required("budget", BUDGET_FIX)?)?,
        approvers: approvers(fields.required("approvers", APPROVERS_FIX)?)?,
        set_grid: fields
            .optional("set_grid")
            .map_or(Ok(SET_GRID_DEFAULT), Written::count)?,
        noise: noise(fields.required("noise", NOISE_FIX)?)?,
        latest: fields.optional("latest").map(column_name).transpose()?,
        columns,
    })
}

const NAME_FIX: &str = "write the name under which the dataset was added: name = \"users\"";
const CONSENT_FIX: &str = "name the column that has to be true: consent = \"COLUMN\"; only where no consent is needed by law write \
                           consent = \"not-needed\"";
const BUDGET_FIX: &str = "write budget = { epsilon_per_year = 8.0, jobs_per_30d = 200 }";
const APPROVERS_FIX: &str = "write approvers = { need = 2, of = [\"data-owner\", \"compliance\"] }";
const NOISE_FIX: &str =
    "write noise = \"required\", or \"optional\" where a job may go without noise";
const MAY_FIX: &str = "write may = { match = [\"ORGANISATION\"] }; the verbs are match, group, count, sum, filter, reveal";

fn column_name(written: &Written) -> Result<ColumnName, Mistake> {
    Ok(ColumnName(written.text("a column's name")?.to_owned()))
}

fn consent(written: &Written) -> Result<Option<ColumnName>, Mistake> {
    match &written.value {
        Value::Text(text) if text == CONSENT_NOT_NEEDED => Ok(None),
        Value::Text(text) if !text.trim().is_empty() => column_name(written).map(Some),
        other => {
            let what = format!("consent is {}, which names no column", other.describe());
            Err(Mistake::new(written.place, what, CONSENT_FIX))
        }
    }
}

fn budget(written: &Written) -> Result<Budget, Mistake> {
    let fields = Fields::of(written, "budget", &["epsilon_per_year", "jobs_per_30d"])?;
    let epsilon = fields.required("epsilon_per_year", BUDGET_FIX)?;
    let millionths = u64::try_from(epsilon.decimal(Epsilon::SCALE)?)
        .map_err(|_| Mistake::new(epsilon.place, "a privacy loss is not negative", BUDGET_FIX))?;
    Ok(Budget {
        epsilon_per_year: Epsilon(millionths),
        jobs_per_30d: fields.required("jobs_per_30d", BUDGET_FIX)?.count()?,
    })
}

fn approvers(written: &Written) -> Result<Quorum, Mistake> {
    let fields = Fields::of(written, "approvers", &["need", "of"])?;
    Ok(Quorum {
        need: fields.required("need", APPROVERS_FIX)?.small_count()?,
        of: distinct::<Role>(
            fields.required("of", APPROVERS_FIX)?,
            "roles",
            APPROVERS_FIX,
        )?,
    })
}

fn noise(written: &Written) -> Result<Noise, Mistake> {
    match written.text("\"required\" or \"optional\"")? {
        "required" => Ok(Noise::Required),
        "optional" => Ok(Noise::Optional),
        _ => Err(Mistake::new(
            written.place,
            format!("noise is {}", written.value.describe()),
            NOISE_FIX,
        )),
    }
}

fn column(entry: &Entry) -> Result<(ColumnName, ColumnPolicy), Mistake> {
    let title = format!("[columns.{}]", excerpt(&entry.key));
    let fields = Fields::of(&entry.value, &title, COLUMN_FIELDS)?;
    let id_fix = "write id = \"e164(+86)\", \"email\", \"cn-id\" or \"raw\"";
    let scale = fields.optional("scale").map(scale).transpose()?;
    let column = ColumnPolicy {
        id: fields
            .optional("id")
            .map(|id| id.parsed("an id kind", id_fix))
            .transpose()?,
        may: fields.optional("may").map_or(Ok(BTreeMap::new()), grants)?,
        domain: fields.optional("domain").map(domain).transpose()?,
        clip: fields
            .optional("clip")
            .map(|range| clip_beside(range, scale))
            .transpose()?,
        scale,
        nullable: fields
            .optional("nullable")
            .map_or(Ok(false), Written::flag)?,
    };
    Ok((ColumnName(entry.key.clone()), column))
}

fn grants(written: &Written) -> Result<BTreeMap<Verb, BTreeSet<OrgName>>, Mistake> {
    let entries = written.table("may")?;
    entries
        .iter()
        .map(|entry| {
            let verb: Verb = entry.key.parse().map_err(|reason: super::NoSuchVerb| {
                Mistake::new(entry.place, reason.to_string(), MAY_FIX)
            })?;
            Ok((verb, distinct(&entry.value, "organisations", MAY_FIX)?))
        })
        .collect()
}

fn distinct<T>(written: &Written, of: &str, fix: &str) -> Result<BTreeSet<T>, Mistake>
where
    T: std::str::FromStr<Err: std::fmt::Display> + Ord,
{
    let mut set = BTreeSet::new();
    for item in written.list(of)? {
        if !set.insert(item.parsed("a name", fix)?) {
            let what = format!("{} stands here twice", item.value.describe());
            return Err(Mistake::new(item.place, what, "name it once"));
        }
    }
    Ok(set)
}

fn domain(written: &Written) -> Result<Vec<String>, Mistake> {
    written
        .list("values")?
        .iter()
        .map(Written::domain_value)
        .collect()
}

/// Decimals kept.
pub(crate) fn scale(written: &Written) -> Result<u8, Mistake> {
    let number = written.count()?;
    u8::try_from(number)
        .ok()
        .filter(|scale| *scale <= SCALE_MAX)
        .ok_or_else(|| {
            Mistake::new(
                written.place,
                format!("{number} decimals do not fit 64 bits"),
                format!("write 0 to {SCALE_MAX}"),
            )
        })
}

fn clip_beside(written: &Written, scale: Option<u8>) -> Result<[i64; 2], Mistake> {
    let scale = scale.ok_or_else(|| {
        Mistake::new(
            written.place,
            "`clip` stands without `scale`",
            "add how many decimals are kept: scale = 2",
        )
    })?;
    clip(written, scale)
}

/// Two bounds in units of 10^-`scale`.
pub(crate) fn clip(written: &Written, scale: u8) -> Result<[i64; 2], Mistake> {
    match written.list("two numbers")? {
        [low, high] => Ok([low.decimal(scale)?, high.decimal(scale)?]),
        items => {
            let what = format!("a range has two bounds, not {}", items.len());
            Err(Mistake::new(
                written.place,
                what,
                "write the smaller bound first: [0, 1000]",
            ))
        }
    }
}
