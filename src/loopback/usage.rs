//! What a process has used, as Linux tells it.

use std::path::PathBuf;

/// Clock ticks a second in `/proc`: 100 on every Linux that Entente is built for.
const TICKS_PER_S: f64 = 100.0;
const KIB_PER_MIB: f64 = 1024.0;

/// CPU time and memory of one process, from its start.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Usage {
    /// User and system time of all its threads, in seconds.
    pub(crate) cpu_s: f64,
    /// Largest resident memory, in MiB.
    pub(crate) peak_mib: f64,
}

/// What process `pid` has used so far; nothing where the system does not tell, as of a process that is gone.
pub(crate) fn usage_of(pid: u32) -> Option<Usage> {
    let folder = PathBuf::from(format!("/proc/{pid}"));
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    Some(Usage {
        cpu_s: cpu_s(&read("stat")?)?,
        peak_mib: peak_mib(&read("status")?)?,
    })
}

/// Fields 14 and 15 of `/proc/PID/stat`, counted after the name, which may hold anything in its parentheses.
fn cpu_s(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_S)
}

fn peak_mib(status: &str) -> Option<f64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / KIB_PER_MIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 4 0 100 1 1";
        assert_eq!(cpu_s(stat), Some(3.0));
    }

    #[test]
    fn this_process_has_used_memory() {
        let usage = usage_of(std::process::id()).expect("it runs");
        assert!(usage.peak_mib > 1.0);
    }

    #[test]
    fn a_process_that_is_gone_has_no_figures() {
        let mut child = std::process::Command::new("true")
            .spawn()
            .expect("it is everywhere");
        child.wait().expect("it ends");
        assert_eq!(usage_of(child.id()), None);
    }
}
