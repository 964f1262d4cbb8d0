//! The demo's steps, in the order in which two organisations would take them.

use super::Demo;
use super::dice::Dice;
use super::likely::{ERRORS_MOST, table_is_likely};
use super::narrative as say;
use super::oracle::{MIN_GROUP, Truth, truth};
use super::people::{Rows, make};
use super::question::{self, CUSTOMERS_POLICY, USERS_POLICY, bank, platform};
use super::report::{Question, traffic};
use super::verdict::{number_is_true, table_is_true};
use super::voice::{Voice, expires, write};
use crate::data::ids_text;
use crate::duration::{bytes_in_words, in_words};
use crate::failure::Failure;
use crate::job;
use crate::loopback::{Finished, Folder, World};
use crate::progress::Display;
use crate::result_table::ResultTable;
use crate::screen::Screen;
use entente_wire::policy::Policy;
use entente_wire::problem::Problem;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Rows of the answers that are read: there are twelve groups.
const ROWS_MAX: usize = 100;

/// Both files, as they lie in the demo's folder.
struct Files {
    customers: PathBuf,
    users: PathBuf,
}

/// Tells the whole story; the answer is checked.
pub(super) async fn tell(demo: &Demo, screen: Screen) -> Result<(), Failure> {
    let begin = Instant::now();
    let voice = Voice { demo, screen };
    voice.say(&say::TITLE, &[]);
    let folder = Folder::new(demo.keep.as_deref())?;
    let seed = demo.seed();
    let rows = make(demo.scale, &mut Dice::new(seed));
    let files = voice.write_files(folder.path(), &rows, seed)?;
    let truth = truth(&rows);
    drop(rows);
    let mut world = voice.open(folder).await?;
    voice.register_and_publish(&mut world, &files).await?;
    let questions = vec![
        voice.tier_by_segment(&mut world, &truth).await?,
        voice.with_noise(&mut world, &truth).await?,
        voice.shared_by_email(&mut world, &truth).await?,
    ];
    voice.end(&world, seed, begin, questions)
}

impl Voice<'_> {
    fn write_files(&self, folder: &Path, rows: &Rows, seed: u64) -> Result<Files, Problem> {
        let files = Files {
            customers: folder.join("customers.csv"),
            users: folder.join("users.csv"),
        };
        write(&files.customers, rows.customers_csv())?;
        write(&files.users, rows.users_csv())?;
        // The demo needs these in memory only; whoever keeps the folder goes on with them by hand.
        let expires = expires();
        for (name, text) in [
            ("customers.toml", CUSTOMERS_POLICY.to_owned()),
            ("users.toml", USERS_POLICY.to_owned()),
            ("tier-by-segment.yaml", question::tier_by_segment(&expires)),
            (
                "tier-by-segment-noise.yaml",
                question::tier_by_segment_noise(&expires),
            ),
            ("shared-by-email.yaml", question::shared_by_email(&expires)),
        ] {
            write(&folder.join(name), text)?;
        }
        let (customers, users) = (rows.customers.len(), rows.users.len());
        self.say(
            &say::DATA,
            &[&bank(), &customers, &platform(), &users, &seed],
        );
        self.quote(&written_in_many_ways(rows));
        Ok(files)
    }

    async fn open(&self, folder: Folder) -> Result<World, Failure> {
        let roles = |toml| -> Result<_, Problem> { Ok(Policy::from_toml(toml)?.approvers.of) };
        let orgs = [
            (bank(), roles(CUSTOMERS_POLICY)?),
            (platform(), roles(USERS_POLICY)?),
        ];
        let mut world = World::start(folder, &orgs).await?;
        self.say(&say::PROCESSES, &[]);
        self.add(&say::COORDINATOR, &[&world.coordinator.listen()]);
        for member in &world.members {
            self.add(&say::NODE, &[&member.org, &member.service.listen()]);
        }
        for [one, other] in world.link().await? {
            if one.words != other.words {
                let what = say::WORDS_DIFFER.say(self.demo.lang, &[]);
                return Err(Failure::WrongAnswer(what));
            }
            self.say(&say::LINKED, &[&one.words]);
        }
        Ok(world)
    }

    async fn register_and_publish(&self, world: &mut World, files: &Files) -> Result<(), Failure> {
        for (org, toml, file) in [
            (bank(), CUSTOMERS_POLICY, &files.customers),
            (platform(), USERS_POLICY, &files.users),
        ] {
            let policy = Policy::from_toml(toml)?;
            let member = world.member(&org)?;
            member.register(&policy, file).await?;
            member.publish(&policy, toml.to_owned()).await?;
            if org == bank() {
                // Counted again now that the policy names the consent column.
                for report in member.node.data_list().await? {
                    self.say(&say::REGISTERED, &[&org]);
                    self.screen.line(ids_text(&report.ids));
                }
            }
        }
        for (org, toml) in [(bank(), CUSTOMERS_POLICY), (platform(), USERS_POLICY)] {
            self.say(&say::POLICIES, &[&org]);
            self.quote(toml);
        }
        world.await_catalogs(2).await
    }

    async fn tier_by_segment(&self, world: &mut World, truth: &Truth) -> Result<Question, Failure> {
        let yaml = question::tier_by_segment(&expires());
        self.say(&say::ASK, &[&bank()]);
        self.quote(&yaml);
        let node = &mut world.member(&bank())?.node;
        let page = node.job_preview(yaml.clone()).await?.page();
        self.say(&say::PREVIEW, &[]);
        self.quote(&page);
        let (finished, table) = self.ask(world, yaml).await?;
        self.say(&say::ANSWER, &[&bank()]);
        self.show(&table);
        let wrong = table_is_true(&table, truth).err();
        if wrong.is_none() {
            self.say(&say::RIGHT, &[]);
        }
        Ok(Question::of("tier-by-segment", table, &finished, wrong))
    }

    async fn with_noise(&self, world: &mut World, truth: &Truth) -> Result<Question, Failure> {
        self.say(&say::NOISE, &[]);
        let yaml = question::tier_by_segment_noise(&expires());
        let (finished, table) = self.ask(world, yaml).await?;
        self.show(&table);
        let wrong = table_is_likely(&table, truth).err();
        if wrong.is_none() {
            self.say(&say::LIKELY, &[&ERRORS_MOST]);
        }
        let name = "tier-by-segment-noise";
        Ok(Question::of(name, table, &finished, wrong))
    }

    async fn shared_by_email(&self, world: &mut World, truth: &Truth) -> Result<Question, Failure> {
        self.say(&say::SECOND, &[&bank()]);
        let yaml = question::shared_by_email(&expires());
        let (finished, table) = self.ask(world, yaml).await?;
        self.show(&table);
        let wrong = number_is_true(&table, truth).err();
        if wrong.is_none() {
            self.say(&say::RIGHT, &[]);
        }
        Ok(Question::of("shared-by-email", table, &finished, wrong))
    }

    /// An answer, and how much of it is not shown.
    fn show(&self, table: &ResultTable) {
        self.screen.line(table.rows_text());
        let suppressed = table.suppressed_groups.filter(|groups| *groups > 0);
        if let Some(groups) = suppressed {
            self.add(&say::SUPPRESSED, &[&groups, &MIN_GROUP]);
        }
    }

    /// Submits, has both sides approve, runs, and reads the answer.
    async fn ask(
        &self,
        world: &mut World,
        yaml: String,
    ) -> Result<(Finished, ResultTable), Failure> {
        let display = Display::quiet_unless_interactive(self.screen);
        let finished = world
            .ask(&bank(), yaml, display, |org, people| {
                let names: Vec<&str> = people.iter().map(|person| person.as_str()).collect();
                self.say(&say::APPROVED, &[org, &names.join(", ")]);
            })
            .await?;
        let (sent, received) = traffic(&finished);
        self.say(
            &say::DONE,
            &[
                &in_words(finished.wall_s),
                &bytes_in_words(sent),
                &bytes_in_words(received),
            ],
        );
        let node = &mut world.member(&bank())?.node;
        let table = job::read_result(node, &finished.job.id, ROWS_MAX).await?;
        Ok((finished, table))
    }
}

/// The first person in both files whom they write differently, as each file has it.
fn written_in_many_ways(rows: &Rows) -> String {
    let usable = |cell: &super::dirt::IdCell| cell.usable && cell.text.trim().len() > 11;
    let found = rows.customers.iter().find_map(|customer| {
        let user = rows.users.iter().find(|user| {
            user.common.person == customer.common.person && usable(&user.common.mobile)
        })?;
        let differs = usable(&customer.common.mobile)
            && customer.common.mobile.text != user.common.mobile.text
            && customer.common.email.text != user.common.email.text
            && user.common.email.usable
            && customer.common.email.usable;
        differs.then_some((customer, user))
    });
    let Some((customer, user)) = found else {
        return String::new();
    };
    let line = |org, mobile: &str, email: &str| format!("{org}: \"{mobile}\"  \"{email}\"");
    format!(
        "{}\n{}",
        line(
            bank(),
            &customer.common.mobile.text,
            &customer.common.email.text
        ),
        line(
            platform(),
            &user.common.mobile.text,
            &user.common.email.text
        )
    )
}
