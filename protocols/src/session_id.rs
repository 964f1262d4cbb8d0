//! The name of one protocol run, which every hash takes.
//!
//! The node derives it from the job's hash, the attempt, both nonces and both signed openings, so nothing computed in one
//! run means anything in another. Public: it is not a secret and protects nothing by being unknown.

/// 32 bytes that no other run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionId([u8; 32]);

impl SessionId {
    /// From the digest both sides derived.
    pub const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The name of a part of this run, such as one bucket: `part` says what is numbered. Parts of different names or
    /// numbers, and the run itself, never share a name.
    pub fn part(&self, part: &'static str, number: u64) -> Self {
        let number = number.to_le_bytes();
        Self(crate::hash::digest(
            "entente/1/session-part",
            self,
            &[part.as_bytes(), &number],
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_session_have_names_of_their_own() {
        let sid = SessionId::new([7; 32]);
        let names = [
            sid,
            sid.part("bucket", 0),
            sid.part("bucket", 1),
            sid.part("chunk", 0),
            sid.part("bucket", 0).part("bucket", 0),
        ];
        for (i, a) in names.iter().enumerate() {
            assert!(names[..i].iter().all(|b| a != b));
        }
    }
}
