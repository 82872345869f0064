//! The codings that take longer, made after publication, one at a time.

use super::shelf::Shelf;
use crate::clock::Clock;
use crate::task::{Step, Wake};
use anyhow::Context as _;
use std::time::Instant;

/// Makes brotli and zstd of what stands on the shelf; until they are there, gzip is served.
/// One at a time, and as long as that took nothing: a small machine keeps at least half of a
/// processor for its readers.
pub struct CodingStep {
    shelf: Shelf,
    clock: Clock,
}

impl CodingStep {
    /// A step for the feeds on `shelf`.
    pub fn new(shelf: Shelf, clock: Clock) -> Self {
        Self { shelf, clock }
    }
}

impl Step for CodingStep {
    const NAME: &'static str = "coding";

    async fn step(&self) -> anyhow::Result<Wake> {
        // Looked for each time: what has been replaced meanwhile is not worth the work.
        let Some((feed, coding)) = self.shelf.uncoded() else { return Ok(Wake::WhenKicked) };
        let begun = Instant::now();
        let made = tokio::task::spawn_blocking(move || feed.coded.make(coding)).await;
        made.context("a feed could not be compressed")??;
        Ok(Wake::At(self.clock.now() + begun.elapsed()))
    }
}
