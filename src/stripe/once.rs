//! A request body that can leave once. A pooled client may, by design, send a request again when the connection it
//! picked turns out to be closed; a body that hands its bytes out a single time makes a second copy impossible,
//! whatever the layers in between do, and remembers whether the first one began to leave.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Whether bytes of the body it belongs to were handed to the connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Left {
    polled: Arc<AtomicBool>,
    empty: bool,
}

impl Left {
    /// Whether the request may have reached the server, given whether a connection failed to come about.
    pub(super) fn may_have_arrived(&self, no_connection: bool) -> bool {
        // An empty body is never asked for its bytes: its headers alone are the whole request.
        self.polled.load(Ordering::SeqCst) || (self.empty && !no_connection)
    }
}

/// See the [module page](self).
#[derive(Debug)]
pub(super) struct OnceBody {
    bytes: Option<Bytes>,
    left: Left,
}

impl OnceBody {
    pub(super) fn new(bytes: Bytes) -> (Self, Left) {
        let left = Left {
            polled: Arc::default(),
            empty: bytes.is_empty(),
        };
        let body = Self {
            bytes: Some(bytes).filter(|b| !b.is_empty()),
            left: left.clone(),
        };
        (body, left)
    }
}

impl Body for OnceBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = self.bytes.take();
        if frame.is_some() {
            self.left.polled.store(true, Ordering::SeqCst);
        }
        Poll::Ready(frame.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let len = self.bytes.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(u64::try_from(len).unwrap_or(u64::MAX))
    }
}
