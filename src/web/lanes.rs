//! Threads that answer for feeds, one for each processor: no connection moves from one to another
//! and no thread wakes another, which for so short an answer costs as much as the answer.

use std::io;
use std::num::NonZero;
use std::thread;
use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// More would only wait for the network.
const MOST: usize = 8;

/// They end, with what they still do, when this is dropped.
pub(super) struct Lanes {
    threads: Vec<Handle>,
    next: usize,
    _stop: DropGuard,
}

impl Lanes {
    pub(super) fn start() -> io::Result<Self> {
        let stop = CancellationToken::new();
        let count = thread::available_parallelism().map_or(1, NonZero::get).min(MOST);
        let threads = (0..count).map(|number| start(number, stop.clone())).collect::<io::Result<_>>()?;
        Ok(Self { threads, next: 0, _stop: stop.drop_guard() })
    }

    /// Each in turn.
    pub(super) fn next(&mut self) -> &Handle {
        self.next = (self.next + 1) % self.threads.len();
        &self.threads[self.next]
    }
}

fn start(number: usize, stop: CancellationToken) -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new().name(format!("feeds-{number}")).spawn(move || runtime.block_on(stop.cancelled_owned()))?;
    Ok(handle)
}
