//! Bytes as pages of the kernel, which it sends without copying them: of a large feed as it is,
//! copying is a third of the work.
//!
//! Where there is no such thing (another system than Linux, no file descriptor to spare), bytes
//! are sent from memory.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering};

/// In octets; below this, copying costs less than a second call.
const WORTH_IT: usize = 32 * 1024;
/// Of the file descriptors that a process may have (1024 is usual), connections need most.
const MOST: usize = 64;

/// How many there are in this process.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// A file without a name, in memory, never written again.
#[derive(Debug)]
pub struct Pages {
    file: File,
    length: usize,
}

impl Pages {
    /// Bytes as pages, where that is possible and worth it.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < WORTH_IT
            || COUNT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| (count < MOST).then_some(count + 1)).is_err()
        {
            return None;
        }
        let made = system::file_of(bytes).map(|file| Self { file, length: bytes.len() });
        if made.is_none() {
            COUNT.fetch_sub(1, Ordering::Relaxed);
        }
        made
    }

    /// Sends a head and then the pages, as much as the socket takes now. `done` octets of both
    /// have been sent before. Returns how many are sent: nothing once all are.
    pub fn send_after(&self, head: &[u8], done: usize, socket: impl AsFd) -> io::Result<usize> {
        match done.checked_sub(head.len()) {
            None => system::send_more(socket, &head[done..]),
            Some(start) if start < self.length => system::send_file(socket, &self.file, start as u64, self.length - start),
            Some(_) => Ok(0),
        }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        COUNT.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(target_os = "linux")]
mod system {
    use rustix::fs::{MemfdFlags, memfd_create, sendfile};
    use rustix::net::{SendFlags, send};
    use std::fs::File;
    use std::io::{self, Write as _};
    use std::os::fd::AsFd;

    /// Never on a disk, where the kernel would send it faster still: what is withdrawn would stay
    /// there in blocks that nobody wipes.
    pub(super) fn file_of(bytes: &[u8]) -> Option<File> {
        let mut file = File::from(memfd_create("feed", MemfdFlags::CLOEXEC).ok()?);
        file.write_all(bytes).ok()?;
        Some(file)
    }

    /// Sends what more comes after, so that the two share a packet (send(2), `MSG_MORE`).
    pub(super) fn send_more(socket: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
        Ok(send(socket, bytes, SendFlags::MORE | SendFlags::NOSIGNAL)?)
    }

    pub(super) fn send_file(socket: impl AsFd, file: &File, mut start: u64, length: usize) -> io::Result<usize> {
        Ok(sendfile(socket, file, Some(&mut start), length)?)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::fs::File;
    use std::io;
    use std::os::fd::AsFd;

    pub(super) fn file_of(_: &[u8]) -> Option<File> {
        None
    }

    pub(super) fn send_more(_: impl AsFd, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn send_file(_: impl AsFd, _: &File, _: u64, _: usize) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::io::Read as _;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_head_and_the_pages_arrive_as_they_are_also_through_a_narrow_pipe() {
        let bytes: Vec<u8> = (0..=255).cycle().take(WORTH_IT * 10 + 7).collect();
        let pages = Pages::new(&bytes).unwrap();
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let reader = std::thread::spawn(move || {
            let mut read = Vec::new();
            theirs.read_to_end(&mut read).map(|_| read)
        });
        let (head, mut done) = (b"head".as_slice(), 0);
        loop {
            match pages.send_after(head, done, &ours) {
                Ok(0) => break,
                Ok(sent) => done += sent,
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
        }
        drop(ours);
        assert!(reader.join().unwrap().unwrap() == [head, &bytes].concat());
    }

    #[test]
    fn small_feeds_and_more_than_a_few_stay_in_memory() {
        assert!(Pages::new(&vec![0; WORTH_IT - 1]).is_none());
        let large = vec![0; WORTH_IT];
        let held: Vec<Pages> = std::iter::repeat_with(|| Pages::new(&large)).map_while(|made| made).take(MOST + 1).collect();
        assert!(held.len() <= MOST);
        drop(held);
        assert!(Pages::new(&large).is_some(), "places are given back");
    }
}
