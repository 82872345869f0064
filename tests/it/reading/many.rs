//! The reading pages of a site with very many articles.

use crate::support::web::{Site, header, serve};
use crate::support::{World, beginning, on_each_engine};
use std::io::Write as _;
use std::time::{Duration, Instant};

/// Figures for whoever asks for them with `--nocapture`.
macro_rules! tell {
    ($($part:tt)*) => { let _ = writeln!(std::io::stdout(), $($part)*); };
}

/// How many articles: `CLARION_TEST_MANY`, else a little more than one file of a site map holds.
#[expect(clippy::disallowed_methods, reason = "the environment of the tests, not of the program")]
fn many() -> i64 {
    std::env::var("CLARION_TEST_MANY").ok().and_then(|number| number.parse().ok()).unwrap_or(10_050)
}

/// Articles of this year and nine before it, every fourth in Japanese and a translation of the
/// one before it; all made by the database, since one by one takes long.
async fn fill(world: &World, many: i64, years: i64) {
    let mut tx = world.db.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO article (id, uid, source, path, stem, hash, state, published_seq, changed_seq, announced, language,
             translation_group, slug, title, summary, body_html, published_at, updated_at, month, first_seen_at)
         WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $1)
         SELECT i, 'tag:many:' || i, 'test', 'p' || i, 'p' || i, 'h' || i, 'published', i, i, 'no',
             CASE WHEN i % 4 = 0 THEN 'ja' ELSE 'en' END, 'g' || (CASE WHEN i % 4 = 0 THEN i - 1 ELSE i END),
             's' || i, 'Title of ' || i, 'Summary of ' || i, '<p>Body</p>',
             $2 - i * 60000, $2 - i * 60000, (2027 - i % $3) || '/09', $2
         FROM n",
    )
    .bind(many)
    .bind(beginning().as_millis())
    .bind(years)
    .execute(&mut *tx)
    .await
    .unwrap();
    let filed = "INSERT INTO article_category (article_id, slug) SELECT id, CASE WHEN id % 100 = 0 THEN 'human-rights-abuses' ELSE 'defectors' END FROM article";
    sqlx::query(filed).execute(&mut *tx).await.unwrap();
    sqlx::query("INSERT INTO article_tag (article_id, position, tag) SELECT id, 0, 'tag' FROM article WHERE id % 1000 = 1")
        .execute(&mut *tx)
        .await
        .unwrap();
    sqlx::query("UPDATE counter SET value = $1 WHERE name IN ('article', 'sequence')").bind(many).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

/// The quickest of three, with the length of the answer.
async fn timed(site: &Site, path: &str) -> (Duration, usize) {
    let mut best = (Duration::MAX, 0);
    for _ in 0..3 {
        let began = Instant::now();
        let (status, text) = site.page(path).await;
        assert_eq!(status, 200, "{path}");
        best = best.min((began.elapsed(), text.len()));
    }
    best
}

#[tokio::test]
async fn very_many_articles_are_listed_and_mapped_as_quickly_as_few() {
    on_each_engine(async |world| {
        let many = many();
        fill(&world, many, 10).await;
        let site = serve(&world).await;
        let began = Instant::now();
        // A slow machine says 408 and goes on.
        while site.page("/").await.0 == 408 {}
        tell!("{many} articles: the first look took {:?}", began.elapsed());
        for path in [
            "/",
            "/ja/",
            "/?page=400",
            "/category/human-rights-abuses/",
            "/tag/tag/",
            "/2027/09/",
            "/2027/",
            "/sitemap.xml",
            "/sitemap/2027.xml",
        ] {
            let (took, length) = timed(&site, path).await;
            tell!("{path}: {took:?}, {length} octets");
            // A list that counted rows one by one, or a map made of everything, takes longer.
            assert!(took < Duration::from_secs(5), "{path} took {took:?}");
        }
        let resident = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        tell!("{}", resident.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default());
        let newest = site.page("/").await.1;
        sqlx::query("UPDATE article SET state = 'gone', changed_seq = $1 + 1 WHERE id = 1")
            .bind(many)
            .execute(world.db.reader())
            .await
            .unwrap();
        sqlx::query("UPDATE counter SET value = $1 + 1 WHERE name = 'sequence'").bind(many).execute(world.db.reader()).await.unwrap();
        let began = Instant::now();
        let after = site.page("/").await.1;
        tell!("after an edit: {:?}", began.elapsed());
        assert!(newest.contains(">Title of 1</a>") && !after.contains(">Title of 1</a>"));
    })
    .await;
}

#[tokio::test]
async fn a_year_with_more_articles_than_a_file_takes_has_several() {
    on_each_engine(async |world| {
        fill(&world, 10_001, 1).await;
        let site = serve(&world).await;
        let (_, index) = site.page("/sitemap.xml").await;
        assert!(index.contains("/sitemap/2027.xml<") && index.contains("/sitemap/2027-2.xml<") && !index.contains("2027-3"), "{index}");
        let (_, first) = site.page("/sitemap/2027.xml").await;
        let (_, last) = site.page("/sitemap/2027-2.xml").await;
        assert_eq!((first.matches("<url>").count(), last.matches("<url>").count()), (10_000, 1));
        assert!(first.len() < 50_000_000);
        assert!(last.contains("/2027/09/s1/"), "the newest, so that a new article leaves the first file as it is");
        assert!(header(&site.get("/sitemap/2027-2.xml").await, "etag").len() > 10);
    })
    .await;
}
