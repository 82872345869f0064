//! Pages that other rooms publish, and every question one can ask the store.

use crate::support::{World, language, on_each_engine};
use clarion::content::{self, Page, Selection};

#[tokio::test]
async fn a_page_of_another_room_is_read_like_an_article_and_never_mailed() {
    on_each_engine(async |world: World| {
        let japanese = language("ja");
        let page = |markdown| Page {
            source: "petition",
            path: "snkr-day/2027/ja",
            language: &japanese,
            translation_group: "petition/snkr-day/2027",
            title: "脱北者を救う日",
            summary: "署名のお願い",
            markdown,
            categories: &["petitions", "defectors"],
            canonical_url: "http://news.example.org/ja/petitions/snkr-day/2027/",
        };
        let publish = async |markdown| {
            let mut tx = world.db.begin().await.unwrap();
            content::publish_page(&mut tx, &world.site, &page(markdown), world.clock.now()).await.unwrap();
            tx.commit().await.unwrap();
        };
        publish("本文 [手紙](letter/cn-tokyo)").await;
        publish("本文 [手紙](letter/cn-tokyo)").await;

        let mut connection = world.db.reader().acquire().await.unwrap();
        let (wanted, other) = (["statements".to_owned(), "defectors".to_owned()], ["defector".to_owned(), "x".to_owned()]);
        let selection = Selection { language: Some(&japanese), categories: Some(&wanted), ..Selection::default() };
        let first = content::latest(&mut connection, &selection, 10, 0).await.unwrap().remove(0);
        assert_eq!(first.categories, ["defectors", "petitions"]);
        assert!(first.body_html.contains("http://news.example.org/ja/petitions/snkr-day/2027/letter/cn-tokyo"), "{}", first.body_html);
        assert_eq!((first.published_seq, first.changed_seq), (Some(1), 1), "publishing the same twice did nothing");
        assert_eq!(first.uid, "tag:example.org,2026:2027-09-20:petition/snkr-day/2027/ja");
        assert_eq!(content::announced(&mut connection, 0, 10).await.unwrap(), []);
        assert_eq!(content::in_groups(&mut connection, &["petition/snkr-day/2027".into()]).await.unwrap().len(), 1);
        assert_eq!(content::count(&mut connection, &selection).await.unwrap(), 1);
        assert_eq!(content::count(&mut connection, &Selection { categories: Some(&other), ..Selection::default() }).await.unwrap(), 0);
        let signposts = content::signposts(&mut connection, &[99, first.id]).await.unwrap();
        assert_eq!(signposts.iter().map(|post| (post.id, post.title.as_str())).collect::<Vec<_>>(), [(first.id, "脱北者を救う日")]);

        world.pass(std::time::Duration::from_mins(1));
        publish("本文を改めました").await;
        let second = content::at_address(&mut connection, &japanese, &first.month, &first.slug).await.unwrap().unwrap();
        assert_eq!((second.published_seq, second.changed_seq), (Some(1), 2));
        assert_eq!(second.published_at, first.published_at);
        assert!(second.updated_at > first.updated_at);
        let changes = content::changed_since(&mut connection, 1).await.unwrap();
        assert_eq!(changes.iter().map(|change| change.changed_seq).collect::<Vec<_>>(), [2]);
        assert_eq!(content::by_ids(&mut connection, &[99, second.id]).await.unwrap(), [second]);
        assert_eq!(content::high_water(&mut connection).await.unwrap(), 2);
    })
    .await;
}
