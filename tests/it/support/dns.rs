//! A DNS server on a socket, with the records it is given.

use hickory_resolver::proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, MX, PTR, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record};
use std::net::SocketAddr;
use std::str::FromStr as _;
use std::sync::{Arc, Mutex};
use tokio::net::UdpSocket;

/// Names without a final dot, types, texts as in a zone file.
type Records = Arc<Mutex<Vec<(String, &'static str, String)>>>;

/// The server. Dropped, it goes away.
pub struct Dns {
    address: SocketAddr,
    records: Records,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Dns {
    /// Starts a server on a free port of this machine.
    pub async fn start(records: &[(&str, &'static str, &str)]) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let records: Records =
            Arc::new(Mutex::new(records.iter().map(|(name, kind, text)| ((*name).to_owned(), *kind, (*text).to_owned())).collect()));
        let serving = tokio::spawn(serve(socket, Arc::clone(&records)));
        Self { address, records, serving }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Replaces what a name has of a type; nothing: takes it away. For a record more, [`Dns::add`].
    pub fn set(&self, name: &str, kind: &'static str, text: Option<&str>) {
        self.records.lock().unwrap().retain(|(known, known_kind, _)| !(known == name && *known_kind == kind));
        if let Some(text) = text {
            self.add(name, kind, text);
        }
    }

    /// What a name has of a type.
    pub fn get(&self, name: &str, kind: &str) -> Vec<String> {
        let records = self.records.lock().unwrap();
        records.iter().filter(|(known, known_kind, _)| known == name && *known_kind == kind).map(|(.., text)| text.clone()).collect()
    }

    /// Adds a record.
    pub fn add(&self, name: &str, kind: &'static str, text: &str) {
        self.records.lock().unwrap().push((name.to_owned(), kind, text.to_owned()));
    }
}

async fn serve(socket: UdpSocket, records: Records) {
    let mut octets = [0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut octets).await {
        let Ok(question) = Message::from_vec(&octets[..length]) else { continue };
        let Some(reply) = answer(&question, &records.lock().unwrap()) else { continue };
        let _ = socket.send_to(&reply.to_vec().unwrap(), from).await;
    }
}

/// Records of the name and the type; a name that exists without one is answered with nothing, and
/// one that does not exist says so (RFC 2308 §2).
fn answer(question: &Message, records: &[(String, &'static str, String)]) -> Option<Message> {
    let query = question.queries.first()?.clone();
    let name = query.name().to_utf8().trim_end_matches('.').to_lowercase();
    let kind = query.query_type().to_string();
    let mut reply = Message::new(question.id, MessageType::Response, OpCode::Query);
    let exists = records.iter().any(|(known, ..)| *known == name || known.ends_with(&format!(".{name}")));
    reply.metadata.response_code = if exists { ResponseCode::NoError } else { ResponseCode::NXDomain };
    for (_, _, text) in records.iter().filter(|(known, known_kind, _)| *known == name && *known_kind == kind) {
        reply.add_answer(Record::from_rdata(query.name().clone(), 60, rdata(&kind, text)));
    }
    reply.add_query(query);
    Some(reply)
}

fn rdata(kind: &str, text: &str) -> RData {
    let name = |text: &str| Name::from_str(&format!("{}.", text.trim_end_matches('.'))).unwrap();
    match kind {
        "A" => RData::A(A(text.parse().unwrap())),
        "AAAA" => RData::AAAA(AAAA(text.parse().unwrap())),
        "PTR" => RData::PTR(PTR(name(text))),
        "MX" => {
            let (preference, host) = text.split_once(' ').unwrap();
            RData::MX(MX::new(preference.parse().unwrap(), name(host)))
        }
        "TXT" => RData::TXT(TXT::new(clarion::mail::dkim::record::strings(text).into_iter().map(str::to_owned).collect())),
        other => panic!("{other} is not known here"),
    }
}
