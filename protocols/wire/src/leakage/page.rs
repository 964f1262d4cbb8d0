//! The statement as one page of plain text, for terminals and print.

use super::{Cheat, Cost, NOT_PREVENTED, Observer, Statement, Who};
use std::fmt::Write as _;

/// Columns of the page.
const WIDTH: usize = 100;

impl Statement {
    /// The statement as one page of plain text. It holds everything that is signed.
    pub fn page(&self) -> String {
        let mut page = String::new();
        heading(&mut page, "What will run");
        bullets(&mut page, "", self.runs.iter());
        let recipients: Vec<String> = self.recipients.iter().map(ToString::to_string).collect();
        heading(
            &mut page,
            &format!("Who reads the result: {}", recipients.join(", ")),
        );
        for observer in &self.observers {
            observed(&mut page, observer);
        }
        heading(&mut page, "What this rests on");
        bullets(&mut page, "", self.assumptions.iter());
        heading(&mut page, "What a run costs");
        bullets(&mut page, "", [cost(&self.cost)].iter());
        page
    }
}

fn observed(page: &mut String, observer: &Observer) {
    let Observer {
        who,
        receives,
        learns,
        cheating,
    } = observer;
    let name = match who {
        Who::Party { org } => org.to_string(),
        Who::OtherParties => "Every other party".to_owned(),
        Who::Coordinator => "The coordinator".to_owned(),
        Who::Eavesdropper => "Whoever reads the network".to_owned(),
    };
    heading(page, &name);
    bullets(page, "receives: ", receives.iter());
    bullets(page, "learns: ", learns.iter());
    let attempts: Vec<String> = cheating.iter().map(attempt).collect();
    bullets(page, "if it cheats: ", attempts.iter());
}

fn attempt(cheat: &Cheat) -> String {
    let Cheat {
        attempt,
        stopped_by,
    } = cheat;
    match stopped_by.strip_prefix(NOT_PREVENTED) {
        Some(remark) => format!("{attempt} NOT PREVENTED{remark}."),
        None => format!("{attempt} Stopped by: {stopped_by}."),
    }
}

fn cost(cost: &Cost) -> String {
    let Cost {
        bytes,
        seconds,
        memory_mib,
        link,
    } = cost;
    let over = match link {
        Some(link) => format!("over the link as it was measured: {link}"),
        None => "over a fast link".to_owned(),
    };
    let megabytes = bytes.div_ceil(1_000_000);
    format!(
        "{bytes} bytes between the nodes (about {megabytes} MB), about {seconds} s and {memory_mib} MiB in each node for the protocol, \
         with two cores {over}; reading the data comes on top."
    )
}

fn heading(page: &mut String, text: &str) {
    if !page.is_empty() {
        page.push('\n');
    }
    // Writing to a String cannot fail.
    let _ = writeln!(page, "{text}");
}

/// Each item behind a dash, wrapped to the page's width.
fn bullets<'t>(page: &mut String, label: &str, items: impl Iterator<Item = &'t String>) {
    for item in items {
        let mut line = format!("  - {label}");
        for (place, word) in item.split(' ').enumerate() {
            if place > 0 && line.chars().count() + 1 + word.chars().count() > WIDTH {
                let _ = writeln!(page, "{line}");
                line = "    ".to_owned();
            } else if place > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
        let _ = writeln!(page, "{line}");
    }
}
