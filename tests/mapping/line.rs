//! The line to a database, which breaks off for good after so many bytes.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Where to connect instead of `url`: what is sent there passes until `bytes` of it have.
pub(crate) fn broken_after(url: &str, bytes: usize) -> String {
    let mut address = url::Url::parse(url).unwrap();
    let server = format!("{}:{}", address.host_str().unwrap(), address.port().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    address.set_host(Some("127.0.0.1")).unwrap();
    address
        .set_port(Some(listener.local_addr().unwrap().port()))
        .unwrap();
    let left = Arc::new(AtomicUsize::new(bytes));
    let is_broken = Arc::new(AtomicBool::new(false));
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            if is_broken.load(Ordering::SeqCst) {
                continue;
            }
            let there = TcpStream::connect(&server).unwrap();
            let (back_from, back_to) = (there.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || carry(back_from, back_to, |_| true));
            let (left, is_broken) = (left.clone(), is_broken.clone());
            std::thread::spawn(move || {
                carry(client, there, |sent| {
                    let before = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                        Some(left.saturating_sub(sent))
                    });
                    let holds = before.is_ok_and(|before| before > sent);
                    is_broken.fetch_or(!holds, Ordering::SeqCst);
                    holds
                });
            });
        }
    });
    address.to_string()
}

fn carry(mut from: TcpStream, mut to: TcpStream, mut holds: impl FnMut(usize) -> bool) {
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut piece) {
        if !holds(read) || to.write_all(&piece[..read]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
