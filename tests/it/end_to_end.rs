//! The whole main job with nothing faked but the clock: the real program, a real SMTP socket, a
//! real HTTP client.

use crate::support::inbox::Inbox;
use crate::support::program::Daemon;
use reqwest::StatusCode;

const HANA: &str = "hana@example.org";

const ARTICLE: &str = "+++
title = \"A family reaches Seoul\"
date = 2027-09-18T10:00:00+09:00
categories = [\"Defectors\"]
+++
After eleven weeks a family of four is safe.
";
const ARTICLE_JA: &str = "+++
title = \"ある家族、ソウルに到着\"
date = 2027-09-18T10:00:00+09:00
categories = [\"脱北者\"]
+++
11週間の旅を経て、4人家族が無事に到着しました。
";

#[tokio::test(flavor = "multi_thread")]
async fn an_article_a_subscriber_a_digest_and_a_petition_from_end_to_end() {
    let inbox = Inbox::open().await;
    let mut daemon = Daemon::start("2027-09-18T12:00:00+09:00", inbox.relay.port()).await;

    // An article is saved and is in the feeds.
    daemon.write("content/family.md", ARTICLE);
    daemon.write("content/family.ja.md", ARTICLE_JA);
    for path in ["/feed.xml", "/category/defectors/atom.xml", "/feed.json"] {
        daemon.wait_for(path, "A family reaches Seoul").await;
    }
    daemon.wait_for("/ja/category/defectors/feed.xml", "ある家族、ソウルに到着").await;

    // Somebody subscribes on the Japanese page and confirms; looking changes nothing.
    daemon.subscribe("ja", HANA).await;
    let link = inbox.wait_for(HANA, "/confirm/").await.link("/confirm/");
    assert_eq!(daemon.get(&link).await.status(), StatusCode::OK);
    assert_eq!(daemon.post(&link, &[]).await.status(), StatusCode::OK);

    // What appears afterwards is in Monday's digest, in their language, once.
    daemon.write("content/report.md", &ARTICLE.replace("A family reaches Seoul", "Report from the river"));
    daemon.write("content/report.ja.md", &ARTICLE_JA.replace("ある家族、ソウルに到着", "川からの報告"));
    daemon.wait_for("/ja/feed.json", "川からの報告").await;
    daemon.set_clock("2027-09-20T08:00:30+09:00");
    let digest = inbox.wait_for(HANA, "川からの報告").await;
    assert!(digest.subject.contains("川からの報告"), "{}", digest.subject);
    assert!(!digest.text.contains("ソウルに到着"), "what was there before the confirmation is not mailed");
    assert!(!digest.text.contains("Report from the river"), "one language per article");

    // The next Monday there is nothing new: no mail.
    daemon.set_clock("2027-09-27T08:00:30+09:00");
    daemon.settle().await;
    inbox.assert_nothing_for(HANA);

    // A petition is made ready: plan to staff, question to the approver.
    daemon.write_petition();
    for instant in ["2027-09-27T09:00:00+09:00", "2027-09-27T09:01:00+09:00"] {
        daemon.set_clock(instant);
        daemon.settle().await;
    }
    inbox.wait_for("office@example.org", "/stop/").await;
    daemon.set_clock("2027-09-27T09:04:00+09:00");
    let link = inbox.wait_for("chair@example.org", "/approve/").await.link("/approve/");
    let page = daemon.get(&link).await.text().await.unwrap();
    assert!(
        page.contains("Please write to the embassy.") && page.contains("大使館に手紙を書いてください。"),
        "the approver sees every text"
    );
    assert_eq!(daemon.post(&link, &[("step", "call")]).await.status(), StatusCode::OK);

    // Nothing goes out while it can still be stopped; then it goes out once.
    daemon.settle().await;
    inbox.assert_nothing_for(HANA);
    daemon.set_clock("2027-09-27T09:20:00+09:00");
    let alert = inbox.wait_for(HANA, "大使館に手紙を書いてください。").await;
    daemon.settle().await;
    inbox.assert_nothing_for(HANA);

    // One click, and no further mail.
    let leave = alert.header("List-Unsubscribe").trim_matches(['<', '>']).to_owned();
    assert_eq!(alert.header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    let left = daemon.post(&leave, &[("List-Unsubscribe", "One-Click")]).await;
    assert_eq!(left.status(), StatusCode::OK);
    assert!(left.headers().get("set-cookie").is_none());
    daemon.write("content/later.ja.md", &ARTICLE_JA.replace("ある家族、ソウルに到着", "その後の知らせ").replace("09-18", "09-26"));
    daemon.wait_for("/ja/feed.json", "その後の知らせ").await;
    daemon.set_clock("2027-10-04T08:00:30+09:00");
    daemon.settle().await;
    inbox.assert_nothing_for(HANA);

    assert_eq!(daemon.terminate().await, Some(0));
}
