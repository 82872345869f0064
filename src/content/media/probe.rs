//! What a file is, from its first bytes.

use super::super::folder::{Folder, Stat};
use super::File;
use super::kind::{HEAD, Kind};
use crate::problem::Reason;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use unicode_normalization::UnicodeNormalization as _;

/// What looking at a path has shown.
pub(super) enum Probe {
    /// A file, and what is to be told of it.
    There(File, Option<Reason>),
    /// Nothing that can be served.
    Missing(Reason),
}

/// In octets: where a picture tells its size is found by reading no more than this.
const MOST_READ: usize = 256 << 10;
/// In octets: cameras write what they know at the beginning, its directory before all else.
const LONGEST_EXIF: usize = 8 << 10;

/// Looks at the file at a path.
pub(super) fn probe(folder: &Folder, path: &str) -> Probe {
    match try_probe(folder, path) {
        Ok((file, told)) => Probe::There(file, told),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Probe::Missing(missing(folder, path)),
        Err(error) => Probe::Missing(super::super::folder::unreachable_reason(&error)),
    }
}

fn try_probe(folder: &Folder, path: &str) -> io::Result<(File, Option<Reason>)> {
    let file = folder.open_file(path)?;
    let stat = Stat::of(&file.metadata()?);
    let mut file = file.into_std();
    let mut head = vec![0; HEAD];
    let length = read_up_to(&mut file, &mut head)?;
    head.truncate(length);
    let kind = Kind::of(path, &head);
    let expected = Kind::by_name(path);
    let mut told = expected.filter(|expected| *expected != kind).map(|expected| mismatch(path, expected));
    let mut size = None;
    if kind.media_type.starts_with("image/") && kind.inline {
        let exif = Exif::read(&mut file)?;
        size = picture_size(file).map(|(width, height)| if exif.is_turned { (height, width) } else { (width, height) });
        if exif.tells_place {
            told = Some(tells_place(path));
        }
    }
    let media_type = expected.unwrap_or(kind).essence().to_owned();
    Ok((File { stamp: stat.stamp(), media_type, length: i64::try_from(stat.length).ok(), size }, told))
}

fn read_up_to(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

/// Width and height, if the file tells them soon enough.
fn picture_size(mut file: impl Read + Seek) -> Option<(i64, i64)> {
    file.seek(SeekFrom::Start(0)).ok()?;
    let size = imagesize::reader_size(BufReader::with_capacity(2048, Bounded { file, left: MOST_READ })).ok()?;
    let plausible = |pixels: usize| i64::try_from(pixels).ok().filter(|pixels| (1..=100_000).contains(pixels));
    Some((plausible(size.width)?, plausible(size.height)?))
}

/// A file of which only so much is read, wherever that is.
struct Bounded<F> {
    file: F,
    left: usize,
}

impl<F: Read> Read for Bounded<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(self.left);
        let read = self.file.read(&mut buffer[..most])?;
        self.left -= read;
        Ok(read)
    }
}

impl<F: Seek> Seek for Bounded<F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// What a camera wrote about a picture (Exif 2.32, §4.5 and §4.6).
#[derive(Debug, Default, PartialEq, Eq)]
struct Exif {
    /// It is shown turned by a quarter.
    is_turned: bool,
    /// It says where it was taken.
    tells_place: bool,
}

const ORIENTATION: u16 = 0x0112;
const GPS: u16 = 0x8825;

impl Exif {
    fn read(file: &mut (impl Read + Seek)) -> io::Result<Self> {
        let mut head = vec![0; LONGEST_EXIF];
        file.seek(SeekFrom::Start(0))?;
        let length = read_up_to(file, &mut head)?;
        head.truncate(length);
        let marker = head.windows(6).position(|bytes| bytes == b"Exif\0\0");
        Ok(marker.and_then(|at| Self::of_tiff(&head[at + 6..])).unwrap_or_default())
    }

    /// The first directory of the TIFF structure that holds it.
    fn of_tiff(tiff: &[u8]) -> Option<Self> {
        let big = match tiff.get(..4)? {
            b"MM\0*" => true,
            b"II*\0" => false,
            _ => return None,
        };
        let short = |at: usize| {
            let bytes: [u8; 2] = tiff.get(at..at + 2)?.try_into().ok()?;
            Some(if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
        };
        let long = |at: usize| {
            let bytes: [u8; 4] = tiff.get(at..at + 4)?.try_into().ok()?;
            Some(if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
        };
        let directory = usize::try_from(long(4)?).ok().filter(|at| *at < LONGEST_EXIF)?;
        let mut exif = Self::default();
        for entry in 0..usize::from(short(directory)?) {
            let at = directory + 2 + entry * 12;
            let Some(tag) = short(at) else { break };
            exif.is_turned |= tag == ORIENTATION && short(at + 8).is_some_and(|turn| (5..=8).contains(&turn));
            exif.tells_place |= tag == GPS;
        }
        Some(exif)
    }
}

fn missing(folder: &Folder, path: &str) -> Reason {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    let same = |other: &String| {
        let plain = |name: &str| name.nfc().collect::<String>().to_lowercase();
        plain(other) == plain(name)
    };
    let remedy = match folder.names(parent).into_iter().find(same) {
        Some(other) => format!("the folder holds “{other}”: write the name in exactly these letters, capitals included"),
        None => format!("put the file there ({path} in the content folder), or correct the link"),
    };
    Reason::new(format!("there is no file “{name}”"), remedy)
}

fn mismatch(path: &str, expected: Kind) -> Reason {
    let name = path.rsplit('/').next().unwrap_or(path);
    Reason::new(
        format!("“{name}” is not what its name says ({}); it can only be downloaded", expected.essence()),
        "open it in the program it came from and save it again under the right name",
    )
}

fn tells_place(path: &str) -> Reason {
    let name = path.rsplit('/').next().unwrap_or(path);
    Reason::new(
        format!("the picture “{name}” says in its hidden data where it was taken, and everybody can read that"),
        "remove the location (in Windows: Properties, Details, Remove Properties; elsewhere: export it without location) and save it again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiff(entries: &[(u16, u16)]) -> Vec<u8> {
        let mut tiff = b"II*\0\x08\0\0\0".to_vec();
        tiff.extend(u16::try_from(entries.len()).unwrap().to_le_bytes());
        for (tag, value) in entries {
            tiff.extend(tag.to_le_bytes());
            tiff.extend([3, 0, 1, 0, 0, 0]);
            tiff.extend(value.to_le_bytes());
            tiff.extend([0, 0]);
        }
        tiff
    }

    #[test]
    fn what_a_camera_wrote_is_read() {
        assert_eq!(Exif::of_tiff(&tiff(&[(ORIENTATION, 6)])), Some(Exif { is_turned: true, tells_place: false }));
        assert_eq!(Exif::of_tiff(&tiff(&[(ORIENTATION, 1), (GPS, 9)])), Some(Exif { is_turned: false, tells_place: true }));
        for broken in [&b"II*\0\xff\xff\xff\xff"[..], b"MM\0*\0\0\0\x08\xff\xff", b"II", b""] {
            assert!(Exif::of_tiff(broken).is_none_or(|exif| exif == Exif::default()), "{broken:?}");
        }
    }

    #[test]
    fn no_picture_makes_the_program_read_it_all() {
        // A JPEG of millions of empty segments.
        let mut game = b"\xff\xd8".to_vec();
        game.extend(b"\xff\xe1\x00\x02".repeat(2_000_000));
        let began = std::time::Instant::now();
        assert_eq!(picture_size(io::Cursor::new(game)), None);
        assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    }
}
