//! Cutting: what a run has for many people at a time, and their deliveries in the ledger.

use super::Settings;
use super::email::{Issue, Rendered, mail_language};
use super::selection::{Carried, Offer, Verdict, verdict};
use crate::clock::Timestamp;
use crate::content::{self, Article};
use crate::delivery::{self, NewDelivery, NewVariant, To, UNSUBSCRIBE, slot};
use crate::language::{Catalogue, Language};
use crate::site::Site;
use crate::subscription::{self, Reader};
use crate::vault::{Vault, content_hash};
use sqlx::AnyConnection;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// People who get the same mail: these articles, in a mail of this language.
pub(super) type Group = (Vec<i64>, Language);

/// What a run has for each of these readers, in their order.
pub(super) async fn verdicts(
    connection: &mut AnyConnection,
    settings: &Settings,
    site: &Site,
    readers: &[Reader],
    upper: i64,
) -> anyhow::Result<Vec<Verdict>> {
    let from = readers.iter().map(|reader| reader.watermark).min().unwrap_or(upper);
    let mut candidates = content::announced(connection, from, upper).await?;
    // Who wants a topic wants what is filed below it.
    for headline in &mut candidates {
        let above: Vec<String> = headline.categories.iter().flat_map(|slug| site.ancestors(slug)).map(|above| above.slug.clone()).collect();
        headline.categories.extend(above);
    }
    if candidates.is_empty() {
        return Ok(vec![Verdict::Nothing; readers.len()]);
    }
    let offer = Offer::new(candidates, upper);
    let groups = offer.groups();
    let offer = offer.with_versions(content::in_groups(connection, &groups).await?);
    let people: Vec<i64> = readers.iter().map(|reader| reader.person).collect();
    let mut carried: HashMap<i64, HashMap<String, Carried>> = HashMap::new();
    for item in delivery::carried(connection, &people, &groups).await? {
        let before = carried.entry(item.person).or_default().entry(item.translation_group).or_default();
        before.up_to = before.up_to.max(item.up_to);
        before.articles.insert(item.article);
    }
    let none = HashMap::new();
    Ok(readers.iter().map(|reader| verdict(settings, &offer, reader, carried.get(&reader.person).unwrap_or(&none))).collect())
}

/// Readers by what they get.
pub(super) fn groups(site: &Site, readers: &[Reader], verdicts: &[Verdict]) -> BTreeMap<Group, Vec<i64>> {
    let mut groups: BTreeMap<Group, Vec<i64>> = BTreeMap::new();
    for (reader, verdict) in readers.iter().zip(verdicts) {
        if let Verdict::Send(articles) = verdict {
            let language = mail_language(site, &reader.choices.languages).clone();
            groups.entry((articles.clone(), language)).or_default().push(reader.person);
        }
    }
    groups
}

/// The articles of some groups, by number.
pub(super) async fn articles<'a>(
    connection: &mut AnyConnection,
    groups: impl Iterator<Item = &'a Group>,
) -> anyhow::Result<HashMap<i64, Article>> {
    let ids: BTreeSet<i64> = groups.flat_map(|(ids, _)| ids.iter().copied()).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<i64> = ids.into_iter().collect();
    Ok(content::by_ids(connection, &ids).await?.into_iter().map(|article| (article.id, article)).collect())
}

/// What mails are made of, besides articles.
pub(super) struct Press<'a> {
    pub settings: &'a Settings,
    pub site: &'a Site,
    pub catalogue: &'a Catalogue,
}

impl Press<'_> {
    /// The mail of a group, and the articles in it. `None` if all have been withdrawn meanwhile.
    pub(super) fn print<'a>(
        &self,
        (ids, language): &Group,
        articles: &'a HashMap<i64, Article>,
        way_out: String,
    ) -> anyhow::Result<Option<(Rendered, Vec<&'a Article>)>> {
        let articles: Vec<&Article> = ids.iter().filter_map(|id| articles.get(id)).collect();
        if articles.is_empty() {
            return Ok(None);
        }
        let Self { settings, site, catalogue } = *self;
        let issue = Issue { site, catalogue, time_zone: &settings.time_zone, language, articles: &articles, way_out };
        Ok(Some((issue.render()?, articles)))
    }
}

/// A mailing that is being cut.
pub(super) struct Mailing<'a> {
    pub id: i64,
    pub key: &'a str,
    pub upper: i64,
}

/// Writes what a run has for these readers: variants, deliveries, watermarks. Returns how many
/// people get a mail.
pub(super) async fn cut(
    connection: &mut AnyConnection,
    vault: &Vault,
    press: &Press<'_>,
    mailing: &Mailing<'_>,
    readers: &[Reader],
    now: Timestamp,
) -> anyhow::Result<u64> {
    let verdicts = verdicts(connection, press.settings, press.site, readers, mailing.upper).await?;
    // Before the counters of the ledger, which whoever changes a subscription takes after it too:
    // the other order could lock both out.
    let considered: Vec<i64> =
        readers.iter().zip(&verdicts).filter(|(_, verdict)| **verdict != Verdict::Waits).map(|(reader, _)| reader.person).collect();
    subscription::advance_watermarks(connection, &considered, mailing.upper).await?;
    let groups = groups(press.site, readers, &verdicts);
    let articles = articles(connection, groups.keys()).await?;
    let mark = delivery::mark(vault, mailing.key);
    let mut deliveries = Vec::new();
    for (group, people) in &groups {
        let Some((rendered, articles)) = press.print(group, &articles, slot(&mark, UNSUBSCRIBE))? else { continue };
        let items: Vec<(String, i64)> = articles.iter().map(|article| (article.translation_group.clone(), article.id)).collect();
        let variant = NewVariant {
            key: &variant_key(group),
            language: &group.1,
            subject: &rendered.subject,
            body_text: &rendered.body_text,
            body_html: &rendered.body_html,
            mark: &mark,
            items: &items,
        };
        let variant = delivery::add_variant(connection, mailing.id, &variant).await?;
        deliveries.extend(people.iter().map(|person| NewDelivery { to: To::Person(*person), variant, personal: Vec::new() }));
    }
    delivery::add_deliveries(connection, vault, mailing.id, &deliveries, now).await
}

fn variant_key((ids, language): &Group) -> String {
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    content_hash(&[ids.join(",").as_bytes(), language.to_string().as_bytes()])
}
