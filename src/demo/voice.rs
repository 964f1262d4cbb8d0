//! How a demo speaks: to people sentence by sentence, in their language; programs get one document at the end.

use super::narrative::{self as say, Sentence};
use super::report::{Question, Report};
use super::{Demo, TWO};
use crate::duration::moment;
use crate::failure::{Failure, file_problem};
use crate::loopback::World;
use crate::screen::Screen;
use entente_wire::problem::Problem;
use std::fmt::Display;
use std::path::Path;
use std::time::{Instant, SystemTime};

/// The demo's jobs expire after a month: whoever keeps its files may ask them again by hand.
const EXPIRES_S: u64 = 30 * 24 * 3600;

/// Speaks for one run of the demo.
pub(super) struct Voice<'a> {
    pub(super) demo: &'a Demo,
    pub(super) screen: Screen,
}

impl Voice<'_> {
    /// A sentence that begins a paragraph.
    pub(super) fn say(&self, sentence: &Sentence, values: &[&dyn Display]) {
        self.screen
            .line(format!("\n{}", sentence.say(self.demo.lang, values)));
    }

    /// A sentence that goes on with one.
    pub(super) fn add(&self, sentence: &Sentence, values: &[&dyn Display]) {
        self.screen
            .line(format!("   {}", sentence.say(self.demo.lang, values)));
    }

    /// What somebody wrote, as it stands.
    pub(super) fn quote(&self, text: &str) {
        for line in text.trim_end().lines() {
            self.screen.line(format!("   │ {line}"));
        }
    }

    /// The end of the story: the document for programs, and for people what to do next; or the answer that is wrong.
    pub(super) fn end(
        &self,
        world: &World,
        seed: u64,
        begin: Instant,
        questions: Vec<Question>,
    ) -> Result<(), Failure> {
        let wrong = questions.iter().find_map(|question| question.wrong.clone());
        let report = Report {
            correct: wrong.is_none(),
            seed,
            scale: self.demo.scale,
            total_s: begin.elapsed().as_secs_f64(),
            questions,
        };
        if self.screen.is_json() {
            self.screen.json_line(&report);
        }
        if let Some(wrong) = wrong {
            return Err(Failure::WrongAnswer(format!("{wrong} (seed {seed})")));
        }
        self.next(world);
        Ok(())
    }

    fn next(&self, world: &World) {
        if self.demo.keep.is_some() {
            self.say(&say::KEPT, &[&world.path().display()]);
        }
        self.say(&say::NEXT, &[]);
        let (again, other) = match self.demo.parties {
            TWO => (String::new(), (" --parties 5", &say::NEXT_NETWORK)),
            parties => (format!(" --parties {parties}"), ("", &say::NEXT_TWO)),
        };
        for (command, sentence) in [
            (
                format!("entente demo{again} --keep ./demo"),
                &say::NEXT_KEEP,
            ),
            (format!("entente demo{}", other.0), other.1),
            ("entente lab --help".to_owned(), &say::NEXT_LAB),
            ("entente init --help".to_owned(), &say::NEXT_INIT),
        ] {
            let what = sentence.say(self.demo.lang, &[]);
            self.screen.line(format!("   {command:<38} # {what}"));
        }
    }
}

/// Writes one of the demo's files.
pub(super) fn write(path: &Path, text: String) -> Result<(), Problem> {
    std::fs::write(path, text).map_err(|fault| file_problem(path, "written", &fault))
}

/// When the demo's jobs expire.
pub(super) fn expires() -> String {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    moment(now.as_secs() + EXPIRES_S)
}
