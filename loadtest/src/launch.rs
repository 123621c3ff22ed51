//! How to start a process that serves ticks: the server, or the floor.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::pin::Cores;

/// A program and its flags, all but the address.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    /// What people call it.
    pub(crate) name: &'static str,
    pub(crate) binary: PathBuf,
    pub(crate) command: &'static str,
    pub(crate) flags: Vec<OsString>,
    /// Where to keep it, and where to go ourselves.
    pub(crate) cores: Option<Cores>,
}

impl Launch {
    /// A server for the transports to be compared on.
    pub(crate) fn server(binary: PathBuf, tick_rate: u32) -> Self {
        // Without bursts: transports are measured in turn, and each should get the same load.
        Self::new(
            "server",
            binary,
            "serve",
            tick_rate,
            &["--arrivals", "poisson"],
        )
    }

    /// A server that does what the floor does: one tick in each frame, at even intervals.
    pub(crate) fn steady_server(binary: PathBuf, tick_rate: u32) -> Self {
        let flags = ["--symbols", "1", "--arrivals", "steady"];
        Self::new("server", binary, "serve", tick_rate, &flags)
    }

    /// The floor: this program.
    ///
    /// # Errors
    /// If the system does not tell where that is.
    pub(crate) fn floor(tick_rate: u32) -> std::io::Result<Self> {
        let binary = std::env::current_exe()?;
        Ok(Self::new("floor", binary, "floor", tick_rate, &[]))
    }

    /// The same on these cores.
    pub(crate) fn on(self, cores: Option<Cores>) -> Self {
        Self { cores, ..self }
    }

    fn new(
        name: &'static str,
        binary: PathBuf,
        command: &'static str,
        tick_rate: u32,
        more: &[&str],
    ) -> Self {
        let rate = ["--tick-rate".into(), tick_rate.to_string().into()];
        Self {
            name,
            binary,
            command,
            flags: rate
                .into_iter()
                .chain(more.iter().map(Into::into))
                .collect(),
            cores: None,
        }
    }
}
