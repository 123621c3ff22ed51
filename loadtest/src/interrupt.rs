//! Ctrl-C and its kin: the first ends the run with a summary, the second ends the process.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Counts the interruptions.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    count: watch::Receiver<u32>,
}

impl Interrupt {
    /// Listens from now on. Must be called inside a runtime.
    pub(crate) fn listen() -> io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let (counter, count) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hangup.recv() => {}
                }
                counter.send_modify(|count| *count += 1);
            }
        });
        Ok(Self { count })
    }

    /// Whether there was one.
    pub(crate) fn happened(&self) -> bool {
        *self.count.borrow() > 0
    }

    /// Waits for the first.
    pub(crate) async fn first(&self) {
        self.reaches(1).await;
    }

    /// Waits for the second.
    pub(crate) async fn second(&self) {
        self.reaches(2).await;
    }

    async fn reaches(&self, wanted: u32) {
        if self
            .count
            .clone()
            .wait_for(|count| *count >= wanted)
            .await
            .is_err()
        {
            // The listener is gone with its runtime: nothing will ever come.
            std::future::pending::<()>().await;
        }
    }
}
