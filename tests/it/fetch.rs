//! What is asked of other sites is bounded, whatever they answer.

use crate::support::host::{Host, Reply};
use clarion::fetch::{Fetch, FetchError, Request, Rules};
use flate2::{Compression, write::GzEncoder};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use url::Url;

fn client(allow_private: bool) -> Fetch {
    let rules = Rules { allow_private, most_octets: 100_000, timeout: Duration::from_secs(2) };
    Fetch::new(rules, &"https://news.example.org".parse().unwrap()).unwrap()
}

async fn get(url: Url) -> Result<clarion::fetch::Response, FetchError> {
    client(true).get(Request::new(url)).await
}

fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn an_answer_comes_whole_with_its_validators_and_says_who_asks() {
    let host =
        Host::begin(|_| Reply::page("Text/Plain; charset=utf-8", gzip(b"hello")).with("Content-Encoding", "gzip").with("ETag", "\"1\""))
            .await;
    let request = Request {
        etag: Some("\"0\"".into()),
        last_modified: Some("then".into()),
        accept: Some("text/plain"),
        ..Request::new(host.url("/a"))
    };
    let response = client(true).get(request).await.unwrap();
    assert_eq!((response.status, &*response.body, response.header("etag")), (200, &b"hello"[..], Some("\"1\"")));
    assert_eq!(response.media_type(), "text/plain");
    let asked = &host.take_asked()[0];
    let header = |name: &str| asked.headers.get(name).map(String::as_str);
    assert_eq!(header("user-agent"), Some(&*format!("Clarion/{} (+https://news.example.org/)", env!("CARGO_PKG_VERSION"))));
    assert_eq!((header("if-none-match"), header("if-modified-since"), header("accept")), (Some("\"0\""), Some("then"), Some("text/plain")));
    assert_eq!((header("cookie"), header("authorization"), header("referer")), (None, None, None));
}

#[tokio::test]
async fn a_body_is_read_up_to_the_bound_and_no_further() {
    let bomb = gzip(&vec![0; 5_000_000]);
    let host = Host::begin(move |asked| match asked.path() {
        "/endless" => Reply::Endless,
        "/bomb" => Reply::page("text/plain", bomb.clone()).with("Content-Encoding", "gzip"),
        "/announced" => Reply::page("text/plain", vec![b'a'; 100_001]),
        _ => Reply::page("text/plain", vec![b'a'; 100_000]),
    })
    .await;
    for path in ["/endless", "/bomb", "/announced"] {
        assert_eq!(get(host.url(path)).await.unwrap_err(), FetchError::TooLarge { most: 100_000 }, "{path}");
    }
    assert_eq!(get(host.url("/fits")).await.unwrap().body.len(), 100_000);
}

#[tokio::test]
async fn who_answers_slowly_or_half_is_not_waited_for() {
    let host = Host::begin(|asked| match asked.path() {
        "/drip" => Reply::Drip,
        "/silence" => Reply::Silence,
        _ => Reply::Cut,
    })
    .await;
    for path in ["/drip", "/silence"] {
        assert_eq!(get(host.url(path)).await.unwrap_err(), FetchError::TimedOut { limit: Duration::from_secs(2) }, "{path}");
    }
    assert!(matches!(get(host.url("/cut")).await.unwrap_err(), FetchError::Broken { .. }));
}

#[tokio::test]
async fn hosts_of_this_network_are_refused_by_number_and_by_name() {
    let host = Host::begin(|_| Reply::page("text/plain", "secret")).await;
    let port = host.address.port();
    for name in ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"] {
        let url = Url::parse(&format!("http://{name}:{port}/")).unwrap();
        let refused = client(false).get(Request::new(url)).await.unwrap_err();
        assert!(matches!(refused, FetchError::Forbidden { .. }), "{name}: {refused:?}");
    }
    assert!(host.take_asked().is_empty(), "nothing was asked");
    let url = Url::parse(&format!("http://localhost:{port}/")).unwrap();
    assert_eq!(get(url).await.unwrap().body, b"secret", "the name is good where the operator allows it");
}

#[tokio::test]
async fn each_redirect_is_judged_like_the_first_address() {
    let host = Host::begin(|asked| match asked.path() {
        "/metadata" => Reply::redirect("http://169.254.169.254/latest/meta-data/"),
        "/mapped" => Reply::redirect("http://[::ffff:a9fe:a9fe]/"),
        "/file" => Reply::redirect("file:///etc/passwd"),
        "/password" => Reply::redirect("http://user:secret@localhost/"),
        "/loop" => Reply::redirect("/loop"),
        "/nowhere" => Reply::status(301),
        "/twice" => Reply::redirect("once"),
        "/once" => Reply::redirect("/end"),
        _ => Reply::page("text/plain", "end"),
    })
    .await;
    for path in ["/metadata", "/mapped"] {
        let refused = get(host.url(path)).await.unwrap_err();
        assert!(matches!(refused, FetchError::Forbidden { .. }), "{path}: {refused:?}");
    }
    for path in ["/file", "/password"] {
        let refused = get(host.url(path)).await.unwrap_err();
        assert!(matches!(refused, FetchError::Unsuitable(_)) && !refused.to_string().contains("secret"), "{path}: {refused:?}");
    }
    host.take_asked();
    assert!(matches!(get(host.url("/loop")).await.unwrap_err(), FetchError::Redirects(_)));
    assert_eq!(host.take_asked().len(), 6, "the first and five redirects");
    assert!(matches!(get(host.url("/nowhere")).await.unwrap_err(), FetchError::Redirects(_)));
    let found = get(host.url("/twice")).await.unwrap();
    assert_eq!((found.body.as_slice(), found.url), (&b"end"[..], host.url("/end")));
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], signing_key.serialize_der().try_into().unwrap())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("https://localhost:{}/", listener.local_addr().unwrap().port())).unwrap();
    let accepted = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        TlsAcceptor::from(Arc::new(config)).accept(stream).await.is_ok()
    });
    let FetchError::Broken { detail, .. } = get(url).await.unwrap_err() else { panic!("not refused") };
    assert!(detail.contains("UnknownIssuer"), "{detail}");
    assert!(!accepted.await.unwrap(), "nothing was said over that connection");
}
