//! A mailbox at a provider, as far as Clarion speaks with it (RFC 3501, MOVE, UIDPLUS).

use clarion::inbound::{After, ImapSettings};
use clarion::mail::{RelaySettings, Tls};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A message in the mailbox.
#[derive(Clone, Debug, Default)]
pub struct Message {
    pub number: u32,
    pub body: Vec<u8>,
    /// Whether somebody has read it.
    pub seen: bool,
    /// Whether the server fails to hand it out.
    pub broken: bool,
}

#[derive(Default)]
pub struct Contents {
    pub validity: u32,
    pub messages: Vec<Message>,
    /// Where messages were moved to, and their numbers.
    pub moved: Vec<(String, u32)>,
    /// The numbers that were asked for.
    pub fetched: Vec<u32>,
}

/// A server with one mailbox and one folder.
pub struct Mailbox {
    port: u16,
    contents: Arc<Mutex<Contents>>,
}

impl Mailbox {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let contents = Arc::new(Mutex::new(Contents { validity: 1, ..Contents::default() }));
        let served = Arc::clone(&contents);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&served)));
            }
        });
        Self { port, contents }
    }

    pub fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap()
    }

    /// Puts a message in; returns its number.
    pub fn put(&self, body: impl Into<Vec<u8>>, seen: bool) -> u32 {
        let mut contents = self.contents();
        let last = contents.messages.iter().map(|message| message.number).chain(contents.moved.iter().map(|(_, number)| *number)).max();
        let number = last.unwrap_or(0) + 1;
        contents.messages.push(Message { number, body: body.into(), seen, broken: false });
        number
    }

    /// Lets the server fail at a message.
    pub fn spoil(&self, number: u32) {
        self.contents().messages.iter_mut().find(|message| message.number == number).unwrap().broken = true;
    }

    /// The numbers of what is in the mailbox.
    pub fn numbers(&self) -> Vec<u32> {
        self.contents().messages.iter().map(|message| message.number).collect()
    }

    pub fn settings(&self, after: After) -> ImapSettings {
        let credentials = Some(("office".to_owned(), "secret".to_owned().into()));
        let server = RelaySettings { host: "127.0.0.1".to_owned(), port: self.port, tls: Tls::None, credentials, ca_file: None };
        ImapSettings { server, folder: "INBOX".to_owned(), after, every: Duration::from_mins(1) }
    }
}

async fn serve(stream: TcpStream, contents: Arc<Mutex<Contents>>) {
    let mut stream = BufReader::new(stream);
    let mut answer = b"* OK ready\r\n".to_vec();
    loop {
        if stream.write_all(&answer).await.is_err() {
            return;
        }
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        let (tag, command) = line.trim_end().split_once(' ').unwrap();
        answer = match carry_out(command, &mut contents.lock().unwrap()) {
            Ok(mut told) => {
                told.extend(format!("{tag} OK done\r\n").into_bytes());
                told
            }
            Err(why) => format!("{tag} NO {why}\r\n").into_bytes(),
        };
    }
}

fn carry_out(command: &str, contents: &mut Contents) -> Result<Vec<u8>, &'static str> {
    let words: Vec<&str> = command.split(' ').collect();
    let number = || words.get(2).and_then(|word| word.parse::<u32>().ok()).unwrap();
    match words[..] {
        ["LOGIN", ..] | ["UID", "EXPUNGE", ..] => Ok(Vec::new()),
        ["LOGOUT"] => Ok(b"* BYE\r\n".to_vec()),
        ["CAPABILITY"] => Ok(b"* CAPABILITY IMAP4rev1 MOVE UIDPLUS\r\n".to_vec()),
        ["SELECT", ..] => {
            Ok(format!("* {} EXISTS\r\n* OK [UIDVALIDITY {}] valid\r\n", contents.messages.len(), contents.validity).into_bytes())
        }
        ["UID", "SEARCH", ref keys @ ..] => Ok(search(keys, contents)),
        ["UID", "FETCH", ..] => {
            contents.fetched.push(number());
            match contents.messages.iter().find(|message| message.number == number()) {
                Some(Message { broken: true, .. }) => Err("an internal error occurred"),
                Some(message) => {
                    let head = format!("* 1 FETCH (UID {} BODY[]<0> {{{}}}\r\n", message.number, message.body.len());
                    Ok([head.as_bytes(), &message.body, b")\r\n"].concat())
                }
                None => Ok(Vec::new()),
            }
        }
        ["UID", "STORE", ..] => {
            let found = contents.messages.iter_mut().filter(|message| message.number == number());
            found.for_each(|message| message.seen = true);
            Ok(Vec::new())
        }
        ["UID", "MOVE", _, folder] => {
            contents.messages.retain(|message| message.number != number());
            contents.moved.push((folder.trim_matches('"').to_owned(), number()));
            Ok(Vec::new())
        }
        _ => Err("what?"),
    }
}

fn search(keys: &[&str], contents: &Contents) -> Vec<u8> {
    let last = contents.messages.iter().map(|message| message.number).max().unwrap_or(0);
    // A range with `*` holds the last message, whichever end it is.
    let range = keys.iter().position(|key| *key == "UID").map(|at| match keys[at + 1].split_once(':') {
        Some((first, _)) => first.parse::<u32>().unwrap().min(last)..=last,
        None => keys[at + 1].parse().unwrap()..=keys[at + 1].parse().unwrap(),
    });
    let found = contents.messages.iter().filter(|message| {
        range.as_ref().is_none_or(|range| range.contains(&message.number)) && !(keys.contains(&"UNSEEN") && message.seen)
    });
    let words: Vec<String> = ["* SEARCH".to_owned()].into_iter().chain(found.map(|message| message.number.to_string())).collect();
    format!("{}\r\n", words.join(" ")).into_bytes()
}
