//! A socket that counts its bytes and stamps its reads.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::group::Group;
use crate::trouble::Trouble;

/// When a connection last gave bytes. What is parsed from them was read then, however long the parsing takes.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadStamp(Rc<Cell<u64>>);

impl ReadStamp {
    /// Microseconds by the server's clock.
    pub(crate) fn us(&self) -> u64 {
        self.0.get()
    }
}

/// A stream whose every byte is counted, heads and framing included.
#[derive(Debug)]
pub(crate) struct Counted<S> {
    inner: S,
    group: Rc<Group>,
    read_at: ReadStamp,
}

impl Counted<TcpStream> {
    /// Connects a client of this group.
    pub(crate) async fn connect(group: &Rc<Group>) -> Result<Self, Trouble> {
        let connect = async {
            let tcp = TcpStream::connect(group.course.address.socket).await?;
            // Requests and pongs are small: without this they would wait for an acknowledgement.
            tcp.set_nodelay(true)?;
            io::Result::Ok(tcp)
        };
        let inner = connect
            .await
            .map_err(|error| Trouble::Connect(error.kind()))?;
        Ok(Self::new(inner, group))
    }
}

impl<S> Counted<S> {
    fn new(inner: S, group: &Rc<Group>) -> Self {
        Self {
            inner,
            group: Rc::clone(group),
            read_at: ReadStamp::default(),
        }
    }

    /// A handle on the time of the last read, which outlives the move into a codec.
    pub(crate) fn read_stamp(&self) -> ReadStamp {
        self.read_at.clone()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(cx, buf))?;
        let read = buf.filled().len() - before;
        let now = this.group.now();
        this.read_at.0.set(now);
        this.group
            .count_at(now, |tally| tally.bytes_in += read as u64);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.inner).poll_write(cx, bytes))?;
        this.wrote(written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.inner).poll_write_vectored(cx, slices))?;
        this.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

impl<S> Counted<S> {
    fn wrote(&self, bytes: usize) -> Poll<io::Result<usize>> {
        self.group
            .count_at(self.group.now(), |tally| tally.bytes_out += bytes as u64);
        Poll::Ready(Ok(bytes))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::group::Course;

    #[tokio::test]
    async fn both_directions_count_inside_the_window_only() {
        let group = Rc::new(Group::new(Course::for_tests().into()));
        let (near, mut far) = tokio::io::duplex(64);
        let mut near = Counted::new(near, &group);
        let stamp = near.read_stamp();

        far.write_all(b"before").await.unwrap();
        near.read_exact(&mut [0; 6]).await.unwrap();
        assert!(stamp.us() > 0, "reads are stamped at all times");

        group.course.window.set(0, u64::MAX);
        near.write_all(b"request").await.unwrap();
        far.write_all(b"answer!!").await.unwrap();
        near.read_exact(&mut [0; 8]).await.unwrap();

        group.course.window.close(0);
        near.write_all(b"after").await.unwrap();
        group.count(|tally| assert_eq!((tally.bytes_in, tally.bytes_out), (8, 7)));
    }
}
