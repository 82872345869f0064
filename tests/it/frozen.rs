//! `clarion freeze` while the real program sends as fast as its relay takes mail.

use crate::kill::{CONNECTIONS, Ordeal, Scene};
use std::process::Command;
use std::time::{Duration, Instant};

/// Runs a command beside the daemon.
fn run(scene: &Scene, command: &str) {
    let done = Command::new(env!("CARGO_BIN_EXE_clarion"))
        .args(["--config", "config/clarion.toml", command])
        .current_dir(scene.daemons[0].folder())
        .env("CLARION_CLOCK", format!("file:{}", scene.daemons[0].folder().join("clock").display()))
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn frozen_in_the_middle_nothing_more_leaves_until_it_thaws() {
    let mut scene = Scene::set(&Ordeal { ends: 0, readers: 400, hesitation: Duration::from_millis(20) }, None, 1).await;
    while scene.relay.received().len() < 40 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let begun = Instant::now();
    run(&scene, "freeze");
    let (took, bodies) = (begun.elapsed(), scene.relay.bodies());
    assert!(bodies < 400, "it was over before");
    // A program built for tests takes its time to start, so only much more than that is wrong.
    assert!(took < Duration::from_secs(5), "{took:?}");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let after = scene.relay.bodies();
    assert!(after <= bodies + CONNECTIONS, "{after} after {bodies}: more than were being handed over");
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(scene.relay.bodies(), after);
    run(&scene, "thaw");
    let ledger = scene.ledger().await;
    scene.end().await;
    let received = scene.received();
    assert!(ledger.iter().all(|(person, entry)| entry.state == "sent" && received[person].len() == 1), "somebody got none, or two");
}
