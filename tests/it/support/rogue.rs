//! A relay that keeps to no rule: it plays a part, turn by turn, the same with each connection,
//! until it is told to behave. Then what is said to it goes to a relay that is polite.

use super::relay::Relay;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// What it does next. After the last turn it closes the connection.
#[derive(Clone, Copy, Debug)]
pub enum Turn {
    /// Says this.
    Say(&'static [u8]),
    /// Says this again and again, until nobody listens.
    Flood(&'static [u8]),
    /// Says this octet by octet, with a pause before each.
    Drip(&'static [u8], Duration),
    /// Listens until a line begins with this word.
    Hear(&'static str),
    /// Listens to a whole mail.
    Body,
    /// Closes its side of the connection and goes on listening.
    HalfClose,
    /// Says nothing for ever.
    Silence,
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    mails: AtomicUsize,
    behaves: AtomicBool,
}

/// The relay. Dropped, it goes away.
pub struct Rogue {
    address: SocketAddr,
    seen: Arc<Seen>,
    polite: Relay,
    serving: JoinHandle<()>,
}

impl Drop for Rogue {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Rogue {
    /// Starts playing on a free port of this machine.
    pub async fn start(part: Vec<Turn>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, polite) = (Arc::new(Seen::default()), Relay::start().await);
        let (witness, polite_port) = (Arc::clone(&seen), polite.port());
        let serving = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                witness.connections.fetch_add(1, Ordering::SeqCst);
                let (part, witness) = (part.clone(), Arc::clone(&witness));
                connections.spawn(async move {
                    if witness.behaves.load(Ordering::SeqCst) {
                        pass_on(stream, polite_port).await;
                    } else {
                        let _ = play(stream, &part, &witness).await;
                    }
                });
            }
        });
        Self { address, seen, polite, serving }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// From the next connection on it keeps to the rules.
    pub fn behave(&self) {
        self.seen.behaves.store(true, Ordering::SeqCst);
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// Whole mails that it heard while it did not behave.
    pub fn mails(&self) -> usize {
        self.seen.mails.load(Ordering::SeqCst)
    }

    /// The relay it becomes.
    pub fn polite(&self) -> &Relay {
        &self.polite
    }
}

async fn pass_on(mut stream: TcpStream, port: u16) {
    stream.set_nodelay(true).unwrap();
    let mut relay = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let _ = tokio::io::copy_bidirectional(&mut stream, &mut relay).await;
}

async fn play(stream: TcpStream, part: &[Turn], seen: &Seen) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    for turn in part {
        match turn {
            Turn::Say(words) => writer.write_all(words).await?,
            Turn::Flood(words) => loop {
                writer.write_all(words).await?;
            },
            Turn::Drip(words, pause) => {
                for octet in *words {
                    tokio::time::sleep(*pause).await;
                    writer.write_all(&[*octet]).await?;
                }
            }
            Turn::Hear(word) => hear(&mut reader, word.as_bytes()).await?,
            Turn::Body => {
                hear(&mut reader, b".\r\n").await?;
                seen.mails.fetch_add(1, Ordering::SeqCst);
            }
            Turn::HalfClose => return half_close(reader, writer).await,
            Turn::Silence => std::future::pending().await,
        }
    }
    // What is not read would turn the end into a reset, which takes unread answers with it.
    writer.shutdown().await?;
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(Duration::from_millis(50), reader.read_to_end(&mut rest)).await;
    Ok(())
}

async fn half_close(mut reader: BufReader<OwnedReadHalf>, mut writer: OwnedWriteHalf) -> std::io::Result<()> {
    writer.shutdown().await?;
    reader.read_to_end(&mut Vec::new()).await?;
    Ok(())
}

async fn hear(reader: &mut BufReader<OwnedReadHalf>, word: &[u8]) -> std::io::Result<()> {
    let mut line = Vec::new();
    while !line.starts_with(word) {
        line.clear();
        if reader.read_until(b'\n', &mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}
