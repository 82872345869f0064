//! The whole main job with nothing faked but the clock: the real program, a real SMTP socket, a
//! real HTTP client.

use crate::support::program::{Daemon, mail_link};
use crate::support::relay::Relay;
use reqwest::StatusCode;

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
    let relay = Relay::start().await;
    let mut daemon = Daemon::start("2027-09-18T12:00:00+09:00", relay.port()).await;

    // An article is saved and is in the feeds.
    daemon.write("content/family.md", ARTICLE);
    daemon.write("content/family.ja.md", ARTICLE_JA);
    for path in ["/feed.xml", "/category/defectors/atom.xml", "/feed.json"] {
        daemon.wait_for(path, "A family reaches Seoul").await;
    }
    daemon.wait_for("/ja/category/defectors/feed.xml", "ある家族、ソウルに到着").await;

    // Somebody subscribes on the Japanese page, confirms, and is not mailed what is old.
    daemon.subscribe("ja", "hana@example.org", &["ja"]).await;
    let confirmation = relay.wait_for_mail_to("hana@example.org").await;
    let link = mail_link(&confirmation, "/confirm/");
    assert_eq!(daemon.get(&link).await.status(), StatusCode::OK);
    let confirmed = daemon.post(&link, &[]).await;
    assert_eq!(confirmed.status(), StatusCode::OK);

    // What appears afterwards is in Monday's digest, in their language, once.
    daemon.write("content/report.md", &ARTICLE.replace("A family reaches Seoul", "Report from the river"));
    daemon.write("content/report.ja.md", &ARTICLE_JA.replace("ある家族、ソウルに到着", "川からの報告"));
    daemon.wait_for("/ja/feed.json", "川からの報告").await;
    daemon.set_clock("2027-09-20T08:00:30+09:00");
    let digest = relay.wait_for_mail_to("hana@example.org").await;
    assert!(digest.subject().contains("川からの報告"), "{}", digest.subject());
    assert!(!digest.text().contains("ソウルに到着"), "what was there before the confirmation is not mailed");
    assert!(!digest.text().contains("Report from the river"), "one language per article");

    // The next Monday there is nothing new: no mail.
    daemon.set_clock("2027-09-27T08:00:30+09:00");
    daemon.settle().await;
    relay.assert_no_more_mail();

    // A petition is made ready: plan to staff, question to the approvers, approval, alert.
    daemon.write_petition("2027-10-10", "2027-10-20T18:00");
    daemon.set_clock("2027-09-27T09:00:00+09:00");
    daemon.settle().await;
    daemon.set_clock("2027-09-27T09:05:00+09:00");
    let approval = relay.wait_for_mail_to_with("chair@example.org", "/approve/").await;
    relay.wait_for_mail_to("office@example.org").await;
    let link = mail_link(&approval, "/approve/");
    let page = daemon.get(&link).await.text().await.unwrap();
    assert!(page.contains("大使館"), "the approver sees the text in every language");
    assert_eq!(daemon.post(&link, &[("step", "call")]).await.status(), StatusCode::OK);
    daemon.settle().await;
    relay.assert_no_more_mail_to("hana@example.org");
    daemon.set_clock("2027-09-27T09:20:00+09:00");
    let alert = relay.wait_for_mail_to("hana@example.org").await;
    assert!(alert.text().contains("大使館"));

    // One click, and no further mail.
    let leave = alert.header("List-Unsubscribe").trim_matches(['<', '>']).to_owned();
    assert_eq!(alert.header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    let left = daemon.post(&leave, &[("List-Unsubscribe", "One-Click")]).await;
    assert_eq!(left.status(), StatusCode::OK);
    assert!(left.headers().get("set-cookie").is_none());
    daemon.write("content/later.ja.md", &ARTICLE_JA.replace("ある家族、ソウルに到着", "その後の知らせ").replace("09-18", "09-27"));
    daemon.wait_for("/ja/feed.json", "その後の知らせ").await;
    daemon.set_clock("2027-10-04T08:00:30+09:00");
    daemon.settle().await;
    relay.assert_no_more_mail_to("hana@example.org");

    assert_eq!(daemon.terminate().await, Some(0));
}
