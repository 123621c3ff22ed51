//! The server's process as the kernel sees it: what it has used so far and what it holds.

use std::fs;
use std::io;
use std::path::Path;

/// A process that was there when it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pid: u32,
    /// When it started, in clock ticks since boot: a pid that was given to another process since then shows by it.
    started: u64,
}

/// Why a process can't be measured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unmeasured {
    /// Nobody said which process it is.
    #[error("nothing says which process the server is; --server-pid does if it runs on this host")]
    NoPid,
    /// Another system than Linux.
    #[error("this system has no /proc to tell them")]
    NoProc,
    /// It is not there, or no longer.
    #[error("there is no process {0}")]
    Gone(u32),
    /// Somebody else's, on a system that hides those.
    #[error("process {0} is not ours to read ({1})")]
    Refused(u32, io::ErrorKind),
    /// The window was never open to its end.
    #[error("nothing was measured")]
    NoWindow,
}

/// What a process has used since its start, and holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Time on a CPU in its own code, all threads together, in microseconds.
    pub(crate) user_us: u64,
    /// The same in the kernel.
    pub(crate) system_us: u64,
    /// Resident memory in bytes.
    pub(crate) resident: u64,
}

impl Process {
    /// Finds a process.
    ///
    /// # Errors
    /// If there is no such process or its figures can't be read.
    pub(crate) fn find(pid: u32) -> Result<Self, Unmeasured> {
        if !Path::new("/proc/self/stat").exists() {
            return Err(Unmeasured::NoProc);
        }
        let stat = Stat::parse(&read(pid, "stat")?).ok_or(Unmeasured::Gone(pid))?;
        read(pid, "statm")?;
        Ok(Self {
            pid,
            started: stat.started,
        })
    }

    pub(crate) fn pid(self) -> u32 {
        self.pid
    }

    /// What it has used so far. Times are counted in steps of [`grain_us`].
    ///
    /// # Errors
    /// If it is gone.
    pub(crate) fn usage(self) -> Result<Usage, Unmeasured> {
        let gone = Unmeasured::Gone(self.pid);
        let stat = Stat::parse(&read(self.pid, "stat")?)
            .filter(|stat| stat.started == self.started)
            .ok_or(gone.clone())?;
        let pages = resident_pages(&read(self.pid, "statm")?).ok_or(gone)?;
        let grain_us = grain_us();
        Ok(Usage {
            user_us: stat.user * grain_us,
            system_us: stat.system * grain_us,
            resident: pages * rustix::param::page_size() as u64,
        })
    }
}

/// The step in which the kernel counts CPU time, in microseconds.
pub(crate) fn grain_us() -> u64 {
    1_000_000 / rustix::param::clock_ticks_per_second()
}

fn read(pid: u32, file: &str) -> Result<String, Unmeasured> {
    fs::read_to_string(format!("/proc/{pid}/{file}")).map_err(|error| match error.kind() {
        kind @ io::ErrorKind::PermissionDenied => Unmeasured::Refused(pid, kind),
        _ => Unmeasured::Gone(pid),
    })
}

/// The fields of `/proc/PID/stat` that matter, in clock ticks.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    user: u64,
    system: u64,
    started: u64,
}

impl Stat {
    /// Nothing for a process that has ended and waits to be reaped.
    fn parse(stat: &str) -> Option<Self> {
        // The second field is the program's name in parentheses, and may hold anything, parentheses too.
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<_> = rest.split_whitespace().collect();
        // proc(5) counts from one, and the first of these is its third: the state.
        let number = |place: usize| fields.get(place - 3)?.parse().ok();
        if matches!(*fields.first()?, "Z" | "X") {
            return None;
        }
        Some(Self {
            user: number(14)?,
            system: number(15)?,
            started: number(22)?,
        })
    }
}

/// The second field of `/proc/PID/statm`.
fn resident_pages(statm: &str) -> Option<u64> {
    statm.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "4242 (a) b (c) S 1 4242 4242 0 -1 4194560 1171 0 0 0 731 269 7 9 20 0 4 0 55005 \
                        233115648 3187 18446744073709551615 1 1 0 0 0 0 0 4096 1088 0 0 0 17 1 0 0 0 0 0\n";

    #[test]
    fn fields_are_found_behind_any_name() {
        let stat = Stat {
            user: 731,
            system: 269,
            started: 55_005,
        };
        assert_eq!(Stat::parse(STAT), Some(stat));
        assert_eq!(
            resident_pages("56913 3187 2093 1401 0 9911 0\n"),
            Some(3_187)
        );
    }

    #[test]
    fn what_has_ended_or_is_cut_short_is_no_process() {
        assert_eq!(Stat::parse(&STAT.replace(") S ", ") Z ")), None);
        assert_eq!(Stat::parse("4242 (a) S 1"), None);
        assert_eq!(resident_pages("56913"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_there_and_holds_memory() {
        let process = Process::find(std::process::id()).unwrap();
        assert!(process.usage().unwrap().resident > 0);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_pid_that_was_given_to_another_process_is_gone() {
        let pid = std::process::id();
        let earlier = Process { pid, started: 0 };
        assert_eq!(earlier.usage(), Err(Unmeasured::Gone(pid)));
    }
}
