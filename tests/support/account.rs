//! An account as anybody with its key sees it: a client of the tests' own, bytes over a socket.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

/// What one customer holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holding {
    pub(crate) currency: Option<String>,
    /// The customer object's own number; negative is a credit.
    pub(crate) balance: i64,
    /// `invoice_credit_balance` by currency, positive is a credit; zeros are left away.
    pub(crate) credit: BTreeMap<String, i64>,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// Where one account is and how to get in.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) read_only_key: String,
    pub(crate) id: String,
}

impl Account {
    pub(crate) fn of(ready: &Value) -> Self {
        let text = |name: &str| ready[name].as_str().unwrap().to_owned();
        Self {
            url: text("url"),
            key: text("key"),
            read_only_key: text("read_only_key"),
            id: text("account"),
        }
    }

    /// `GET`, answered 200 with JSON.
    pub(crate) fn get(&self, path: &str) -> Value {
        self.send("GET", path, "")
    }

    /// `POST` of a form, answered 200 with JSON.
    pub(crate) fn post(&self, path: &str, form: &str) -> Value {
        self.send("POST", path, form)
    }

    pub(crate) fn send(&self, method: &str, path: &str, form: &str) -> Value {
        let address = self.url.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(address).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            self.key,
            form.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut raw = Vec::new();
        stream.read_to_end(&mut raw).unwrap();
        let text = String::from_utf8(raw).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        assert!(head.starts_with("HTTP/1.1 200"), "{method} {path}: {text}");
        serde_json::from_str(body).unwrap_or_else(|e| panic!("{method} {path}: {e} in {body}"))
    }

    /// Everybody, page by page, by id.
    pub(crate) fn customers(&self) -> BTreeMap<String, Holding> {
        let mut all = BTreeMap::new();
        let mut after = String::new();
        loop {
            let page = self.get(&format!(
                "/v1/customers?limit=100&expand[]=data.invoice_credit_balance{after}"
            ));
            let rows = page["data"].as_array().unwrap();
            for row in rows {
                all.insert(row["id"].as_str().unwrap().to_owned(), holding(row));
            }
            match rows.last() {
                Some(last) if page["has_more"] == true => {
                    after = format!("&starting_after={}", last["id"].as_str().unwrap());
                }
                _ => return all,
            }
        }
    }
}

fn holding(row: &Value) -> Holding {
    let numbers = row["invoice_credit_balance"].as_object();
    let credit = numbers.into_iter().flatten();
    let metadata = row["metadata"].as_object().into_iter().flatten();
    Holding {
        currency: row["currency"].as_str().map(str::to_owned),
        balance: row["balance"].as_i64().unwrap(),
        credit: credit
            .map(|(currency, amount)| (currency.clone(), amount.as_i64().unwrap()))
            .filter(|(_, amount)| *amount != 0)
            .collect(),
        metadata: metadata
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect(),
    }
}
