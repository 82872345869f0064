//! What holds all mail up, told above a listing: a stop, a relay that is down, a warm-up.

use super::{Context, output::line};
use crate::delivery::{self, RelayState};
use sqlx::AnyConnection;

/// Tells what holds mail up, if anything does.
pub(super) async fn tell(connection: &mut AnyConnection, context: &Context) -> anyhow::Result<()> {
    if delivery::frozen(connection).await? {
        line("All sending is stopped; it goes on with: clarion thaw");
    }
    for relay in delivery::relay_health(connection).await? {
        if relay.state == RelayState::Down {
            let since = relay.since.in_zone(&context.config.site.time_zone).strftime("%Y-%m-%d %H:%M").to_string();
            line(format_args!("The relay {} is down since {since}: {}", relay.name, relay.reason.unwrap_or_default()));
        }
    }
    if let Some(warm_up) = &context.config.rates.warm_up {
        let warmth = delivery::warmth(connection, warm_up, &context.config.site.time_zone, context.clock.now()).await?;
        line(format_args!("Warming up: {} of {} mails of {} have left.", warmth.sent, warmth.cap, warmth.day));
    }
    Ok(())
}
