//! Feeds asked for in all the ways that a connection allows, between other requests.

use super::published;
use crate::support::articles::{Draft, draft};
use crate::support::web::Site;
use crate::support::{World, on_each_engine};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const FEED: &str = "GET /feed.xml HTTP/1.1\r\nHost: x\r\nAccept-Encoding: identity\r\n\r\n";
const PAGE: &str = "GET /subscribe HTTP/1.1\r\nHost: x\r\n\r\n";

/// Comes last, and is answered with 404 where the connection is still open.
const END: &str = "HEAD /end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/// The answers to what is sent in pieces, a moment apart, until the server closes: status, length
/// said, and body.
async fn talk(site: &Site, pieces: &[&str]) -> Vec<(u16, usize, Vec<u8>)> {
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in pieces {
        stream.write_all(piece.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let heads = pieces.concat().split("\r\n\r\n").map(|head| head.starts_with("HEAD")).collect::<Vec<_>>();
    let (mut answers, mut rest) = (Vec::new(), bytes.as_slice());
    while !rest.is_empty() {
        let end = rest.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer");
        let head = std::str::from_utf8(&rest[..end]).unwrap().to_ascii_lowercase();
        let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        assert!(length.is_some() || status == 304, "where does this end? {head}");
        let length = length.map_or(0, |length| length.parse().unwrap());
        let sent = if heads[answers.len()] { 0 } else { length };
        answers.push((status, length, rest[end + 4..end + 4 + sent].to_vec()));
        rest = &rest[end + 4 + sent..];
    }
    answers
}

/// A feed too large to be sent at once.
async fn large(world: &World) -> Site {
    for age in 0..20 {
        Draft { body: format!("<p>{}</p>", "by the river ".repeat(5_000)), ..draft("en", &format!("n{age}"), age, &[]) }.save(world).await;
    }
    published(world).await.0
}

#[tokio::test]
async fn requests_are_answered_in_order_however_they_come() {
    on_each_engine(async |world| {
        draft("en", "one", 1, &[]).save(&world).await;
        let (site, _) = published(&world).await;
        let plain = site.get("/feed.xml").await.bytes().await.unwrap().to_vec();
        let head = FEED.replace("GET", "HEAD");
        let close = FEED.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
        let old = FEED.replace("HTTP/1.1", "HTTP/1.0");
        let long = format!("GET /feed.xml HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "x".repeat(9_000));
        let many = format!("GET /feed.xml HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-A: b\r\n".repeat(60));
        let body = "GET /feed.xml HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET /";
        let table: &[(&[&str], &[u16])] = &[
            (&[FEED, END], &[200, 404]),
            (&[&[FEED, END].concat()], &[200, 404]),
            (&[&FEED.repeat(3), END], &[200, 200, 200, 404]),
            (&[&FEED[..30], &FEED[30..], END], &[200, 404]),
            (&[&FEED[..1], &FEED[1..], FEED, END], &[200, 200, 404]),
            (&[&[FEED, &FEED[..7]].concat(), &FEED[7..], END], &[200, 200, 404]),
            (&[&[FEED, PAGE, FEED, END].concat()], &[200, 200, 200, 404]),
            (&[FEED, PAGE, FEED, PAGE, END], &[200, 200, 200, 200, 404]),
            (&[&[head.as_str(), FEED, END].concat()], &[200, 200, 404]),
            (&[&[close.as_str(), FEED].concat()], &[200]),
            (&[&old], &[200]),
            (&[&long, END], &[200, 404]),
            (&[&many, END], &[200, 404]),
            (&[body, FEED, END], &[200, 200, 404]),
            (&["GET /feed.xml HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n", FEED, END], &[304, 200, 404]),
            (&[&["GET /feed.xml HTTP/1.1\r\nHost: x\r\nIf-Match: \"other\"\r\n\r\n", FEED, END].concat()], &[412, 200, 404]),
            (&[&[FEED, "nonsense\r\n\r\n"].concat()], &[200, 400]),
            (&["\r\n", FEED, END], &[200, 404]),
            (&["GET /nothing.xml HTTP/1.1\r\nHost: x\r\n\r\n", FEED, END], &[404, 200, 404]),
        ];
        for (pieces, statuses) in table {
            let answers = talk(&site, pieces).await;
            assert_eq!(answers.iter().map(|(status, ..)| *status).collect::<Vec<_>>(), *statuses, "{pieces:?}");
            for (status, length, body) in answers.iter().filter(|(_, length, _)| *length == plain.len()) {
                assert_eq!((*status, *length), (200, plain.len()));
                assert!(body.is_empty() || *body == plain, "{pieces:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_large_feed_reaches_also_who_reads_slowly_and_between_other_requests() {
    on_each_engine(async |world| {
        let site = large(&world).await;
        let plain = site.get("/feed.xml").await.bytes().await.unwrap().to_vec();
        assert!(plain.len() > 1_000_000);
        let answers = talk(&site, &[&[FEED, FEED, PAGE, FEED, END].concat()]).await;
        assert_eq!(answers.len(), 5);
        assert!([0, 1, 3].iter().all(|place| answers[*place].2 == plain));

        let mut slow = TcpStream::connect(site.address).await.unwrap();
        slow.write_all(FEED.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").as_bytes()).await.unwrap();
        let (mut read, mut piece) = (Vec::new(), vec![0; 100_000]);
        loop {
            tokio::time::sleep(Duration::from_millis(5)).await;
            match slow.read(&mut piece).await.unwrap() {
                0 => break,
                count => read.extend_from_slice(&piece[..count]),
            }
        }
        assert!(read.ends_with(&plain));
    })
    .await;
}

#[tokio::test]
async fn when_the_daemon_stops_an_answer_is_finished_and_who_waits_is_let_go() {
    on_each_engine(async |world| {
        let site = large(&world).await;
        let plain = site.get("/feed.xml").await.bytes().await.unwrap().len();
        let mut reading = TcpStream::connect(site.address).await.unwrap();
        reading.write_all(FEED.as_bytes()).await.unwrap();
        let mut begun = [0; 1000];
        reading.read_exact(&mut begun).await.unwrap();
        let mut waiting = TcpStream::connect(site.address).await.unwrap();
        waiting.write_all(FEED.replace("GET", "HEAD").as_bytes()).await.unwrap();
        assert!(waiting.read(&mut begun).await.unwrap() > 0);

        drop(site);
        let mut rest = Vec::new();
        let end = tokio::time::timeout(Duration::from_secs(5), waiting.read_to_end(&mut rest)).await;
        assert_eq!(end.expect("who waits is let go").unwrap(), 0);
        reading.read_to_end(&mut rest).await.unwrap();
        assert!(rest.len() + 1000 > plain, "the answer in progress is finished");
    })
    .await;
}
