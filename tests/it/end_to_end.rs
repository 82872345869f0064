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

    every_mail_is_accounted_for(&daemon).await;
    assert_eq!(daemon.terminate().await, Some(0));
}

/// The same sums in the list, in the report as JSON and as a spreadsheet, and to who watches.
async fn every_mail_is_accounted_for(daemon: &Daemon) {
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let list = json(&daemon.ask(&["mailing", "list", "--json"]).await.1);
    assert!(list.as_array().unwrap().len() >= 4);
    for mailing in list.as_array().unwrap() {
        let id = mailing["id"].to_string();
        let (code, report) = daemon.ask(&["mailing", "report", &id, "--json"]).await;
        let lines = json(&report).as_array().unwrap().len();
        let all: u64 = mailing["deliveries"].as_object().unwrap().values().filter_map(serde_json::Value::as_u64).sum();
        assert_eq!((code, lines as u64), (0, all));
        let (_, csv) = daemon.ask(&["mailing", "report", &id, "--csv"]).await;
        assert_eq!(csv.lines().count(), lines + 1);
        assert!(!csv.contains('@') && !report.contains('@'), "nobody is named");
        let (code, progress) = daemon.ask(&["mailing", "watch", &id, "--json"]).await;
        assert_eq!((code, &json(&progress)["state"]), (0, &"done".into()));
    }
}
