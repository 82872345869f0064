//! What is asked of other sites: one client, bounded in every direction.
//!
//! An address may come from a file, from a feed, or from a redirect that somebody else answers
//! with. So nothing is believed: only http and https, only hosts on the public internet unless the
//! operator allows more, judged by the address that is really connected to, for every hop anew;
//! a few redirects; so many octets after decompression; so much time. No cookie, no proxy of the
//! environment, no credentials, and no address of any person in what is sent.

mod reach;

use reach::{Guard, Unreachable};
use reqwest::header::{ACCEPT, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, LOCATION};
use reqwest::redirect::Policy;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::{Host, Url};

use crate::problem::Reason;

/// Browsers follow twenty; a site that needs more than this is in a loop.
const MOST_REDIRECTS: usize = 5;
/// How long a host may take to answer at all.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may pause between two octets.
const IDLE: Duration = Duration::from_secs(20);

/// What may be asked, and how much may be answered.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Whether hosts in private networks and on this machine may be asked. Link-local addresses
    /// and those at which clouds tell a machine its secrets never are.
    pub allow_private: bool,
    /// Of a body, decompressed.
    pub most_octets: u64,
    /// For a request with all its redirects and the whole body.
    pub timeout: Duration,
}

/// The client. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Fetch {
    client: reqwest::Client,
    rules: Rules,
}

/// What is asked for (always `GET`).
#[derive(Clone, Debug)]
pub struct Request {
    /// http or https, without user name and password.
    pub url: Url,
    /// The `ETag` of what is had already (RFC 9110 §13.1.2); unchanged, the answer is 304.
    pub etag: Option<String>,
    /// The `Last-Modified` of what is had already, as it was given (§13.1.3).
    pub last_modified: Option<String>,
    /// Which media types are wanted (§12.5.1).
    pub accept: Option<&'static str>,
}

impl Request {
    /// A request without conditions.
    pub fn new(url: Url) -> Self {
        Self { url, etag: None, last_modified: None, accept: None }
    }
}

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code (RFC 9110 §15).
    pub status: u16,
    /// Where it was found, after redirects.
    pub url: Url,
    /// Header fields; a redirect's are not among them.
    pub headers: HeaderMap,
    /// Decompressed.
    pub body: Vec<u8>,
}

impl Response {
    /// A header field's first value, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The media type without its parameters, in lower case (RFC 9110 §8.3.1); empty if none is
    /// named.
    pub fn media_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// An address that is never asked: of another scheme, or with a password in it.
    #[error("{0} is not asked: only http and https, without a user name")]
    Unsuitable(String),
    /// A host that is not on the public internet.
    #[error("{host} is at {address}, which is not on the public internet")]
    Forbidden {
        /// As the address names it.
        host: String,
        /// Where it was found.
        address: String,
    },
    /// A redirect from https to http, which anybody on the way could have written.
    #[error("{0} leads from an encrypted page to one that is not")]
    Downgrade(String),
    /// More redirects than are followed, or one that leads nowhere.
    #[error("{0} redirects without end")]
    Redirects(String),
    /// More octets than are read.
    #[error("the answer is longer than {most} octets")]
    TooLarge {
        /// See [`Rules::most_octets`].
        most: u64,
    },
    /// Not answered, or not to the end, in time.
    #[error("no whole answer within {} seconds", .limit.as_secs())]
    TimedOut {
        /// What was waited.
        limit: Duration,
    },
    /// No connection, no TLS, or a broken answer; what the client says of it.
    #[error("{host} could not be asked: {detail}")]
    Broken {
        /// As the address names it.
        host: String,
        /// In the client's words.
        detail: String,
    },
}

impl FetchError {
    /// The same for a person who can do something about it.
    pub fn reason(&self) -> Reason {
        let remedy = match self {
            Self::Unsuitable(_) => "write an address that begins with https:// and has no user name in it",
            Self::Forbidden { .. } => "if that host is meant and is your own, write  allow_private = true  beside its address",
            Self::Downgrade(_) => "ask whoever keeps that site to redirect to https only",
            Self::Redirects(_) => "open the address in a browser, and write the one at which it ends",
            Self::TooLarge { .. } => "ask whoever keeps that site why it answers so much",
            Self::TimedOut { .. } => "nothing, if it passes: it is tried again; else ask whoever keeps that site why it is so slow",
            Self::Broken { .. } => "check the address, and whether the site is up; it is tried again",
        };
        Reason::new(self.to_string(), remedy)
    }
}

impl Fetch {
    /// A client that names itself `Clarion/VERSION (+base_url)`, so that whoever keeps the site
    /// that is asked knows whose daemon it is.
    ///
    /// It trusts the public authorities that are compiled in, as the relay's client does: a
    /// machine without a store of certificates works, and one with a doctored store is not led on.
    pub fn new(rules: Rules, base_url: &Url) -> anyhow::Result<Self> {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(format!("Clarion/{} (+{base_url})", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .referer(false)
            .redirect(Policy::none())
            .dns_resolver(Arc::new(Guard { allow_private: rules.allow_private }))
            .connect_timeout(CONNECT)
            .read_timeout(IDLE)
            .pool_max_idle_per_host(1)
            .build()?;
        Ok(Self { client, rules })
    }

    /// Asks, follows redirects, and reads the whole answer.
    pub async fn get(&self, request: Request) -> Result<Response, FetchError> {
        match tokio::time::timeout(self.rules.timeout, self.follow(&request)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(FetchError::TimedOut { limit: self.rules.timeout }),
        }
    }

    /// Sends a form (`application/x-www-form-urlencoded`) with POST and reads the whole answer;
    /// a redirect is an answer like any other.
    pub async fn post(&self, url: &Url, form: &[(&str, &str)]) -> Result<Response, FetchError> {
        self.check(url)?;
        let sent = async {
            let answer = self.client.post(url.clone()).form(form).send().await.map_err(|error| told(&error, url))?;
            self.read(answer, url.clone()).await
        };
        match tokio::time::timeout(self.rules.timeout, sent).await {
            Ok(outcome) => outcome,
            Err(_) => Err(FetchError::TimedOut { limit: self.rules.timeout }),
        }
    }

    async fn follow(&self, request: &Request) -> Result<Response, FetchError> {
        let mut url = request.url.clone();
        for _ in 0..=MOST_REDIRECTS {
            self.check(&url)?;
            let answer = self.ask(request, &url).await?;
            let Some(next) = redirect(&answer, &url)? else { return self.read(answer, url).await };
            if url.scheme() == "https" && next.scheme() == "http" {
                return Err(FetchError::Downgrade(url.into()));
            }
            url = next;
        }
        Err(FetchError::Redirects(request.url.to_string()))
    }

    /// What can be known before a name is resolved; a literal address never reaches the resolver.
    fn check(&self, url: &Url) -> Result<(), FetchError> {
        let decent = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            Some(Host::Domain(_)) => None,
            None => return Err(unsuitable(url)),
        };
        if !decent {
            return Err(unsuitable(url));
        }
        match address {
            Some(address) if !reach::may_ask(address, self.rules.allow_private) => {
                Err(FetchError::Forbidden { host: host_of(url), address: address.to_string() })
            }
            _ => Ok(()),
        }
    }

    async fn ask(&self, request: &Request, url: &Url) -> Result<reqwest::Response, FetchError> {
        let mut asked = self.client.get(url.clone());
        if let Some(accept) = request.accept {
            asked = asked.header(ACCEPT, accept);
        }
        if let Some(etag) = &request.etag {
            asked = asked.header(IF_NONE_MATCH, etag);
        }
        if let Some(date) = &request.last_modified {
            asked = asked.header(IF_MODIFIED_SINCE, date);
        }
        asked.send().await.map_err(|error| told(&error, url))
    }

    async fn read(&self, mut answer: reqwest::Response, url: Url) -> Result<Response, FetchError> {
        let most = self.rules.most_octets;
        if answer.content_length().is_some_and(|length| length > most) {
            return Err(FetchError::TooLarge { most });
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| told(&error, &url))? {
            if (body.len() + chunk.len()) as u64 > most {
                return Err(FetchError::TooLarge { most });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status: answer.status().as_u16(), url, headers: answer.headers().clone(), body })
    }
}

/// Where an answer leads, if it is a redirect (RFC 9110 §15.4; 304 is none).
fn redirect(answer: &reqwest::Response, url: &Url) -> Result<Option<Url>, FetchError> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = answer.headers().get(LOCATION).and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
    match location.and_then(|location| url.join(location).ok()) {
        Some(next) => Ok(Some(next)),
        None => Err(FetchError::Redirects(url.to_string())),
    }
}

/// The password does not belong into a message.
fn unsuitable(url: &Url) -> FetchError {
    FetchError::Unsuitable(format!("{}://{}{}", url.scheme(), host_of(url), url.path()))
}

fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

/// The client's error as one of ours.
fn told(error: &reqwest::Error, url: &Url) -> FetchError {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
        if let Some(unreachable) = innermost.downcast_ref::<Unreachable>() {
            return FetchError::Forbidden { host: host_of(url), address: unreachable.0.to_string() };
        }
    }
    if error.is_timeout() {
        return FetchError::TimedOut { limit: if error.is_connect() { CONNECT } else { IDLE } };
    }
    FetchError::Broken { host: host_of(url), detail: innermost.to_string() }
}
