//! What a run cost the server: CPU time inside the window, and memory for its clients.

use crate::process::{self, Process, Unmeasured, Usage};

/// A server's cost over one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Whose.
    pub(crate) pid: u32,
    /// CPU time in its own code, in microseconds.
    pub(crate) user_us: u64,
    /// CPU time in the kernel, in microseconds.
    pub(crate) system_us: u64,
    /// The step in which those two are counted, in microseconds.
    pub(crate) grain_us: u64,
    /// Resident bytes before the first client connected.
    pub(crate) resident_before: u64,
    /// Resident bytes at the window's end.
    pub(crate) resident_after: u64,
}

impl Cost {
    /// CPU time in microseconds.
    pub(crate) fn cpu_us(&self) -> u64 {
        self.user_us + self.system_us
    }

    /// How far off the sum can be, in microseconds: each of the two loses up to a step at either end.
    pub(crate) fn error_us(&self) -> u64 {
        2 * self.grain_us
    }

    /// By how many bytes it has grown for each of these clients. Negative if it gave memory back meanwhile.
    pub(crate) fn memory_per_client(&self, clients: u32) -> Option<f64> {
        let grown = self.resident_after as f64 - self.resident_before as f64;
        (clients > 0).then(|| grown / f64::from(clients))
    }
}

/// Reads the server's usage at the three moments that count.
#[derive(Debug)]
pub(crate) struct Meter {
    process: Result<Process, Unmeasured>,
    before: Usage,
    opening: Option<Usage>,
    cost: Option<Cost>,
}

impl Meter {
    /// Before the first client.
    pub(crate) fn before_clients(server: &Result<Process, Unmeasured>) -> Self {
        let before = server.clone().and_then(Process::usage);
        Self {
            process: server
                .clone()
                .and_then(|process| before.clone().map(|_| process)),
            before: before.unwrap_or_default(),
            opening: None,
            cost: None,
        }
    }

    /// The window opens.
    pub(crate) fn opens(&mut self) {
        self.opening = self.usage();
    }

    /// The window closes.
    pub(crate) fn closes(&mut self) {
        let (Ok(process), Some(opening)) = (&self.process, self.opening) else {
            return;
        };
        let pid = process.pid();
        let Some(closing) = self.usage() else {
            return;
        };
        self.cost = Some(Cost {
            pid,
            user_us: closing.user_us.saturating_sub(opening.user_us),
            system_us: closing.system_us.saturating_sub(opening.system_us),
            grain_us: process::grain_us(),
            resident_before: self.before.resident,
            resident_after: closing.resident,
        });
    }

    /// What it came to, or why that is not known.
    pub(crate) fn cost(self) -> Result<Cost, Unmeasured> {
        self.process?;
        self.cost.ok_or(Unmeasured::NoWindow)
    }

    /// Now. A process that is gone stays so.
    fn usage(&mut self) -> Option<Usage> {
        let usage = self.process.clone().and_then(Process::usage);
        usage.map_err(|reason| self.process = Err(reason)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_what_the_clients_added() {
        let cost = Cost {
            resident_before: 10_000,
            resident_after: 30_480,
            ..Cost::default()
        };
        assert_eq!(cost.memory_per_client(10), Some(2_048.0));
        assert_eq!(cost.memory_per_client(0), None);
    }

    #[test]
    fn without_a_process_the_reason_is_kept() {
        let mut meter = Meter::before_clients(&Err(Unmeasured::NoPid));
        meter.opens();
        meter.closes();
        assert_eq!(meter.cost(), Err(Unmeasured::NoPid));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_window_that_never_opened_has_no_cost() {
        let server = Process::find(std::process::id());
        let mut meter = Meter::before_clients(&server);
        meter.closes();
        assert_eq!(meter.cost(), Err(Unmeasured::NoWindow));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_window_s_cost_is_the_process_s_own() {
        let server = Process::find(std::process::id());
        let mut meter = Meter::before_clients(&server);
        meter.opens();
        meter.closes();
        let cost = meter.cost().unwrap();
        assert_eq!(cost.pid, std::process::id());
        assert!(cost.resident_after > 0);
    }
}
