//! Which cheating a run has to withstand.

/// The model of the peer that a run is secure against. Agreed beforehand and part of what people approve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// The peer runs the program it says it runs, and looks at everything.
    SemiHonest,
    /// The peer sends what it likes; checks catch what would show it more than its input allows.
    Malicious,
}

impl Security {
    /// Whether the checks run.
    pub fn is_malicious(self) -> bool {
        self == Self::Malicious
    }
}
