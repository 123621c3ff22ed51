//! The server that the load test builds and starts itself, so that one command measures.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::launch::Launch;
use crate::pin;
use crate::probe;
use crate::process::{Process, Unmeasured};
use crate::target::Target;

/// The bound on getting ready; a release server takes a few milliseconds.
const START_LIMIT: Duration = Duration::from_secs(15);

/// How often to ask meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// How long to read on after it has exited.
const LAST_WORDS_LIMIT: Duration = Duration::from_secs(1);

/// Lines of its stderr that are kept to be shown if it dies.
const KEPT_LINES: usize = 30;

/// A running server, killed on drop.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    stderr: Arc<Mutex<VecDeque<String>>>,
    /// Reads stderr to its end.
    reader: Option<JoinHandle<()>>,
    target: Target,
    /// What people call it.
    name: &'static str,
}

/// The one kind of line that matters among cargo's messages.
#[derive(Deserialize)]
struct Artifact {
    executable: Option<PathBuf>,
    target: ArtifactTarget,
}

#[derive(Deserialize)]
struct ArtifactTarget {
    name: String,
}

/// Builds the release server and says where it lies. Cargo's own progress goes to stderr as always.
pub(crate) async fn build() -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--release", "--package", "tickertape"])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .context("can't run cargo to build the server; give a built one with --server, or a running one with --url")?;
    if !output.status.success() {
        bail!(
            "the server does not build; give a built one with --server, or a running one with --url"
        );
    }
    executable(&output.stdout).context("cargo built no binary named tickertape")
}

/// Finds the server among cargo's messages, one JSON object a line.
fn executable(messages: &[u8]) -> Option<PathBuf> {
    messages
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Artifact>(line).ok())
        .filter(|artifact| artifact.target.name == "tickertape")
        .find_map(|artifact| artifact.executable)
}

impl Server {
    /// Starts the binary on a free port and waits until it takes traffic.
    pub(crate) async fn start(launch: &Launch) -> anyhow::Result<Self> {
        let port = free_port().context("no free port between 20000 and 60000")?;
        // A child begins where its parent is, with every thread that it starts.
        if let Some(cores) = launch.cores {
            pin::to(cores.server).context("--pin")?;
        }
        let child = Command::new(&launch.binary)
            .args([launch.command, "--bind", &format!("127.0.0.1:{port}")])
            .args(&launch.flags)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // A group of its own: Ctrl-C is for us, and the server must outlive the summary.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| {
                format!(
                    "can't start the {} {}",
                    launch.name,
                    launch.binary.display()
                )
            });
        if let Some(cores) = launch.cores {
            pin::to(cores.generator).context("--pin")?;
        }
        let mut child = child?;
        let stderr = Arc::<Mutex<VecDeque<String>>>::default();
        // Read all the time: a server that blocks on a full pipe would be measured as slow.
        let reader = child
            .stderr
            .take()
            .map(|pipe| tokio::spawn(keep_last_lines(BufReader::new(pipe), Arc::clone(&stderr))));
        let mut server = Self {
            child,
            stderr,
            reader,
            target: Target::local(port),
            name: launch.name,
        };
        server.wait_until_ready().await?;
        Ok(server)
    }

    /// Where it listens.
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// Its process, for the kernel to tell what it costs.
    pub(crate) fn process(&self) -> Result<Process, Unmeasured> {
        // Without an id it has exited, which `check_alive` tells better.
        self.child
            .id()
            .map_or(Err(Unmeasured::NoPid), Process::find)
    }

    /// Fails if it has exited, with the last it said.
    pub(crate) async fn check_alive(&mut self) -> anyhow::Result<()> {
        match self
            .child
            .try_wait()
            .context("can't look after the server")?
        {
            Some(status) => bail!(self.obituary(status).await),
            None => Ok(()),
        }
    }

    /// Ends it and waits until it is gone, so that it takes nothing from what comes next.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let killed = self.child.kill().await;
        killed.with_context(|| format!("can't stop the {}", self.name))
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let address = self.target.resolve()?;
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let Err(trouble) = probe::ready(&address).await else {
                return Ok(());
            };
            tokio::select! {
                status = self.child.wait() => bail!(self.obituary(status?).await),
                () = sleep(ASK_EVERY) => {}
            }
            if Instant::now() > deadline {
                bail!(
                    "the {} was not ready within {START_LIMIT:?}: {trouble}{}",
                    self.name,
                    self.last_words()
                );
            }
        }
    }

    async fn obituary(&mut self, status: ExitStatus) -> String {
        if let Some(reader) = self.reader.take() {
            // What it wrote last may still be in the pipe, and a child of its own may hold that open for ever.
            let _ = timeout(LAST_WORDS_LIMIT, reader).await;
        }
        format!("the {} exited ({status}){}", self.name, self.last_words())
    }

    fn last_words(&self) -> String {
        let lines = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.is_empty() {
            return String::new();
        }
        let lines: Vec<_> = lines.iter().map(|line| format!("  | {line}")).collect();
        format!("; the last it said:\n{}", lines.join("\n"))
    }
}

async fn keep_last_lines(
    mut pipe: BufReader<tokio::process::ChildStderr>,
    kept: Arc<Mutex<VecDeque<String>>>,
) {
    let mut line = Vec::new();
    while let Ok(1..) = pipe.read_until(b'\n', &mut line).await {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT_LINES {
            kept.pop_front();
        }
        kept.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
    }
}

/// A random port nobody listens on. Random, so that two load tests on one host do not race for the same.
fn free_port() -> Option<u16> {
    let candidate = |turn: u32| {
        let random = RandomState::new().hash_one(turn) % 40_000;
        20_000 + u16::try_from(random).expect("below 40,000")
    };
    (0..100)
        .map(candidate)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_binary_among_cargos_messages() {
        let messages = br#"{"reason":"compiler-artifact","target":{"name":"bytes","kind":["lib"]},"executable":null}
{"reason":"compiler-artifact","target":{"name":"tickertape","kind":["lib"]},"executable":null}
{"reason":"compiler-artifact","target":{"name":"tickertape","kind":["bin"]},"executable":"/t/release/tickertape"}
{"reason":"build-finished","success":true}
"#;
        assert_eq!(executable(messages), Some("/t/release/tickertape".into()));
        assert_eq!(
            executable(b"{\"reason\":\"build-finished\",\"success\":true}\n"),
            None
        );
    }

    #[test]
    fn a_free_port_is_in_range() {
        assert!((20_000..60_000).contains(&free_port().unwrap()));
    }
}
