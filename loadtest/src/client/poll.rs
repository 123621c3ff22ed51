//! The polling clients: long polls that wait for news, and short polls that read the board at intervals.

use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use url::form_urlencoded::byte_serialize;

use super::{Client, Seat};
use crate::counted::{Counted, ReadStamp};
use crate::group::Group;
use crate::http::{Http, read_body};
use crate::observer::Observer;
use crate::trouble::Trouble;
use crate::wire::Frame;

/// How long a long poll asks the server to wait for news.
const WAIT_SECONDS: u32 = 25;

/// An answer later than this will not come: the wait and its jitter are long over.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// A keep-alive connection and the buffer its answers are read into.
#[derive(Debug)]
struct Line {
    group: Rc<Group>,
    http: Http,
    read_at: ReadStamp,
    answer: Vec<u8>,
}

impl Line {
    async fn open(group: &Rc<Group>) -> Result<Self, Trouble> {
        let socket = Counted::connect(group).await?;
        let read_at = socket.read_stamp();
        let http = Http::over(socket).await?;
        Ok(Self {
            group: Rc::clone(group),
            http,
            read_at,
            answer: Vec::new(),
        })
    }

    /// Asks once; the answer is then in `answer`.
    async fn ask(&mut self, path: &str) -> Result<(), Trouble> {
        if !self.http.is_ready().await {
            // A server may close an idle connection between two polls: that is HTTP, not trouble.
            *self = Self::open(&self.group).await?;
            self.group.count(|tally| tally.reopened += 1);
        }
        self.group
            .count_at(self.group.now(), |tally| tally.requests += 1);
        let exchange = async {
            let response = self
                .http
                .get(&self.group.course.address, path, "application/json")
                .await?;
            read_body(response, &mut self.answer).await
        };
        timeout(ANSWER_LIMIT, exchange)
            .await
            .unwrap_or(Err(Trouble::Silent(ANSWER_LIMIT)))
    }
}

/// Asks for all since its cursor, and again as soon as it is answered.
#[derive(Debug)]
pub(super) struct LongPoll {
    line: Line,
    observer: Observer,
    cursor: String,
}

impl Client for LongPoll {
    async fn open(seat: Seat) -> Result<Self, Trouble> {
        let line = Line::open(&seat.group).await?;
        let mut client = Self {
            line,
            observer: seat.observer,
            cursor: String::new(),
        };
        client.poll("/v1/poll").await?;
        Ok(client)
    }

    async fn follow(mut self) -> Result<Infallible, Trouble> {
        let mut path = String::new();
        loop {
            path.clear();
            path.push_str("/v1/poll?since=");
            path.extend(byte_serialize(self.cursor.as_bytes()));
            path.push_str("&wait=");
            path.push_str(&WAIT_SECONDS.to_string());
            self.poll(&path).await?;
        }
    }
}

impl LongPoll {
    async fn poll(&mut self, path: &str) -> Result<(), Trouble> {
        self.line.ask(path).await?;
        let frame = Frame::parse(&self.line.answer)?;
        self.observer.see(&frame, self.line.read_at.us())?;
        // Asking again without a cursor would get a snapshot at once, for ever.
        let cursor = frame
            .cursor
            .ok_or_else(|| Trouble::Unreadable("an answer without a cursor".into()))?;
        self.cursor.clear();
        self.cursor.push_str(cursor);
        Ok(())
    }
}

/// Reads the whole board at a fixed interval.
#[derive(Debug)]
pub(super) struct ShortPoll {
    line: Line,
    observer: Observer,
    number: u32,
}

impl Client for ShortPoll {
    async fn open(seat: Seat) -> Result<Self, Trouble> {
        let line = Line::open(&seat.group).await?;
        let mut client = Self {
            line,
            observer: seat.observer,
            number: seat.number,
        };
        client.poll().await?;
        Ok(client)
    }

    async fn follow(mut self) -> Result<Infallible, Trouble> {
        let course = &self.line.group.course;
        // Clients that start together would ask together for ever: each gets its own place in the interval.
        let phase = course
            .interval
            .mul_f64(f64::from(self.number) / f64::from(course.clients));
        let mut timer = interval_at(Instant::now() + phase, course.interval);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            timer.tick().await;
            self.poll().await?;
        }
    }
}

impl ShortPoll {
    async fn poll(&mut self) -> Result<(), Trouble> {
        self.line.ask("/v1/quotes").await?;
        let frame = Frame::parse(&self.line.answer)?;
        self.observer.board(&frame, self.line.read_at.us());
        Ok(())
    }
}
