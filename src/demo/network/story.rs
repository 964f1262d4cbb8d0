//! The steps of many banks, in the order in which they would take them.

use super::banks::{Bank, make};
use super::likely::table_is_likely;
use super::narrative as say;
use super::oracle::Truth;
use super::question::{NAMES, POLICY, overdue_by_industry};
use super::verdict::{sum_of_named, table_is_true};
use crate::data::ids_text;
use crate::demo::Demo;
use crate::demo::dice::Dice;
use crate::demo::likely::ERRORS_MOST;
use crate::demo::narrative::{LIKELY, Sentence, WORDS_DIFFER};
use crate::demo::oracle::MIN_GROUP;
use crate::demo::report::{Question, traffic};
use crate::demo::voice::{Voice, expires, write};
use crate::duration::{bytes_in_words, in_words};
use crate::failure::Failure;
use crate::job;
use crate::loopback::{Finished, Folder, World};
use crate::progress;
use crate::result_table::ResultTable;
use crate::screen::Screen;
use entente_wire::names::{OrgName, PersonName};
use entente_wire::policy::Policy;
use entente_wire::problem::Problem;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Rows of the answers that are read: there are eighteen groups.
const ROWS_MAX: usize = 100;
/// Lines of the first bank's file that are shown.
const LINES_SHOWN: usize = 4;
/// With so few banks none may be missing.
const ALL_NEEDED: usize = 3;
/// Approvals and the run are steps of their own where they are told for the first time.
const FIRST_STEPS: Option<[u8; 2]> = Some([5, 6]);
/// The policy's name in the folder.
const POLICY_FILE: &str = "accounts.toml";

/// The banks and what is known about their files.
struct Story<'a> {
    voice: Voice<'a>,
    /// The first asks.
    banks: Vec<OrgName>,
    truth: Truth,
}

/// Tells the whole story; every answer is checked.
pub(in crate::demo) async fn tell(demo: &Demo, screen: Screen) -> Result<(), Failure> {
    let begin = Instant::now();
    let voice = Voice { demo, screen };
    voice.say(&say::TITLE, &[&demo.parties]);
    let folder = Folder::new(demo.keep.as_deref())?;
    let seed = demo.seed();
    let banks = make(demo.parties, demo.scale, &mut Dice::new(seed));
    let story = Story {
        voice,
        truth: Truth::of(&banks),
        banks: banks.iter().map(|bank| bank.org.clone()).collect(),
    };
    story.write_files(folder.path(), &banks, seed)?;
    drop(banks);
    let mut world = story.open(folder).await?;
    story.register_and_publish(&mut world).await?;
    let mut questions = vec![story.of_all(&mut world).await?];
    match story.banks.len() {
        ALL_NEEDED => story.voice.say(&say::ALL_NEEDED, &[]),
        _ => questions.push(story.with_one_lost(&mut world).await?),
    }
    questions.push(story.with_noise(&mut world).await?);
    story.voice.end(&world, seed, begin, questions)
}

impl Story<'_> {
    fn asker(&self) -> &OrgName {
        self.banks.first().expect("there are at least three")
    }

    fn write_files(&self, folder: &Path, banks: &[Bank], seed: u64) -> Result<(), Problem> {
        let mut begins = String::new();
        for bank in banks {
            let csv = bank.csv();
            if bank.org == *self.asker() {
                let lines = csv.lines().take(LINES_SHOWN);
                begins = lines.collect::<Vec<_>>().join("\n");
            }
            write(&data_file(folder, &bank.org), csv)?;
        }
        // The demo needs these in memory only; whoever keeps the folder goes on with them by hand.
        write(&folder.join(POLICY_FILE), POLICY.to_owned())?;
        for name in NAMES {
            write(&folder.join(format!("{name}.yaml")), self.yaml(name))?;
        }
        let rows: usize = banks.iter().map(|bank| bank.accounts.len()).sum();
        self.voice
            .say(&say::DATA, &[&banks.len(), &rows, &seed, self.asker()]);
        self.voice.quote(&begins);
        Ok(())
    }

    fn yaml(&self, name: &str) -> String {
        let epsilon = if name == NAMES[2] { "1.0" } else { "none" };
        overdue_by_industry(name, &self.banks, epsilon, &expires())
    }

    async fn open(&self, folder: Folder) -> Result<World, Failure> {
        let roles = Policy::from_toml(POLICY)?.approvers.of;
        let orgs = self.banks.iter().map(|org| (org.clone(), roles.clone()));
        let orgs: Vec<_> = orgs.collect();
        let mut world = World::start(folder, &orgs).await?;
        let voice = &self.voice;
        voice.say(&say::PROCESSES, &[&(self.banks.len() + 1)]);
        voice.add(&say::COORDINATOR, &[&world.coordinator.listen()]);
        let names: Vec<&str> = self.banks.iter().map(OrgName::as_str).collect();
        voice.add(&say::NODES, &[&names.join(", ")]);
        let links = world.link().await?;
        if links.iter().any(|[one, other]| one.words != other.words) {
            let what = WORDS_DIFFER.say(voice.demo.lang, &[]);
            return Err(Failure::WrongAnswer(what));
        }
        let words = links.first().map(|[one, _]| one.words.as_str());
        voice.add(&say::LINKED, &[&links.len(), &words.unwrap_or_default()]);
        Ok(world)
    }

    async fn register_and_publish(&self, world: &mut World) -> Result<(), Failure> {
        let policy = Policy::from_toml(POLICY)?;
        for org in &self.banks {
            let file = data_file(world.path(), org);
            let member = world.member(org)?;
            member.register(&policy, &file).await?;
            member.publish(&policy, POLICY.to_owned()).await?;
        }
        self.voice.add(&say::REGISTERED, &[self.asker()]);
        for report in world.member(self.asker())?.node.data_list().await? {
            self.voice.screen.line(ids_text(&report.ids));
        }
        self.voice.say(&say::POLICY, &[&self.banks.len()]);
        self.voice.quote(POLICY);
        world.await_catalogs(self.banks.len()).await
    }

    async fn of_all(&self, world: &mut World) -> Result<Question, Failure> {
        let voice = &self.voice;
        let yaml = self.yaml(NAMES[0]);
        voice.say(&say::ASK, &[self.asker()]);
        voice.quote(&yaml);
        let node = &mut world.member(self.asker())?.node;
        let page = node.job_preview(yaml.clone()).await?.page();
        voice.add(&say::PREVIEW, &[]);
        voice.quote(&page);
        let (finished, table) = self.ask(world, yaml, FIRST_STEPS, &[]).await?;
        let named = in_sum(&table);
        let banks = self.banks.len();
        voice.say(&say::ANSWER, &[&named, &banks, self.asker()]);
        self.show(&table);
        if self.shows_more_than_any_bank(&table) {
            voice.add(&say::TOGETHER, &[&MIN_GROUP]);
        }
        Ok(self.judged(NAMES[0], (&finished, table), None))
    }

    async fn with_one_lost(&self, world: &mut World) -> Result<Question, Failure> {
        let voice = &self.voice;
        let lost = self.banks.last().expect("there are at least three");
        voice.say(&say::LOST, &[lost]);
        let vanishing = std::slice::from_ref(lost);
        let (finished, table) = self
            .ask(world, self.yaml(NAMES[1]), None, vanishing)
            .await?;
        self.show(&table);
        let (named, banks) = (in_sum(&table), self.banks.len());
        let sentence = match named < banks {
            true => &say::MISSING,
            false => &say::LATE,
        };
        voice.add(sentence, &[&named, &banks, lost]);
        let question = self.judged(NAMES[1], (&finished, table), Some(lost));
        world.restart(lost).await?;
        voice.add(&say::BACK, &[lost]);
        Ok(question)
    }

    async fn with_noise(&self, world: &mut World) -> Result<Question, Failure> {
        self.voice.say(&say::NOISE, &[]);
        let (finished, table) = self.ask(world, self.yaml(NAMES[2]), None, &[]).await?;
        self.show(&table);
        let wrong = table_is_likely(&table, &self.truth).err();
        if wrong.is_none() {
            self.voice.add(&LIKELY, &[&ERRORS_MOST]);
        }
        Ok(Question::of(NAMES[2], table, &finished, wrong))
    }

    /// An exact table, checked.
    fn judged(
        &self,
        name: &'static str,
        (finished, table): (&Finished, ResultTable),
        lost: Option<&OrgName>,
    ) -> Question {
        let wrong = table_is_true(&table, &self.truth, lost).err();
        if wrong.is_none() {
            self.voice.add(&say::RIGHT, &[&in_sum(&table)]);
        }
        Question::of(name, table, finished, wrong)
    }

    fn shows_more_than_any_bank(&self, table: &ResultTable) -> bool {
        let sum = sum_of_named(table, &self.truth, None);
        sum.is_ok_and(|sum| self.truth.shows_more_than_any_bank(&sum))
    }

    /// An answer, and how much of it is not shown.
    fn show(&self, table: &ResultTable) {
        self.voice.screen.line(table.rows_text());
        let suppressed = table.suppressed_groups.filter(|groups| *groups > 0);
        if let Some(groups) = suppressed {
            self.voice
                .add(&say::SUPPRESSED, &[&groups, &MIN_GROUP, self.asker()]);
        }
    }

    /// Submits, has all banks approve, runs while the nodes of `vanishing` are killed, and reads the answer.
    async fn ask(
        &self,
        world: &mut World,
        yaml: String,
        steps: Option<[u8; 2]>,
        vanishing: &[OrgName],
    ) -> Result<(Finished, ResultTable), Failure> {
        let display = progress::Display::quiet_unless_interactive(self.voice.screen);
        let mut approved = 0;
        let on_approval = |_: &OrgName, people: &[PersonName]| {
            approved += 1;
            if approved == self.banks.len() {
                let names: Vec<&str> = people.iter().map(|person| person.as_str()).collect();
                let step = steps.map(|[approvals, _]| approvals);
                self.step(step, &say::APPROVED, &[&approved, &names.join(", ")]);
            }
        };
        let finished = world
            .ask_and_lose(self.asker(), yaml, display, on_approval, vanishing)
            .await?;
        let (sent, received) = traffic(&finished);
        let (sent, received) = (bytes_in_words(sent), bytes_in_words(received));
        let wall = in_words(finished.wall_s);
        let step = steps.map(|[_, run]| run);
        self.step(step, &say::DONE, &[&wall, self.asker(), &sent, &received]);
        let node = &mut world.member(self.asker())?.node;
        let table = job::read_result(node, &finished.job.id, ROWS_MAX).await?;
        Ok((finished, table))
    }

    /// A sentence that is a step by itself, or belongs to the one before.
    fn step(&self, number: Option<u8>, sentence: &Sentence, values: &[&dyn Display]) {
        let Voice { demo, screen } = &self.voice;
        match number {
            Some(number) => screen.line(format!("\n{number}. {}", sentence.say(demo.lang, values))),
            None => self.voice.add(sentence, values),
        }
    }
}

fn data_file(folder: &Path, org: &OrgName) -> PathBuf {
    folder.join(format!("{org}.csv"))
}

/// How many banks' numbers a table has.
fn in_sum(table: &ResultTable) -> usize {
    let parties = table.parties.as_ref();
    parties.map_or(0, |parties| parties.in_sum.len())
}
