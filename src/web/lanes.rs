//! Threads that answer for feeds, one for every two processors: no connection moves from one to another
//! and no thread wakes another, which for so short an answer costs as much as the answer.

use crate::task::lane;
use std::io;
use std::num::NonZero;
use std::thread;
use tokio::runtime::Handle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// More would only wait for the network.
const MOST: usize = 8;
/// One thread answers tens of thousands of times a second; with a processor for each there would
/// be none for the kernel's part of the work, and for all else that the daemon does.
const PROCESSORS_EACH: usize = 2;

/// They end, with what they still do, when this is dropped.
pub(super) struct Lanes {
    threads: Vec<Handle>,
    next: usize,
    _stop: DropGuard,
}

impl Lanes {
    pub(super) fn start() -> io::Result<Self> {
        let stop = CancellationToken::new();
        let count = thread::available_parallelism().map_or(1, NonZero::get).div_ceil(PROCESSORS_EACH).min(MOST);
        let threads = (0..count).map(|number| lane(&format!("feeds-{number}"), stop.clone())).collect::<io::Result<_>>()?;
        Ok(Self { threads, next: 0, _stop: stop.drop_guard() })
    }

    /// Each in turn.
    pub(super) fn next(&mut self) -> &Handle {
        self.next = (self.next + 1) % self.threads.len();
        &self.threads[self.next]
    }
}
