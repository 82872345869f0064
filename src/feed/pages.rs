//! Bytes as pages of the kernel, which it sends without copying them: of a large feed as it is,
//! copying is a third of the work.
//!
//! They lie in a pipe that nobody reads from. For an answer they are put once more, the same pages,
//! behind its head in a second pipe (tee(2)), and that one is emptied into the socket (splice(2)).
//! Never a file on a disk, which would cost as little: what is withdrawn would stay there in blocks
//! that nobody wipes.
//!
//! Where there is no such thing (another system than Linux, no pipe to be had), bytes are sent from
//! memory.

use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use system::Pipe;

/// In octets; below this, copying costs less than more calls.
const WORTH_IT: usize = 32 * 1024;
/// What a pipe holds at most, in octets, where nobody has allowed more (pipe(7)).
const MOST_OCTETS: usize = 1024 * 1024;
/// Octets in one place of a pipe, where pages are largest. A head takes a place of its own.
const PLACE: usize = 64 * 1024;
/// Feeds in pipes. A pipe has two file descriptors, of which connections need most.
const MOST_PAGES: usize = 32;
/// Answers in pipes.
const MOST_SENDINGS: usize = 16;

/// How many feeds are in pipes in this process.
static PAGES: AtomicUsize = AtomicUsize::new(0);
/// Pipes that answers leave through.
static WAYS: Mutex<Ways> = Mutex::new(Ways { count: 0, empty: Vec::new() });

/// Bytes that can be sent again and again.
#[derive(Debug)]
pub struct Pages {
    pipe: Pipe,
    octets: usize,
}

impl Pages {
    /// Bytes as pages, where that is possible and worth it.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        let octets = bytes.len();
        let is_worth_it = (WORTH_IT..=MOST_OCTETS - PLACE).contains(&octets);
        let is_free = |count| (count < MOST_PAGES).then_some(count + 1);
        if !is_worth_it || PAGES.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_free).is_err() {
            return None;
        }
        let filled = Pipe::new().and_then(|pipe| pipe.with_room(octets)).filter(|pipe| pipe.takes(bytes));
        if filled.is_none() {
            PAGES.fetch_sub(1, Ordering::Relaxed);
        }
        filled.map(|pipe| Self { pipe, octets })
    }

    /// An answer: a head and these bytes behind it. None where no pipe is to be had for it.
    pub fn behind(&self, head: &[u8]) -> Option<Sending> {
        let pipe = Ways::take(self.octets + PLACE)?;
        let is_whole = pipe.takes(head) && pipe.takes_pages(&self.pipe, self.octets);
        let sending = Sending { pipe: Some(pipe), left: if is_whole { head.len() + self.octets } else { usize::MAX } };
        is_whole.then_some(sending)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        PAGES.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer on its way.
pub struct Sending {
    /// Always there, until this is dropped.
    pipe: Option<Pipe>,
    /// Octets that are still in it.
    left: usize,
}

impl Sending {
    /// Sends as much as the socket takes now, and returns how many octets: nothing once all are sent.
    pub fn send(&mut self, socket: impl AsFd) -> io::Result<usize> {
        let Some(pipe) = self.pipe.as_ref().filter(|_| self.left > 0) else { return Ok(0) };
        let sent = pipe.empty_into(socket, self.left)?;
        if sent == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.left -= sent;
        Ok(sent)
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if let Some(pipe) = self.pipe.take() {
            Ways::give_back(pipe, self.left == 0);
        }
    }
}

/// Pipes are kept from answer to answer: to make one costs more than to use it.
struct Ways {
    /// All that are open.
    count: usize,
    empty: Vec<Pipe>,
}

impl Ways {
    fn with<T>(act: impl FnOnce(&mut Self) -> T) -> T {
        act(&mut WAYS.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// An empty pipe with room for so many octets, if one is to be had.
    fn take(octets: usize) -> Option<Pipe> {
        let kept = Self::with(|ways| {
            let kept = ways.empty.pop();
            if kept.is_none() {
                ways.count = Some(ways.count + 1).filter(|count| *count <= MOST_SENDINGS)?;
            }
            Some(kept)
        })?;
        let pipe = kept.or_else(Pipe::new).and_then(|pipe| pipe.with_room(octets));
        if pipe.is_none() {
            Self::with(|ways| ways.count -= 1);
        }
        pipe
    }

    fn give_back(pipe: Pipe, is_empty: bool) {
        if is_empty {
            Self::with(|ways| ways.empty.push(pipe));
        } else {
            drop(pipe);
            Self::with(|ways| ways.count -= 1);
        }
    }
}

#[cfg(target_os = "linux")]
mod system {
    use rustix::io::write;
    use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice, tee};
    use std::io;
    use std::os::fd::{AsFd, OwnedFd};

    #[derive(Debug)]
    pub(super) struct Pipe {
        from: OwnedFd,
        to: OwnedFd,
        room: usize,
    }

    impl Pipe {
        pub(super) fn new() -> Option<Self> {
            let (from, to) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).ok()?;
            Some(Self { from, to, room: 0 })
        }

        /// The same, with room for at least so many octets.
        pub(super) fn with_room(self, octets: usize) -> Option<Self> {
            if octets <= self.room {
                return Some(self);
            }
            let room = fcntl_setpipe_size(&self.to, octets).ok()?;
            Some(Self { room, ..self })
        }

        /// Whether it takes all these bytes.
        pub(super) fn takes(&self, bytes: &[u8]) -> bool {
            write(&self.to, bytes) == Ok(bytes.len())
        }

        /// Whether it takes all these pages of another, where they stay.
        pub(super) fn takes_pages(&self, other: &Self, octets: usize) -> bool {
            tee(&other.from, &self.to, octets, SpliceFlags::NONBLOCK) == Ok(octets)
        }

        /// Moves as much as the socket takes now, and returns how many octets.
        pub(super) fn empty_into(&self, socket: impl AsFd, octets: usize) -> io::Result<usize> {
            Ok(splice(&self.from, None, socket, None, octets, SpliceFlags::NONBLOCK)?)
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;
    use std::os::fd::AsFd;

    /// There is none.
    #[derive(Debug)]
    pub(super) enum Pipe {}

    impl Pipe {
        pub(super) fn new() -> Option<Self> {
            None
        }

        pub(super) fn with_room(self, _: usize) -> Option<Self> {
            match self {}
        }

        pub(super) fn takes(&self, _: &[u8]) -> bool {
            match *self {}
        }

        pub(super) fn takes_pages(&self, _: &Self, _: usize) -> bool {
            match *self {}
        }

        pub(super) fn empty_into(&self, _: impl AsFd, _: usize) -> io::Result<usize> {
            match *self {}
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::io::Read as _;
    use std::os::unix::net::UnixStream;

    /// What arrives of an answer, by a pair of sockets that takes little at once.
    fn arrives(mut sending: Sending) -> Vec<u8> {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let reader = std::thread::spawn(move || {
            let mut read = Vec::new();
            theirs.read_to_end(&mut read).map(|_| read)
        });
        loop {
            match sending.send(&ours) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
        }
        drop(ours);
        reader.join().unwrap().unwrap()
    }

    /// Places are few, and tests run side by side.
    static ALONE: Mutex<()> = Mutex::new(());

    #[test]
    fn a_head_and_the_pages_arrive_as_they_are_each_time() {
        let _alone = ALONE.lock().unwrap();
        for octets in [WORTH_IT, WORTH_IT * 10 + 7, MOST_OCTETS - PLACE] {
            let bytes: Vec<u8> = (0..=250).cycle().take(octets).collect();
            let pages = Pages::new(&bytes).unwrap();
            for head in ["head", "another head"] {
                assert!(arrives(pages.behind(head.as_bytes()).unwrap()) == [head.as_bytes(), &bytes].concat(), "{head} and {octets}");
            }
            // One that is given up half-way leaves nothing to the next.
            let (ours, _theirs) = UnixStream::pair().unwrap();
            ours.set_nonblocking(true).unwrap();
            let mut given_up = pages.behind(b"given up").unwrap();
            given_up.send(&ours).unwrap();
            drop(given_up);
            assert!(arrives(pages.behind(b"head").unwrap()) == [b"head", &bytes[..]].concat(), "{octets}");
        }
    }

    #[test]
    fn small_and_very_large_feeds_and_more_than_a_few_stay_in_memory() {
        let _alone = ALONE.lock().unwrap();
        assert!(Pages::new(&vec![0; WORTH_IT - 1]).is_none());
        assert!(Pages::new(&vec![0; MOST_OCTETS]).is_none());
        let large = vec![0; WORTH_IT];
        let held: Vec<Pages> = std::iter::repeat_with(|| Pages::new(&large)).map_while(|made| made).take(MOST_PAGES + 1).collect();
        assert!(held.len() <= MOST_PAGES);
        drop(held);
        assert!(Pages::new(&large).is_some(), "places are given back");
    }
}
