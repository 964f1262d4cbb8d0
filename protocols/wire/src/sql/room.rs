//! Room to plan in: the parser's frames are large, and long chains of operators are deep trees, so planning has a stack of its
//! own instead of whatever its caller has left.

/// Stack of a planning thread. Within the limits of [`super::text`] an unoptimised build has been seen to use 3 MiB.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// Why there is no answer.
pub(super) enum NoAnswer {
    /// The system gave no thread.
    NoThread,
    /// The work panicked: a defect, here or in the parser.
    Panicked,
}

/// Runs `work` on a thread of its own and waits for it.
pub(super) fn with_room<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, NoAnswer> {
    let builder = std::thread::Builder::new().stack_size(STACK_BYTES);
    std::thread::scope(|scope| {
        let thread = builder
            .spawn_scoped(scope, work)
            .map_err(|_| NoAnswer::NoThread)?;
        thread.join().map_err(|_| NoAnswer::Panicked)
    })
}
