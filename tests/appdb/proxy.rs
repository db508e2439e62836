//! Stands between the program and a database, and cuts the connection where it is told to.

use std::sync::{Arc, Mutex};

use cutover::appdb::Kind;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Where to cut; each is used once.
#[derive(Clone, Debug)]
pub(crate) enum Cut {
    /// At the nth message of the client, counted from 0 over all connections.
    Message(usize),
    /// At the COMMIT.
    Commit,
}

/// Whether the server gets what the connection is cut at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reaches {
    /// It does not.
    No,
    /// It does, and has answered; the client does not hear it.
    Yes,
}

pub(crate) struct Proxy {
    /// The database's address by way of this proxy, without TLS.
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

struct State {
    kind: Kind,
    cut: Option<(Cut, Reaches)>,
    messages: usize,
    /// Close after the cut, so that nobody gets through any more.
    closes: bool,
    closed: bool,
}

impl Proxy {
    pub(crate) async fn start(kind: Kind, url: &str) -> Self {
        let mut to = url::Url::parse(url).unwrap();
        let port = to
            .port()
            .unwrap_or(if kind == Kind::Postgres { 5432 } else { 3306 });
        let server = format!("{}:{port}", to.host_str().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        to.set_host(Some("127.0.0.1")).unwrap();
        to.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        to.set_query(Some(if kind == Kind::Postgres {
            "sslmode=disable"
        } else {
            "ssl-mode=DISABLED"
        }));
        let state = Arc::new(Mutex::new(State {
            kind,
            cut: None,
            messages: 0,
            closes: false,
            closed: false,
        }));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if !shared.lock().unwrap().closed {
                    tokio::spawn(carry(client, server.clone(), shared.clone()));
                }
            }
        });
        Self {
            url: to.to_string(),
            state,
        }
    }

    pub(crate) fn cut(&self, cut: Cut, reaches: Reaches) {
        let mut state = self.state.lock().unwrap();
        state.messages = 0;
        state.cut = Some((cut, reaches));
    }

    /// Whether the cut has been made.
    pub(crate) fn has_cut(&self) -> bool {
        self.state.lock().unwrap().cut.is_none()
    }

    /// After the cut nobody gets through, until [`Proxy::open`].
    pub(crate) fn close_after(&self) {
        self.state.lock().unwrap().closes = true;
    }

    pub(crate) fn open(&self) {
        let mut state = self.state.lock().unwrap();
        (state.closes, state.closed) = (false, false);
    }
}

impl State {
    fn decide(&mut self, message: &[u8]) -> Option<Reaches> {
        let number = self.messages;
        self.messages += 1;
        let commit: &[u8] = if self.kind == Kind::Postgres {
            b"COMMIT\0"
        } else {
            b"\x03COMMIT"
        };
        let hit = match self.cut {
            Some((Cut::Message(n), _)) => n == number,
            Some((Cut::Commit, _)) => message.windows(commit.len()).any(|part| part == commit),
            None => false,
        };
        if !hit {
            return None;
        }
        self.closed = self.closes;
        self.cut.take().map(|(_, reaches)| reaches)
    }
}

async fn carry(mut client: TcpStream, server: String, state: Arc<Mutex<State>>) {
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    let (mut from_client, mut from_server) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let Ok(n @ 1..) = read else { return };
                let decided = state.lock().unwrap().decide(&from_client[..n]);
                if decided == Some(Reaches::No) || server.write_all(&from_client[..n]).await.is_err() {
                    return;
                }
                if decided == Some(Reaches::Yes) {
                    let _ = server.read(&mut from_server).await;
                    return;
                }
            }
            read = server.read(&mut from_server) => {
                let Ok(n @ 1..) = read else { return };
                if client.write_all(&from_server[..n]).await.is_err() {
                    return;
                }
            }
        }
    }
}
