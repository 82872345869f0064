//! Pages for people who read.

use crate::support::{on_each_engine, web};

#[tokio::test]
async fn an_address_that_leads_nowhere_is_told_in_the_language_of_the_address() {
    on_each_engine(async |world| {
        let site = web::serve(&world).await;
        let (status, text) = site.page("/nothing-here").await;
        assert_eq!(status, 404);
        assert!(text.contains("There is no page at this address."), "{text}");
        let (status, text) = site.page("/ja/nothing-here").await;
        assert_eq!(status, 404);
        assert!(text.contains("お探しのページは見つかりませんでした。"), "{text}");
    })
    .await;
}
