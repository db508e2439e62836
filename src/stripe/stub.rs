//! A server for tests that does to a connection whatever it is told: one scripted answer per request, in order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What to do with one request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    head: String,
    body: Vec<u8>,
    send: usize,
    after: After,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum After {
    Keep,
    Close,
    Hold,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &str) -> Self {
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        );
        Self {
            head,
            body: body.as_bytes().to_vec(),
            send: usize::MAX,
            after: After::Keep,
        }
    }

    /// A body compressed with gzip.
    pub(crate) fn gzip(body: &[u8]) -> Self {
        // A gzip header and blocks that are "stored": valid, and nobody gets as far as the missing check sum.
        let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
        for block in body.chunks(0xffff) {
            let length = u16::try_from(block.len()).unwrap();
            bytes.push(0);
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(&(!length).to_le_bytes());
            bytes.extend_from_slice(block);
        }
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n",
            bytes.len()
        );
        Self {
            head,
            body: bytes,
            ..Self::json(200, "")
        }
    }

    /// Reads the request and closes.
    pub(crate) fn hang_up() -> Self {
        Self {
            head: String::new(),
            body: Vec::new(),
            send: 0,
            after: After::Close,
        }
    }

    /// Answers with a head alone and closes.
    pub(crate) fn hang_up_after_head() -> Self {
        Self {
            send: 0,
            after: After::Close,
            ..Self::json(200, "{}")
        }
    }

    /// Never answers.
    pub(crate) fn silent() -> Self {
        Self {
            after: After::Hold,
            ..Self::hang_up()
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head = format!("{}{name}: {value}\r\n", self.head);
        self
    }

    /// Closes in the middle of the body.
    pub(crate) fn cut_at(self, bytes: usize) -> Self {
        Self {
            send: bytes,
            after: After::Close,
            ..self
        }
    }

    /// Stops in the middle of the body and keeps the connection.
    pub(crate) fn stall_at(self, bytes: usize) -> Self {
        Self {
            send: bytes,
            after: After::Hold,
            ..self
        }
    }

    /// Answers as if the connection stayed open, and closes it.
    pub(crate) fn then_close_silently(self) -> Self {
        Self {
            after: After::Close,
            ..self
        }
    }
}

/// The server; stops with its last handle.
pub(crate) struct Stub {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

type Script = Arc<Mutex<Box<dyn FnMut(&str) -> Answer + Send>>>;

impl Stub {
    /// Answers in order; beyond the last, 418.
    pub(crate) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let mut answers: VecDeque<_> = answers.into_iter().collect();
        Self::serve(move |_| answers.pop_front().unwrap_or_else(|| Answer::json(418, "{}"))).await
    }

    /// Answers by the request's text.
    pub(crate) async fn serve(answer: impl FnMut(&str) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script: Script = Arc::new(Mutex::new(Box::new(answer)));
        let log = seen.clone();
        let task = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                open.spawn(converse(stream, script.clone(), log.clone()));
            }
        });
        Self { port, seen, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Every request received whole or in part, as text.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// Stops listening.
    pub(crate) async fn stop(self) {
        self.task.abort();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(mut stream: TcpStream, script: Script, seen: Arc<Mutex<Vec<String>>>) {
    while let Some(request) = read_request(&mut stream).await {
        seen.lock().unwrap().push(request.clone());
        let answer = (script.lock().unwrap())(&request);
        let part = &answer.body[..answer.send.min(answer.body.len())];
        let head = if answer.head.is_empty() {
            String::new()
        } else {
            answer.head + "\r\n"
        };
        let bytes = [head.as_bytes(), part].concat();
        if stream.write_all(&bytes).await.is_err() {
            return;
        }
        match answer.after {
            After::Keep => {}
            After::Close => return,
            After::Hold => std::future::pending().await,
        }
    }
}

/// Head and body as text; a part of one if the client stops early; `None` at the end.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let whole = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = whole.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|l| l.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |l| l.parse().unwrap()) {
                return Some(whole);
            }
        }
        match stream.read(&mut buffer).await {
            Ok(n) if n > 0 => text.extend_from_slice(&buffer[..n]),
            _ if text.is_empty() => return None,
            _ => return Some(whole),
        }
    }
}
