//! Clients that are slow on purpose hold their places for seconds, not for ever (S7).

use crate::support::{on_each_engine, web};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Of each kind.
const CLIENTS: usize = 40;
/// The longest time that one of them holds its place, and a little for a busy machine.
const LONGEST: Duration = Duration::from_secs(18);
/// More answers than the buffers of both ends hold together.
const PIPELINED: usize = 2000;

/// What slow clients send before they fall silent.
const BEGINNINGS: [&str; 5] = [
    "",
    "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST /subscribe HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\naddress=",
    "POST /unsubscribe/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
];

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_are_sent_away_and_the_others_notice_nothing() {
    on_each_engine(async |world| {
        let site = web::serve(&world).await;
        let address = site.url("").replace("http://", "");
        let mut clients = tokio::task::JoinSet::new();
        for _ in 0..CLIENTS {
            for beginning in BEGINNINGS {
                clients.spawn(fall_silent(address.clone(), beginning));
            }
            clients.spawn(take_no_answer(address.clone()));
        }
        let mut times = Vec::new();
        while !clients.is_empty() {
            let start = Instant::now();
            assert_eq!(site.get("/subscribe").await.status(), 200);
            times.push(start.elapsed());
            tokio::time::sleep(Duration::from_millis(50)).await;
            while let Some(ended) = clients.try_join_next() {
                ended.unwrap();
            }
        }
        times.sort_unstable();
        let nearly_longest = times[times.len() * 99 / 100 - 1];
        assert!(nearly_longest < Duration::from_millis(250), "others waited {nearly_longest:?}");
    })
    .await;
}

async fn fall_silent(address: String, beginning: &'static str) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(beginning.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(LONGEST, stream.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "after {beginning:?} the connection stays open");
}

/// Asks again and again, reads nothing for a while, and then what there still is.
async fn take_no_answer(address: String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = "GET /assets/style.css HTTP/1.1\r\nHost: x\r\n\r\n";
    // The server may stop reading before all of it is sent.
    let _ = tokio::time::timeout(Duration::from_secs(1), stream.write_all(request.repeat(PIPELINED).as_bytes())).await;
    tokio::time::sleep(LONGEST).await;
    let mut taken = Vec::new();
    let _ = stream.read_to_end(&mut taken).await;
    let answers = String::from_utf8_lossy(&taken).matches("HTTP/1.1 200").count();
    assert!(answers < PIPELINED, "nobody read the answers, and yet the server waited");
}
