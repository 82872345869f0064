//! Tags that mean the same: `zh-TW` is read as `zh-Hant`, wherever it is written.

use crate::support::articles::draft;
use crate::support::web::{header, serve};
use crate::support::{World, language, on_each_engine};

async fn with_languages(tags: &'static str, body: impl AsyncFn(World)) {
    on_each_engine(async |mut world: World| {
        world.site.languages = tags.split(' ').map(language).collect();
        body(world).await;
    })
    .await;
}

#[tokio::test]
async fn an_address_with_another_tag_for_a_language_of_the_site_leads_to_its_own() {
    with_languages("en ja zh-Hans zh-Hant", async |world| {
        draft("zh-Hant", "family", 1, &["defectors"]).save(&world).await;
        let site = serve(&world).await;
        for (path, location) in [
            ("/zh-TW/subscribe", "/zh-Hant/subscribe"),
            ("/zh-HK/", "/zh-Hant/"),
            ("/zh-MO", "/zh-Hant/"),
            ("/zh-hant/feed.xml", "/zh-Hant/feed.xml"),
            ("/zh-tw/category/defectors/feed.xml", "/zh-Hant/category/defectors/feed.xml"),
            ("/zh-TW/2027/09/family/", "/zh-Hant/2027/09/family/"),
            ("/zh-cn/feeds?x=1", "/zh-Hans/feeds?x=1"),
            ("/zh/", "/zh-Hans/"),
            ("/JA/", "/ja/"),
            ("/en-GB/subscribe", "/subscribe"),
            ("/zh-TW//elsewhere.example.org/", "/zh-Hant/elsewhere.example.org/"),
        ] {
            let answer = site.get(path).await;
            assert_eq!((answer.status().as_u16(), header(&answer, "location")), (301, location), "{path}");
        }
        for path in ["/ko/subscribe2", "/de/", "/ch/subscription", "/zh-Hant/nowhere/"] {
            assert_eq!(site.get(path).await.status(), 404, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_links_of_old_mails_stay_good_when_their_language_is_given_up() {
    with_languages("en zh-Hans", async |world| {
        let site = serve(&world).await;
        for (path, location) in [
            ("/ko/unsubscribe/token", "/unsubscribe/token"),
            ("/ja/preferences", "/preferences"),
            ("/zh-Hant/confirm/token", "/zh-Hans/confirm/token"),
        ] {
            let answer = site.get(path).await;
            assert_eq!((answer.status().as_u16(), header(&answer, "location")), (301, location), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_reader_of_the_other_script_is_offered_the_one_there_is() {
    with_languages("en zh-Hans", async |world| {
        for (wanted, nearest) in [("zh-Hant", "zh-Hans"), ("zh-TW", "zh-Hans"), ("zh", "zh-Hans"), ("ko", "en")] {
            assert_eq!(world.site.nearest_language(&language(wanted)), &language(nearest), "{wanted}");
        }
        assert_eq!(world.site.language_of(&language("zh-CN")), Some(&language("zh-Hans")));
        assert_eq!(world.site.language_of(&language("zh-TW")), None, "another script is a translation");
    })
    .await;
}
