//! A relay on a socket that records what it is given and fails as told. It takes a bare line
//! feed for a line end, as the servers do that SMTP smuggling works on, so that a mail which
//! would be cut in two there is cut in two here.

use std::collections::{HashMap, VecDeque};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What goes wrong with one message.
#[derive(Clone, Copy, Debug, Default)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// This answers MAIL.
    Mail(&'static str),
    /// This answers RCPT, and DATA is refused as well.
    Rcpt(&'static str),
    /// This answers RCPT, and DATA is answered 354 all the same (RFC 2920 §3.1).
    RcptThenData(&'static str),
    /// This answers DATA.
    Data(&'static str),
    /// This answers the final dot.
    Dot(&'static str),
    /// The connection closes when DATA comes, before 354.
    CloseAtData,
    /// The connection closes after the first line of the body.
    CloseInBody,
    /// The message is accepted, but the connection closes before the answer.
    CloseAfterDot,
    /// MAIL is answered after so long.
    SlowMail(Duration),
    /// MAIL is never answered.
    SilentAtMail,
    /// The final dot is never answered.
    SilentAtDot,
}

/// A message that the relay took responsibility for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The envelope sender.
    pub from: String,
    /// The one recipient.
    pub to: String,
    /// The message, dots unstuffed.
    pub data: Vec<u8>,
    /// The connection it came by, counted from 1.
    pub connection: usize,
}

/// How the relay presents itself.
#[derive(Clone)]
pub struct Manner {
    /// The first line.
    pub greeting: &'static str,
    /// The keywords of its EHLO answer.
    pub offers: &'static [&'static str],
    /// Its side of TLS.
    pub tls: Option<TlsAcceptor>,
    /// Whether TLS begins with the first octet.
    pub implicit: bool,
    /// Sent in the clear behind the answer to STARTTLS, as an attacker on the way would.
    pub injected: &'static str,
    /// How long it waits before it greets.
    pub shyness: Duration,
    /// How long it thinks after it has accepted a message, before it says so.
    pub hesitation: Duration,
    /// Whether it does not answer QUIT.
    pub stays: bool,
    /// Where it writes each message it takes, on the disk before it says so: a line of recipient
    /// and hash.
    pub journal: Option<PathBuf>,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            greeting: "220 relay.example.org ESMTP",
            offers: &["PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"],
            tls: None,
            implicit: false,
            injected: "",
            shyness: Duration::ZERO,
            hesitation: Duration::ZERO,
            stays: false,
            journal: None,
        }
    }
}

#[derive(Default)]
struct Log {
    received: Vec<Received>,
    commands: Vec<String>,
    connections: usize,
    open: usize,
    peak: usize,
    bodies: usize,
    next: VecDeque<Fault>,
    by_recipient: HashMap<String, Fault>,
}

/// The relay. Dropped, it goes away with all its connections.
pub struct Relay {
    address: SocketAddr,
    manner: Manner,
    log: Arc<Mutex<Log>>,
    serving: Option<tokio::task::JoinHandle<()>>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.go_down();
    }
}

impl Relay {
    /// Starts a relay on a free port of this machine.
    pub async fn start() -> Self {
        Self::start_with(Manner::default()).await
    }

    /// Starts a relay that behaves otherwise.
    pub async fn start_with(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut relay = Self { address: listener.local_addr().unwrap(), manner, log: Arc::default(), serving: None };
        relay.serve(listener);
        relay
    }

    fn serve(&mut self, listener: TcpListener) {
        let (log, manner) = (Arc::clone(&self.log), self.manner.clone());
        self.serving = Some(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(converse(stream, manner.clone(), Arc::clone(&log)));
            }
        }));
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Refuses connections and cuts those there are.
    pub fn go_down(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }

    /// Listens again at the same address.
    pub async fn come_up(&mut self) {
        // The old socket is closed when its task has really ended.
        for _ in 0..100 {
            if let Ok(listener) = TcpListener::bind(self.address).await {
                return self.serve(listener);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the relay's port is taken");
    }

    /// The next message goes wrong like this; called again, the one after it.
    pub fn next(&self, fault: Fault) {
        self.log.lock().unwrap().next.push_back(fault);
    }

    /// Every message to this recipient goes wrong like this.
    pub fn always(&self, recipient: &str, fault: Fault) {
        self.log.lock().unwrap().by_recipient.insert(recipient.to_owned(), fault);
    }

    /// Nothing goes wrong any more.
    pub fn mend(&self) {
        let mut log = self.log.lock().unwrap();
        log.next.clear();
        log.by_recipient.clear();
    }

    /// What it accepted, in order.
    pub fn received(&self) -> Vec<Received> {
        self.log.lock().unwrap().received.clone()
    }

    /// How many whole bodies it heard.
    pub fn bodies(&self) -> usize {
        self.log.lock().unwrap().bodies
    }

    /// Forgets what it accepted.
    pub fn forget(&self) {
        self.log.lock().unwrap().received.clear();
    }

    /// What it accepted for one recipient.
    pub fn received_by(&self, recipient: &str) -> Vec<Received> {
        self.received().into_iter().filter(|message| message.to == recipient).collect()
    }

    /// The commands it was given, in order.
    pub fn commands(&self) -> Vec<String> {
        self.log.lock().unwrap().commands.clone()
    }

    /// The most connections that were open at once since the last time this was asked.
    pub fn peak(&self) -> usize {
        let mut log = self.log.lock().unwrap();
        let open = log.open;
        std::mem::replace(&mut log.peak, open)
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        self.log.lock().unwrap().connections
    }
}

async fn converse(stream: TcpStream, manner: Manner, log: Arc<Mutex<Log>>) {
    stream.set_nodelay(true).unwrap();
    let connection = {
        let mut log = log.lock().unwrap();
        log.connections += 1;
        log.open += 1;
        log.peak = log.peak.max(log.open);
        log.connections
    };
    let _open = Open(Arc::clone(&log));
    let session = Session { connection, manner, log, encrypted: false };
    match (&session.manner.tls, session.manner.implicit) {
        (Some(acceptor), true) => {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            Session { encrypted: true, ..session }.talk(stream, true).await;
        }
        _ => session.begin(stream).await,
    }
}

/// A connection that counts as open until this is dropped.
struct Open(Arc<Mutex<Log>>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.lock().unwrap().open -= 1;
    }
}

struct Session {
    connection: usize,
    manner: Manner,
    log: Arc<Mutex<Log>>,
    encrypted: bool,
}

impl Session {
    async fn begin(self, stream: TcpStream) {
        let Some((session, stream)) = self.talk(stream, true).await else { return };
        let Some(acceptor) = session.manner.tls.clone() else { return };
        let Ok(stream) = acceptor.accept(stream).await else { return };
        Session { encrypted: true, ..session }.talk(stream, false).await;
    }

    /// Talks until the other side leaves, or asks for STARTTLS: then the stream is given back.
    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(self, stream: S, greet: bool) -> Option<(Self, S)> {
        let (reader, mut writer) = tokio::io::split(stream);
        let mut reader = BufReader::new(reader);
        if greet {
            tokio::time::sleep(self.manner.shyness).await;
            say(&mut writer, self.manner.greeting).await?;
        }
        let mut envelope = Envelope::default();
        loop {
            let line = read_line(&mut reader).await?;
            let command = String::from_utf8_lossy(&line).trim_end().to_owned();
            self.log.lock().unwrap().commands.push(command.clone());
            let verb = command.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => say(&mut writer, &self.introduction()).await?,
                "STARTTLS" => {
                    say(&mut writer, &format!("220 go ahead{}", self.manner.injected)).await?;
                    return Some((self, reader.into_inner().unsplit(writer)));
                }
                "AUTH" => say(&mut writer, "235 2.7.0 accepted").await?,
                "MAIL" => self.mail(&mut writer, &mut envelope, &command).await?,
                "RCPT" => self.rcpt(&mut writer, &mut envelope, &command).await?,
                "DATA" => self.data(&mut reader, &mut writer, &mut envelope).await?,
                "RSET" | "NOOP" => say(&mut writer, "250 2.0.0 fine").await?,
                "QUIT" if self.manner.stays => std::future::pending().await,
                "QUIT" => {
                    say(&mut writer, "221 2.0.0 bye").await?;
                    return None;
                }
                _ => say(&mut writer, "500 5.5.2 what?").await?,
            }
        }
    }

    fn introduction(&self) -> String {
        let mut lines = vec!["relay.example.org"];
        lines.extend(self.manner.offers);
        if self.manner.tls.is_some() && !self.encrypted {
            lines.push("STARTTLS");
        }
        let last = lines.len() - 1;
        let shown: Vec<String> =
            lines.iter().enumerate().map(|(at, line)| format!("250{}{line}", if at == last { ' ' } else { '-' })).collect();
        shown.join("\r\n")
    }

    async fn mail(&self, writer: &mut (impl AsyncWrite + Unpin), envelope: &mut Envelope, command: &str) -> Option<()> {
        let fault = self.log.lock().unwrap().next.pop_front().unwrap_or(Fault::None);
        *envelope = Envelope { from: bracketed(command), to: None, fault };
        match fault {
            Fault::Mail(reply) => {
                envelope.from.clear();
                say(writer, reply).await
            }
            Fault::SlowMail(time) => {
                tokio::time::sleep(time).await;
                say(writer, "250 2.1.0 ok").await
            }
            Fault::SilentAtMail => std::future::pending().await,
            _ => say(writer, "250 2.1.0 ok").await,
        }
    }

    async fn rcpt(&self, writer: &mut (impl AsyncWrite + Unpin), envelope: &mut Envelope, command: &str) -> Option<()> {
        let to = bracketed(command);
        if let Some(fault) = self.log.lock().unwrap().by_recipient.get(&to) {
            envelope.fault = *fault;
        }
        match envelope.fault {
            Fault::Rcpt(reply) | Fault::RcptThenData(reply) => say(writer, reply).await,
            _ if envelope.from.is_empty() => say(writer, "503 5.5.1 MAIL first").await,
            _ => {
                envelope.to = Some(to);
                say(writer, "250 2.1.5 ok").await
            }
        }
    }

    async fn data(
        &self,
        reader: &mut (impl AsyncBufRead + Unpin),
        writer: &mut (impl AsyncWrite + Unpin),
        envelope: &mut Envelope,
    ) -> Option<()> {
        let Envelope { from, to, fault } = std::mem::take(envelope);
        match (fault, &to) {
            (Fault::Data(reply), _) => return say(writer, reply).await,
            (Fault::CloseAtData, _) => return None,
            (Fault::RcptThenData(_), _) => {}
            (_, None) => return say(writer, "554 5.5.1 no valid recipients").await,
            _ => {}
        }
        say(writer, "354 go ahead").await?;
        let data = read_body(reader, matches!(fault, Fault::CloseInBody)).await?;
        self.log.lock().unwrap().bodies += 1;
        let Some(to) = to else { return say(writer, "554 5.5.1 no valid recipients").await };
        let reply = if let Fault::Dot(reply) = fault { reply } else { "250 2.0.0 queued as 4F" };
        if matches!(fault, Fault::SilentAtDot) {
            std::future::pending::<()>().await;
        }
        if reply.starts_with('2') {
            if let Some(journal) = self.manner.journal.clone() {
                let line = format!("{to} {}\n", fingerprint(&from, &data));
                tokio::task::spawn_blocking(move || append(&journal, &line)).await.unwrap();
            }
            self.log.lock().unwrap().received.push(Received { from, to, data, connection: self.connection });
            tokio::time::sleep(self.manner.hesitation).await;
        }
        if matches!(fault, Fault::CloseAfterDot) { None } else { say(writer, reply).await }
    }
}

/// What two copies of the same mail have in common.
pub fn fingerprint(from: &str, data: &[u8]) -> String {
    use sha2::Digest as _;
    let hash = sha2::Sha256::new_with_prefix(from).chain_update(data).finalize();
    hash.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn append(journal: &Path, line: &str) {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(journal).unwrap();
    file.write_all(line.as_bytes()).unwrap();
    file.sync_data().unwrap();
}

#[derive(Default)]
struct Envelope {
    from: String,
    to: Option<String>,
    fault: Fault,
}

/// The address between the angle brackets.
fn bracketed(command: &str) -> String {
    command.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(address, _)| address.to_owned()).unwrap_or_default()
}

async fn say(writer: &mut (impl AsyncWrite + Unpin), text: &str) -> Option<()> {
    writer.write_all(format!("{text}\r\n").as_bytes()).await.ok()?;
    writer.flush().await.ok()?;
    // RFC 5321 §3.8: a server says 421 and closes.
    if text.starts_with("421") { None } else { Some(()) }
}

async fn read_line(reader: &mut (impl AsyncBufRead + Unpin)) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    let read = reader.read_until(b'\n', &mut line).await.ok()?;
    (read > 0).then_some(line)
}

async fn read_body(reader: &mut (impl AsyncBufRead + Unpin), cut: bool) -> Option<Vec<u8>> {
    let mut data = Vec::new();
    loop {
        let line = read_line(reader).await?;
        if cut {
            return None;
        }
        if line.trim_ascii_end() == b"." {
            return Some(data);
        }
        data.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}
