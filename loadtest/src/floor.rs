//! The floor: what it costs to hand the same bytes to the same clients with nothing but `send(2)`.
//!
//! It is no server. It has one thread, no protocol beyond a WebSocket's handshake and no patience with slow readers.
//! What a server costs above it is the server's own.

mod client;
mod frame;
mod handshake;
mod pace;
mod pushing;

use std::net::TcpListener;

use anyhow::Context;
use rustix::event::{EventfdFlags, eventfd};
use tokio::time::sleep;

use crate::cli::FloorOptions;
use crate::interrupt::Interrupt;
use crate::units::{count, counted};
use pushing::{Pushing, Summary};

/// Pushes ticks to whoever connects, until `--duration` is over or it is interrupted; then says what it did.
///
/// # Errors
/// If the address can't be had, or the kernel refuses a descriptor.
pub(crate) async fn serve(options: &FloorOptions, interrupt: &Interrupt) -> anyhow::Result<()> {
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let listener =
        TcpListener::bind(options.bind).with_context(|| format!("--bind {}", options.bind))?;
    println!(
        "floor: http://{}, process {}",
        listener.local_addr()?,
        std::process::id()
    );
    let stop = eventfd(0, EventfdFlags::CLOEXEC)?;
    let pushing = Pushing::new(listener, &stop, options.tick_rate, options.batch)?;
    let mut thread = tokio::task::spawn_blocking(move || pushing.run());
    let over = async {
        match options.duration {
            Some(duration) => sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    let summary = tokio::select! {
        early = &mut thread => early,
        () = async { tokio::select! { () = over => {}, () = interrupt.first() => {} } } => {
            rustix::io::write(&stop, &1_u64.to_ne_bytes())?;
            thread.await
        }
    };
    let summary = summary
        .context("the floor panicked")?
        .context("the floor can't go on")?;
    println!("{}", describe(&summary));
    Ok(())
}

fn describe(summary: &Summary) -> String {
    let mut text = format!(
        "floor: {} in {}",
        counted(summary.delivered, "tick"),
        counted(summary.sends, "send")
    );
    if summary.dropped > 0 {
        text += &format!(
            ", {} not sent to slow clients",
            counted(summary.dropped, "tick")
        );
    }
    if summary.torn > 0 {
        text += &format!(
            ", {} cut short and finished later",
            counted(summary.torn, "send")
        );
    }
    if summary.put_off > 0 {
        text += &format!(
            ", {} never made: late by more than a burst",
            count(summary.put_off)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_what_was_not_sent() {
        let mut summary = Summary {
            sends: 1_000,
            delivered: 1_000,
            ..Summary::default()
        };
        assert_eq!(describe(&summary), "floor: 1,000 ticks in 1,000 sends");
        (summary.dropped, summary.torn) = (7, 1);
        assert_eq!(
            describe(&summary),
            "floor: 1,000 ticks in 1,000 sends, 7 ticks not sent to slow clients, \
             1 send cut short and finished later"
        );
    }
}
