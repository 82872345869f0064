//! Asking DNS. An answer is told apart from none, and both from silence: what could not be asked
//! is not held against anybody.

use anyhow::Context as _;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Somebody waits for the answer, and there are many questions.
const PATIENCE: Duration = Duration::from_secs(3);

/// What became of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer<T> {
    /// At least one record.
    Found(Vec<T>),
    /// The name does not exist, or has nothing of this type.
    Nothing,
    /// Nobody answered, or with a failure; what happened.
    Unknown(String),
}

/// A resolver. It keeps answers, so the same question costs once; clones share them.
#[derive(Clone)]
pub(super) struct Dns {
    resolver: TokioResolver,
}

impl Dns {
    /// Asks this server, or those of the machine.
    pub(super) fn new(server: Option<SocketAddr>) -> anyhow::Result<Self> {
        let (builder, system) = match server {
            Some(server) => {
                let at = |connection: ConnectionConfig| {
                    let mut connection = connection;
                    connection.port = server.port();
                    connection
                };
                let connections = vec![at(ConnectionConfig::udp()), at(ConnectionConfig::tcp())];
                let config = ResolverConfig::from_parts(None, Vec::new(), vec![NameServerConfig::new(server.ip(), true, connections)]);
                (TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()), false)
            }
            None => (TokioResolver::builder_tokio().context("the machine's name servers cannot be read (/etc/resolv.conf)")?, true),
        };
        let mut options = ResolverOpts::default();
        options.timeout = PATIENCE;
        options.attempts = 2;
        options.use_hosts_file = if system { options.use_hosts_file } else { hickory_resolver::config::ResolveHosts::Never };
        Ok(Self { resolver: builder.with_options(options).build().context("DNS cannot be asked")? })
    }

    /// Texts, each with its strings joined.
    pub(super) async fn txt(&self, name: &str) -> Answer<String> {
        let joined = |strings: &[Box<[u8]>]| strings.iter().map(|string| String::from_utf8_lossy(string).into_owned()).collect::<String>();
        self.ask(name, RecordType::TXT, |data| if let RData::TXT(text) = data { Some(joined(&text.txt_data)) } else { None }).await
    }

    /// Mail servers with their preference, the first to be tried first.
    pub(super) async fn mx(&self, name: &str) -> Answer<(u16, String)> {
        let answer =
            self.ask(name, RecordType::MX, |data| if let RData::MX(mx) = data { Some((mx.preference, plain(&mx.exchange))) } else { None });
        match answer.await {
            Answer::Found(mut servers) => {
                servers.sort();
                Answer::Found(servers)
            }
            other => other,
        }
    }

    /// Addresses of both kinds.
    pub(super) async fn addresses(&self, name: &str) -> Answer<IpAddr> {
        let (v4, v6) = tokio::join!(
            self.ask(name, RecordType::A, |data| if let RData::A(address) = data { Some(IpAddr::from(address.0)) } else { None }),
            self.ask(name, RecordType::AAAA, |data| if let RData::AAAA(address) = data { Some(IpAddr::from(address.0)) } else { None }),
        );
        match (v4, v6) {
            (Answer::Found(v4), Answer::Found(v6)) => Answer::Found([v4, v6].concat()),
            (Answer::Found(found), _) | (_, Answer::Found(found)) => Answer::Found(found),
            (Answer::Unknown(trouble), _) | (_, Answer::Unknown(trouble)) => Answer::Unknown(trouble),
            (Answer::Nothing, Answer::Nothing) => Answer::Nothing,
        }
    }

    /// The names of an address.
    pub(super) async fn names(&self, address: IpAddr) -> Answer<String> {
        let name = Name::from(address).to_ascii();
        self.ask(&name, RecordType::PTR, |data| if let RData::PTR(name) = data { Some(plain(name)) } else { None }).await
    }

    async fn ask<T>(&self, name: &str, kind: RecordType, read: impl Fn(&RData) -> Option<T>) -> Answer<T> {
        // With a final dot no search list of the machine is tried.
        let absolute = format!("{}.", name.trim_end_matches('.'));
        match self.resolver.lookup(absolute, kind).await {
            Ok(lookup) => {
                let found: Vec<T> = lookup.answers().iter().filter_map(|record| read(&record.data)).collect();
                if found.is_empty() { Answer::Nothing } else { Answer::Found(found) }
            }
            Err(error) if error.is_no_records_found() => Answer::Nothing,
            Err(error) => Answer::Unknown(format!("DNS says nothing of {name}: {error}")),
        }
    }
}

/// A name without its final dot; the root is “.”.
fn plain(name: &Name) -> String {
    let text = name.to_ascii();
    if text == "." { text } else { text.trim_end_matches('.').to_owned() }
}
