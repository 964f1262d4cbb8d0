//! Policies and jobs drawn at random: what a file says is exactly what is read, whatever it says; what is read travels
//! unchanged; and no file, however broken, does worse than be refused.

use entente_wire::canonical;
use entente_wire::decimal;
use entente_wire::job::{
    Attendance, JOB_VERSION, Job, Measure, Protect, ProtocolChoice, SecurityChoice,
};
use entente_wire::names::{ColumnName, OrgName};
use entente_wire::policy::{Budget, ColumnPolicy, Epsilon, Noise, Policy, Quorum, Verb};
use entente_wire::problem::Code;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// JSON's quoting is also good TOML and good YAML.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string")
}

fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items
        .into_iter()
        .map(|item| quoted(item.as_ref()))
        .collect();
    format!("[{}]", items.join(", "))
}

fn clip_text([low, high]: [i64; 2], scale: u8) -> String {
    format!(
        "[{}, {}]",
        decimal::render(low, scale),
        decimal::render(high, scale)
    )
}

fn label() -> impl Strategy<Value = String> {
    "[a-z]([a-z0-9_-]{0,8}[a-z0-9])?"
}

fn orgs(count: std::ops::Range<usize>) -> impl Strategy<Value = BTreeSet<OrgName>> {
    btree_set(
        label().prop_map(|name| name.parse().expect("a label")),
        count,
    )
}

fn column_name() -> impl Strategy<Value = ColumnName> {
    "[a-zA-Z\"'\\\\#=.手机 ]{0,6}[a-z手]".prop_map(ColumnName)
}

fn values() -> impl Strategy<Value = Vec<String>> {
    btree_set("[a-z0-9\"\\\\ :{}#é]{0,6}", 1..6).prop_map(|set| set.into_iter().rev().collect())
}

fn range() -> impl Strategy<Value = ([i64; 2], u8)> {
    let bounds = (any::<i64>(), any::<i64>()).prop_filter("a range", |(a, b)| a != b);
    (bounds, 0..=decimal::SCALE_MAX).prop_map(|((a, b), scale)| ([a.min(b), a.max(b)], scale))
}

fn column() -> impl Strategy<Value = ColumnPolicy> {
    let id = prop::option::of(prop::sample::select(vec![
        "e164(+86)",
        "email",
        "cn-id",
        "raw",
    ]));
    let verbs = btree_map(prop::sample::select(Verb::ALL.to_vec()), orgs(0..3), 0..4);
    (
        id,
        verbs,
        prop::option::of(values()),
        prop::option::of(range()),
        any::<bool>(),
    )
        .prop_map(|(id, mut may, domain, range, nullable)| {
            may.retain(|verb, _| id.is_some() || !verb.needs_id());
            ColumnPolicy {
                id: id.map(|kind| kind.parse().expect("an id kind")),
                may,
                domain,
                clip: range.map(|(clip, _)| clip),
                scale: range.map(|(_, scale)| scale),
                nullable,
            }
        })
}

prop_compose! {
    fn policy()(
        dataset in label(),
        consent in prop::option::of(column_name()),
        latest in prop::option::of(column_name()),
        ids in [1..2_000_u64, 1..2_000, 1..2_000],
        epsilon in 0..1_000_000_000_u64,
        jobs in 0..1_000_u64,
        roles in btree_set(label(), 1..5),
        need in any::<prop::sample::Index>(),
        optional in any::<bool>(),
        columns in btree_map(column_name(), column(), 0..5),
    ) -> Policy {
        let [min_group, min_set, set_grid] = ids;
        let mut columns = columns;
        let id = ColumnPolicy {
            id: Some("raw".parse().expect("an id kind")),
            may: BTreeMap::new(),
            domain: None,
            clip: None,
            scale: None,
            nullable: false,
        };
        columns.insert(ColumnName("the id".to_owned()), id);
        Policy {
            dataset: dataset.parse().expect("a label"),
            consent,
            min_group,
            min_set,
            budget: Budget { epsilon_per_year: Epsilon(epsilon), jobs_per_30d: jobs },
            approvers: Quorum {
                need: u32::try_from(need.index(roles.len()) + 1).expect("few"),
                of: roles.iter().map(|role| role.parse().expect("a label")).collect(),
            },
            set_grid,
            noise: if optional { Noise::Optional } else { Noise::Required },
            latest,
            columns,
        }
    }
}

fn toml(policy: &Policy) -> String {
    let mut file = format!(
        "[dataset]\nname = {}\nconsent = {}\nmin_group = {}\nmin_set = {}\nset_grid = {}\nnoise = {}\n",
        quoted(policy.dataset.as_str()),
        quoted(
            policy
                .consent
                .as_ref()
                .map_or("not-needed", |column| &column.0)
        ),
        policy.min_group,
        policy.min_set,
        policy.set_grid,
        quoted(if policy.noise == Noise::Optional {
            "optional"
        } else {
            "required"
        }),
    );
    let budget = &policy.budget;
    writeln!(
        file,
        "budget = {{ epsilon_per_year = {}, jobs_per_30d = {} }}\napprovers = {{ need = {}, of = {} }}",
        budget.epsilon_per_year,
        budget.jobs_per_30d,
        policy.approvers.need,
        list(policy.approvers.of.iter().map(|role| role.as_str())),
    )
    .expect("a string grows");
    if let Some(latest) = &policy.latest {
        writeln!(file, "latest = {}", quoted(&latest.0)).expect("a string grows");
    }
    for (name, column) in &policy.columns {
        file.push_str(&column_toml(name, column));
    }
    file
}

fn column_toml(name: &ColumnName, column: &ColumnPolicy) -> String {
    let mut file = format!(
        "[columns.{}]\nnullable = {}\n",
        quoted(&name.0),
        column.nullable
    );
    if let Some(id) = &column.id {
        writeln!(file, "id = {}", quoted(&id.to_string())).expect("a string grows");
    }
    for (verb, orgs) in &column.may {
        writeln!(
            file,
            "may.{verb} = {}",
            list(orgs.iter().map(OrgName::as_str))
        )
        .expect("a string grows");
    }
    if let Some(values) = &column.domain {
        writeln!(file, "domain = {}", list(values)).expect("a string grows");
    }
    if let (Some(clip), Some(scale)) = (column.clip, column.scale) {
        writeln!(file, "scale = {scale}\nclip = {}", clip_text(clip, scale))
            .expect("a string grows");
    }
    file
}

prop_compose! {
    /// Parties, who of them has to be there, and which of them reads.
    fn aggregation()(
        parties in orgs(3..8),
        fewest in any::<prop::sample::Index>(),
        dropouts in prop::sample::select(vec!["0", "1/3", "2/5", "499/1000", "1/1000"]),
        reader in any::<prop::sample::Index>(),
    ) -> (BTreeSet<OrgName>, Attendance, OrgName) {
        let min_parties = u32::try_from(3 + fewest.index(parties.len() - 2)).expect("few");
        let dropouts = dropouts.parse().expect("a fraction");
        let reader = parties.iter().nth(reader.index(parties.len())).expect("one of them").clone();
        {
            let some = Attendance { min_parties, dropouts, colluders: None };
            let most = some.colluders_max(parties.len() as u32);
            let colluders = (min_parties % 2 == 0).then_some(most / 2);
            (parties, Attendance { colluders, ..some }, reader)
        }
    }
}

prop_compose! {
    fn job()(
        name in label(),
        words in ["[a-z:#&*!é ]{0,20}[a-z]", "[a-z'\"\\\\\n ]{0,20}[a-z]", "[A-Z*().,'\"=<>\n\t ]{0,60}[A-Z]"],
        epsilon in prop::option::of(1..1_000_000_000_u64),
        min_group in prop::option::of(1..2_000_u64),
        matching in prop::sample::select(vec![
            (None, None),
            (None, Some(ProtocolChoice::Blind)),
            (Some(SecurityChoice::SemiHonest), Some(ProtocolChoice::Blind)),
            (None, Some(ProtocolChoice::Ecdh)),
            (Some(SecurityChoice::SemiHonest), Some(ProtocolChoice::Ecdh)),
            (Some(SecurityChoice::SemiHonest), None),
            (Some(SecurityChoice::Malicious), None),
            (Some(SecurityChoice::Malicious), Some(ProtocolChoice::Vole)),
        ]),
        results_to in orgs(1..3),
        expires_unix_s in 1..253_402_300_799_u64,
        runs in 1..1_000_u32,
        domains in btree_map(column_name(), values(), 0..3),
        measures in btree_map(column_name(), range(), 0..3),
        added_up in prop::option::of(aggregation()),
    ) -> Job {
        let [purpose, legal_basis, ask] = words;
        let (parties, aggregate, reader) = match added_up {
            Some((parties, attendance, reader)) => (parties, Some(attendance), Some(reader)),
            None => Default::default(),
        };
        let (results_to, (security, protocol), runs) = match reader {
            Some(reader) => (BTreeSet::from([reader]), (None, None), 1),
            None => (results_to, matching, runs),
        };
        let measures = measures.into_iter().map(|(name, (clip, scale))| (name, Measure { clip, scale }));
        Job {
            entente: JOB_VERSION,
            name: name.parse().expect("a label"),
            purpose,
            legal_basis,
            ask,
            parties,
            aggregate,
            protect: Protect {
                epsilon: epsilon.map(Epsilon),
                min_group,
                security,
                protocol,
            },
            results_to,
            expires_unix_s,
            runs,
            domains,
            measures: measures.collect(),
        }
    }
}

fn yaml(job: &Job) -> String {
    let expires = i64::try_from(job.expires_unix_s).expect("before the year 10000");
    let expires = jiff::Timestamp::from_second(expires).expect("before the year 10000");
    let epsilon = job
        .protect
        .epsilon
        .map_or("none".to_owned(), |epsilon| epsilon.to_string());
    let mut file = format!(
        "entente: 1\nname: {}\npurpose: {}\nlegal_basis: {}\nask: {}\nexpires: {expires}\nruns: {}\nresults_to: {}\n\
         protect:\n  epsilon: {epsilon}\n",
        quoted(job.name.as_str()),
        quoted(&job.purpose),
        quoted(&job.legal_basis),
        quoted(&job.ask),
        job.runs,
        list(job.results_to.iter().map(OrgName::as_str)),
    );
    if let Some(ids) = job.protect.min_group {
        writeln!(file, "  min_group: {ids}").expect("a string grows");
    }
    if let Some(security) = job.protect.security {
        file.push_str(match security {
            SecurityChoice::SemiHonest => "  security: semi-honest\n",
            SecurityChoice::Malicious => "  security: malicious\n",
        });
    }
    if let Some(protocol) = job.protect.protocol {
        file.push_str(match protocol {
            ProtocolChoice::Blind => "  protocol: blind\n",
            ProtocolChoice::Vole => "  protocol: vole\n",
            ProtocolChoice::Ecdh => "  protocol: ecdh\n",
        });
    }
    if let Some(Attendance {
        min_parties,
        dropouts,
        colluders,
    }) = job.aggregate
    {
        let colluders = colluders.map_or_else(String::new, |most| format!(", colluders: {most}"));
        writeln!(
            file,
            "parties: {}\naggregate: {{ min_parties: {min_parties}, dropouts: {dropouts}{colluders} }}",
            list(job.parties.iter().map(OrgName::as_str))
        )
        .expect("a string grows");
    }
    file.push_str("domains: {");
    for (name, values) in &job.domains {
        write!(file, "{}: {}, ", quoted(&name.0), list(values)).expect("a string grows");
    }
    file.push_str("}\nmeasures: {");
    for (name, Measure { clip, scale }) in &job.measures {
        let clip = clip_text(*clip, *scale);
        write!(
            file,
            "{}: {{ scale: {scale}, clip: {clip} }}, ",
            quoted(&name.0)
        )
        .expect("a string grows");
    }
    file.push_str("}\n");
    file
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_policy_means_what_its_file_says_and_travels_unchanged(policy in policy()) {
        let file = toml(&policy);
        let read = Policy::from_toml(&file).map_err(|problem| TestCaseError::fail(format!("{problem}\n{file}")))?;
        prop_assert_eq!(&read, &policy);
        let bytes = canonical::to_bytes(&policy);
        prop_assert_eq!(canonical::from_bytes::<Policy>(&bytes).expect("own bytes"), policy);
    }

    #[test]
    fn a_job_means_what_its_file_says_and_travels_unchanged(job in job()) {
        let file = yaml(&job);
        let read = Job::from_yaml(&file).map_err(|problem| TestCaseError::fail(format!("{problem}\n{file}")))?;
        prop_assert_eq!(&read, &job);
        let bytes = canonical::to_bytes(&job);
        prop_assert_eq!(canonical::from_bytes::<Job>(&bytes).expect("own bytes"), job);
    }

    #[test]
    fn a_broken_file_is_read_or_refused_by_name(
        edits in vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), "[\\[\\]{}:=\"'&*|>\n\t\u{1b}é0-9a-z_.#-]{0,3}"), 1..4),
    ) {
        let mut files = [
            include_str!("../../vectors/wire/policy/every_form.toml").to_owned(),
            include_str!("../../vectors/wire/job/full.yaml").to_owned(),
            include_str!("../../vectors/wire/job/aggregation.yaml").to_owned(),
        ];
        for file in &mut files {
            for (from, length, text) in &edits {
                let mut characters: Vec<char> = file.chars().collect();
                let from = from.index(characters.len());
                let to = (from + length.index(4)).min(characters.len());
                characters.splice(from..to, text.chars());
                *file = characters.into_iter().collect();
            }
        }
        let [policy, join, aggregation] = files;
        if let Err(problem) = Policy::from_toml(&policy) {
            prop_assert_eq!(problem.code, Code::PolicyFile);
            prop_assert!(problem.what.starts_with("policy file, line ") && !problem.todo.is_empty());
        }
        for job in [join, aggregation] {
            if let Err(problem) = Job::from_yaml(&job) {
                prop_assert_eq!(problem.code, Code::JobFile);
                prop_assert!(problem.what.starts_with("job file, line ") && !problem.todo.is_empty());
            }
        }
    }
}
