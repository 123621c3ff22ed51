//! A client of any transport: it connects, then follows the tape until the run ends or something breaks.

pub(crate) mod poll;
pub(crate) mod stream;
pub(crate) mod websocket;

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::timeout;

use crate::cli::Transport;
use crate::group::Group;
use crate::observer::Observer;
use crate::trouble::Trouble;

/// How long a client may take from the first packet to the end of its handshake.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// What a transport must be able to do. A run drops the client when it ends, so `follow` never returns well.
trait Client: Sized {
    /// Connects and is through with the handshake: the next thing to come is the tape.
    async fn open(seat: Seat) -> Result<Self, Trouble>;

    /// Reads frames and shows them to the observer.
    async fn follow(self) -> Result<Infallible, Trouble>;
}

/// What a client is born with.
#[derive(Debug)]
struct Seat {
    number: u32,
    group: Rc<Group>,
    observer: Observer,
}

/// A client's life, counted in the group's tally.
pub(crate) async fn live(group: Rc<Group>, number: u32) {
    let seat = Seat {
        number,
        observer: Observer::new(&group),
        group: Rc::clone(&group),
    };
    match group.course.transport {
        Transport::Websocket => play::<websocket::WebSocket>(seat).await,
        Transport::Sse => play::<stream::Stream<stream::Sse>>(seat).await,
        Transport::Ndjson => play::<stream::Stream<stream::Ndjson>>(seat).await,
        Transport::LongPoll => play::<poll::LongPoll>(seat).await,
        Transport::ShortPoll => play::<poll::ShortPoll>(seat).await,
    }
}

async fn play<C: Client>(seat: Seat) {
    let group = Rc::clone(&seat.group);
    let opened = {
        let _turn = group.course.ramp.acquire().await;
        timeout(CONNECT_LIMIT, C::open(seat))
            .await
            .unwrap_or(Err(Trouble::Silent(CONNECT_LIMIT)))
    };
    let (counter, trouble) = match opened {
        Ok(client) => {
            group.course.connected.fetch_add(1, Ordering::Relaxed);
            match client.follow().await {
                Ok(never) => match never {},
                Err(trouble) => (&group.course.dropped, trouble),
            }
        }
        Err(trouble) => (&group.course.failed, trouble),
    };
    group.count(|tally| tally.trouble(trouble.to_string()));
    counter.fetch_add(1, Ordering::Relaxed);
}
