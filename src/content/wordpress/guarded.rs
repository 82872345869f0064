//! A file read with a count of lines, and with a bound on what may be read at a time: a parser
//! that waits for the end of a text keeps all of it in memory until then.

use std::io::{self, BufRead, Read};

/// What one text of an export may have, in octets. WordPress's own fields hold 4 GB; an article
/// that Clarion takes has one million.
pub(super) const LARGEST_TEXT: u64 = 32 << 20;

/// See the module.
#[derive(Debug)]
pub(super) struct Guarded<R> {
    inner: R,
    /// Octets since the last [`Guarded::restart`].
    since: u64,
    /// Octets in all.
    pub(super) octets: u64,
    /// The number of the line that is read, from 1.
    pub(super) line: u64,
}

impl<R: BufRead> Guarded<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, since: 0, octets: 0, line: 1 }
    }

    /// Begins to count anew.
    pub(super) fn restart(&mut self) {
        self.since = 0;
    }
}

impl<R: BufRead> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let length = available.len().min(buffer.len());
        buffer[..length].copy_from_slice(&available[..length]);
        self.consume(length);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Guarded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.since > LARGEST_TEXT {
            return Err(io::Error::other(format!("a single text or tag is longer than {} MB", LARGEST_TEXT >> 20)));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // What was filled is still there, so this reads nothing.
        if let Ok(filled) = self.inner.fill_buf() {
            let breaks = filled[..amount.min(filled.len())].split(|byte| *byte == b'\n').count() - 1;
            self.line += breaks as u64;
        }
        self.since += amount as u64;
        self.octets += amount as u64;
        self.inner.consume(amount);
    }
}
