//! Who receives, learns and could get what. What holds against so many colluders only is said with their number.

use super::{LAMBDA_0, Round, parties, sums};
use crate::leakage::{Cheat, NOT_PREVENTED, Observer, Who, cheat};

impl Round<'_> {
    pub(super) fn at_recipient(&self) -> Observer {
        let moments = self.table().moments.iter().enumerate();
        let opened: Vec<String> = moments
            .map(|(place, moment)| {
                let words = sums::words(self.plan, &moment.what);
                match sums::error(self.plan, self.terms, place) {
                    Some(error) => format!("{words} (standard error at most {error})"),
                    None => words,
                }
            })
            .collect();
        let own = match self.table().epsilon {
            None => "",
            Some(_) => {
                " Its own share of the noise it could take off again; the others' are the whole noise without it."
            }
        };
        let mut receives = vec!["The result, for its people.".to_owned()];
        receives.extend(self.messages());
        receives.push(
            "The sum of all masked numbers, and the shares that open its masks, by way of the coordinator."
                .to_owned(),
        );
        Observer {
            who: Who::Party {
                org: self.recipient.clone(),
            },
            receives,
            learns: vec![
                format!(
                    "Of each group, added up over all parties that stayed: {}. Also of groups that are left out of the table.{own}",
                    opened.join("; ")
                ),
                self.who_was_there(),
                "No other party's numbers, beyond what the sum less its own numbers tells.".to_owned(),
            ],
            cheating: vec![
                self.learns_one(),
                cheat(
                    "Show its people groups that are smaller than allowed, or tell others the sums.",
                    match self.table().epsilon {
                        None => format!("{NOT_PREVENTED}; only its own node and contracts stand against it"),
                        Some(_) => format!("{NOT_PREVENTED}; only its own node and contracts stand against it, but all sums carry the noise"),
                    },
                ),
                cheat(
                    "Tell its people or others another sum.",
                    format!("{NOT_PREVENTED}; nobody else sees the sum"),
                ),
                cheat(
                    "Ask again with other parties or other data, and subtract the tables.",
                    match self.table().epsilon {
                        None => format!("{NOT_PREVENTED} by noise, there is none; each table needs its own approvals"),
                        Some(_) => "noise of its own in each table, new approvals, and every node's budget of a year, in which losses add up".to_owned(),
                    },
                ),
                cheat(
                    "Break off once it has the sum.",
                    match self.table().epsilon {
                        None => format!("{NOT_PREVENTED}; every node counts the table before it gives its shares"),
                        Some(_) => format!("{NOT_PREVENTED}; every node counts the table and its loss before it gives its shares"),
                    },
                ),
                self.ends_the_round(),
            ],
        }
    }

    pub(super) fn at_others(&self) -> Observer {
        let mut cheating = vec![
            cheat(
                "Enter wrong numbers, as large as its caps and its published number of ids allow; a changed node also larger ones.",
                format!(
                    "{NOT_PREVENTED}; an unchanged node refuses numbers out of range, and its signed dataset version is on record"
                ),
            ),
            self.learns_one(),
        ];
        cheating.extend(self.table().epsilon.map(|_| {
            cheat(
                "Leave out its noise, or tell others how much it was.",
                format!(
                    "the shares of those that do not cheat, {} at least, which are the whole noise",
                    parties(self.terms.noise_parties())
                ),
            )
        }));
        cheating.push(self.ends_the_round());
        Observer {
            who: Who::OtherParties,
            receives: self.messages().to_vec(),
            learns: vec![
                self.who_was_there(),
                "Nothing about the table, and nothing about any party's numbers.".to_owned(),
            ],
            cheating,
        }
    }

    pub(super) fn at_coordinator(&self) -> Observer {
        let helpers = match self.terms.colluders {
            0 => "without help of any party".to_owned(),
            1 => "together with one party".to_owned(),
            most => format!("together with up to {}", parties(most)),
        };
        Observer {
            who: Who::Coordinator,
            receives: vec![
                "The job as written, its seal, the approvals with the names of the approvers, and reports such as \"running\" or \"done\".".to_owned(),
                "All parties' published schemas, policies and rounded sizes.".to_owned(),
                "Public keys, sealed boxes and signatures, and each party's numbers under masks, which it adds up.".to_owned(),
            ],
            learns: vec![
                "Who takes part in this job, its question and purpose, and who approved it.".to_owned(),
                self.who_was_there(),
                "No row, no number of any party, and not the sum: the masks are taken away at the recipient's node.".to_owned(),
            ],
            cheating: vec![
                cheat(
                    "Change a job, a policy, an approval or a report, or make one up; send an old one again.",
                    "signatures under keys that each node pinned itself; every node derives the job's hash again, and keeps a journal",
                ),
                cheat(
                    "Add up other numbers than those of the parties that are said to be in the sum, tell parties different things, send a round's messages \
                     again, or make up parties.",
                    "signatures on one round and one list of who is in it, and a check of the sum whose key it does not know, but for a chance of 2^-64",
                ),
                cheat(
                    "Change the sum with the help of one party, which knows that key.",
                    NOT_PREVENTED,
                ),
                cheat(format!("Learn one party's numbers, {helpers}."), self.cut_off()),
                cheat(
                    "Decide who is in the sum, by losing the messages of others.",
                    format!(
                        "{NOT_PREVENTED}, down to {}; the table says how many are in it",
                        parties(self.terms.survivors_min)
                    ),
                ),
                cheat(
                    "Delay or lose messages.",
                    format!("{NOT_PREVENTED}; every wait has a deadline, and the round ends with a reason"),
                ),
                cheat("Tell others what it learns.", NOT_PREVENTED),
            ],
        }
    }

    pub(super) fn on_the_line(&self) -> Observer {
        Observer {
            who: Who::Eavesdropper,
            receives: vec!["Encrypted TLS 1.3 records between each node and the coordinator.".to_owned()],
            learns: vec![
                "That the parties take part, when, and how many bytes, from which the number of groups and sums can be told.".to_owned(),
            ],
            cheating: vec![
                cheat(
                    "Read or change what is sent.",
                    "TLS 1.3 with certificates on both sides and a key exchange that also resists quantum computers (X25519MLKEM768)",
                ),
                cheat(
                    "Cut a line.",
                    format!("{NOT_PREVENTED}; that party vanishes from the round, which goes on or says why not"),
                ),
            ],
        }
    }

    fn messages(&self) -> [String; 2] {
        [
            "The other parties' public keys, signatures and sealed shares of masks, by way of the coordinator; they look random.".to_owned(),
            "The other parties' approvals, with the names of their approvers, and their reports.".to_owned(),
        ]
    }

    fn who_was_there(&self) -> String {
        let vanished = match self.terms.picks {
            None => "and which vanished when",
            Some(_) => "which vanished when, and who shares masks with whom",
        };
        format!("Which parties are in the sum, {vanished}.")
    }

    /// What a party can do with so many others.
    fn learns_one(&self) -> Cheat {
        let with = match self.terms.colluders {
            0 | 1 => String::new(),
            2 => " and one party more".to_owned(),
            most => format!(" and up to {} more", parties(most - 1)),
        };
        let stopped_by = match self.terms.colluders {
            0 => format!(
                "{NOT_PREVENTED}: so few parties have to be there that one that cheats is too many; fewer `dropouts` would help"
            ),
            _ => self.cut_off(),
        };
        let attempt = format!("Learn one party's numbers, together with the coordinator{with}.");
        cheat(attempt, stopped_by)
    }

    fn ends_the_round(&self) -> Cheat {
        cheat(
            "Leave at any step, or send what does not fit, so that there is no table.",
            format!(
                "{NOT_PREVENTED} where fewer than {} stay or a share does not fit; the nodes say who can have done it",
                self.terms.survivors_min
            ),
        )
    }

    /// Why so many colluders see no more than the sum of the others.
    fn cut_off(&self) -> String {
        let few = match self.terms.isolable {
            0 => String::new(),
            few => format!(" or all but up to {few} of them"),
        };
        // Exposure and partition; in a complete graph neither can happen.
        let chance = self.terms.picks.map_or(String::new(), |_| {
            format!(", but for a chance of 2^-{} in a round", LAMBDA_0 - 1)
        });
        format!(
            "one list of who is in the sum, which {} nodes sign before any gives its shares of masks: what opens is one sum, of all honest parties that \
             stayed{few}, never fewer than {}{chance}; with more colluders it is {NOT_PREVENTED}",
            self.terms.quorum,
            self.terms.honest_min()
        )
    }
}
