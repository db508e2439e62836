//! The connection under a response, so that faults of the network are faults of the network: a reset is a TCP reset,
//! a truncated body is a connection closed within it.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use crate::clock::Clock;

/// Pieces a slow body comes in.
const PIECES: usize = 5;

/// What the connection does to the response that is written next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum WireAct {
    /// Nothing.
    #[default]
    Deliver,
    /// Resets before a byte is written.
    Reset,
    /// Closes in the middle of the body.
    Cut,
    /// Writes in pieces over so many milliseconds.
    Slow(i64),
}

#[derive(Default)]
struct State {
    act: WireAct,
    /// Bytes still to be written before the act ends or strikes; unknown before the first.
    left: Option<usize>,
}

/// The handle a request holds on its connection.
#[derive(Clone)]
pub(crate) struct Wire(Arc<Mutex<State>>);

impl Wire {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(State::default())))
    }

    /// Decides what happens to the response that is written next.
    pub(crate) fn arm(&self, act: WireAct) {
        *self.lock() = State { act, left: None };
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Accepts connections without Nagle's delay.
pub(crate) struct Listener {
    pub(crate) tcp: TcpListener,
    pub(crate) clock: Clock,
}

impl axum::serve::Listener for Listener {
    type Io = Conn;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Conn, SocketAddr) {
        loop {
            match self.tcp.accept().await {
                Ok((stream, addr)) => {
                    // Without it answers to a client that delays its ACKs come 40 ms late; a refusal is harmless.
                    let _ = stream.set_nodelay(true);
                    return (Conn::new(stream, self.clock.clone()), addr);
                }
                // Out of file descriptors, most likely: give connections time to close.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

impl Connected<IncomingStream<'_, Listener>> for Wire {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        stream.io().wire.clone()
    }
}

/// A connection that can misbehave.
pub(crate) struct Conn {
    stream: TcpStream,
    wire: Wire,
    clock: Clock,
    pause: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Conn {
    fn new(stream: TcpStream, clock: Clock) -> Self {
        Self {
            stream,
            wire: Wire::new(),
            clock,
            pause: None,
        }
    }

    fn reset(&self) -> io::Error {
        // A zero linger makes the kernel send RST instead of FIN when the socket is dropped.
        let _ = self.stream.set_zero_linger();
        io::ErrorKind::ConnectionReset.into()
    }

    fn plain(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn cut(&mut self, cx: &mut Context<'_>, buf: &[u8], left: Option<usize>) -> Poll<io::Result<usize>> {
        let left = left.unwrap_or_else(|| head_len(buf) + (buf.len() - head_len(buf)) / 2);
        self.wire.lock().left = Some(left);
        if left == 0 {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let written = ready!(self.plain(cx, &buf[..left.min(buf.len())]))?;
        self.wire.lock().left = Some(left.saturating_sub(written));
        Poll::Ready(Ok(written))
    }

    fn slow(
        &mut self,
        cx: &mut Context<'_>,
        buf: &[u8],
        left: Option<usize>,
        ms: i64,
    ) -> Poll<io::Result<usize>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        let left = left.unwrap_or(buf.len());
        let piece = (left / PIECES + 64).min(buf.len());
        let written = ready!(self.plain(cx, &buf[..piece]))?;
        let left = left.saturating_sub(written);
        if left == 0 {
            self.wire.arm(WireAct::Deliver);
        } else {
            self.wire.lock().left = Some(left);
            let clock = self.clock.clone();
            let share = ms / i64::try_from(PIECES).unwrap_or(1);
            self.pause = Some(Box::pin(async move { clock.sleep_ms(share).await }));
        }
        Poll::Ready(Ok(written))
    }
}

fn head_len(buf: &[u8]) -> usize {
    let end = buf.windows(4).position(|w| w == b"\r\n\r\n");
    end.map_or(buf.len(), |at| at + 4)
}

impl AsyncRead for Conn {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Conn {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let (act, left) = {
            let state = self.wire.lock();
            (state.act, state.left)
        };
        match act {
            WireAct::Deliver => self.plain(cx, buf),
            WireAct::Reset => Poll::Ready(Err(self.reset())),
            WireAct::Cut => self.cut(cx, buf, left),
            WireAct::Slow(ms) => self.slow(cx, buf, left, ms),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
