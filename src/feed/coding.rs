//! A feed's bytes in each content coding (RFC 9110 §8.4.1): gzip at publication, what takes
//! longer right after.

use super::pages::Pages;
use brotli::enc::BrotliEncoderParams;
use brotli::enc::backward_references::BrotliEncoderMode;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Bytes;
use hyper::header::HeaderValue;
use std::io::{self, Write as _};
use std::sync::OnceLock;

/// How bytes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
    /// RFC 1952.
    Gzip,
    /// As they are.
    Identity,
}

/// Brotli and zstd at their best cost half a second of a processor per 100 kB; beyond this many
/// octets they are content with less.
const WORTH_THE_BEST: usize = 256 * 1024;

impl Coding {
    /// All of them, what a client is given first where it has no preference: the smallest.
    pub const ALL: [Self; 4] = [Self::Brotli, Self::Zstd, Self::Gzip, Self::Identity];

    /// What ends the entity tag: each coding has one of its own, since its bytes differ (RFC 9110
    /// §8.8.3.3), and all have the same stem.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => "-br",
            Self::Zstd => "-zstd",
            Self::Gzip => "-gzip",
            Self::Identity => "",
        }
    }

    /// Its name in `Content-Encoding`; none for bytes as they are.
    pub const fn name(self) -> Option<HeaderValue> {
        match self {
            Self::Brotli => Some(HeaderValue::from_static("br")),
            Self::Zstd => Some(HeaderValue::from_static("zstd")),
            Self::Gzip => Some(HeaderValue::from_static("gzip")),
            Self::Identity => None,
        }
    }

    /// Bytes in this coding: the same on every machine, with levels that depend on the length
    /// alone.
    fn code(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let best = bytes.len() <= WORTH_THE_BEST;
        match self {
            Self::Identity => Ok(bytes.to_vec()),
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::default());
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            Self::Brotli => {
                let parameters = BrotliEncoderParams {
                    quality: if best { 11 } else { 9 },
                    mode: BrotliEncoderMode::BROTLI_MODE_TEXT,
                    size_hint: bytes.len(),
                    lgwin: window(bytes.len()),
                    ..BrotliEncoderParams::default()
                };
                let mut coded = Vec::with_capacity(bytes.len() / 4);
                brotli::BrotliCompress(&mut &*bytes, &mut coded, &parameters)?;
                Ok(coded)
            }
            Self::Zstd => zstd::bulk::compress(bytes, if best { 19 } else { 9 }),
        }
    }
}

/// The window that holds so many octets (RFC 7932 §9.1), as its logarithm. The encoder takes some
/// forty megabytes for the largest, whatever it is given to encode.
fn window(octets: usize) -> i32 {
    (16..22).find(|bits| octets <= (1 << bits) - 16).unwrap_or(22)
}

/// A feed's bytes in all codings that there are by now, with what names them in headers.
#[derive(Debug)]
pub struct Coded {
    bytes: [OnceLock<Bytes>; Coding::ALL.len()],
    etags: [HeaderValue; Coding::ALL.len()],
    /// The bytes as they are, once somebody has asked for them.
    pages: OnceLock<Option<Pages>>,
}

impl Coded {
    /// Bytes with this hash, as they are and in gzip.
    pub(super) fn new(identity: Vec<u8>, hash: &str) -> anyhow::Result<Self> {
        let etag = |coding: Coding| HeaderValue::try_from(format!("\"{hash}{}\"", coding.suffix()));
        let [brotli, zstd, gzip, plain] = Coding::ALL.map(etag);
        let coded = Self { bytes: Default::default(), etags: [brotli?, zstd?, gzip?, plain?], pages: OnceLock::new() };
        coded.keep(Coding::Gzip, Coding::Gzip.code(&identity)?);
        coded.keep(Coding::Identity, identity);
        Ok(coded)
    }

    /// The bytes in a coding, if they are made.
    pub fn get(&self, coding: Coding) -> Option<&Bytes> {
        self.bytes[coding as usize].get()
    }

    /// The bytes as they are.
    pub fn identity(&self) -> Bytes {
        self.get(Coding::Identity).cloned().unwrap_or_default()
    }

    /// The bytes in a coding as the kernel sends them best, if it has them: what is coded is small.
    pub fn pages(&self, coding: Coding) -> Option<&Pages> {
        let make = || Pages::new(self.get(Coding::Identity)?);
        if coding == Coding::Identity { self.pages.get_or_init(make).as_ref() } else { None }
    }

    /// How much memory it takes, near enough.
    pub fn octets(&self) -> usize {
        self.bytes.iter().filter_map(OnceLock::get).map(Bytes::len).sum()
    }

    /// The strong entity tag of a representation, made or not: what it will be is known.
    pub fn etag(&self, coding: Coding) -> &HeaderValue {
        &self.etags[coding as usize]
    }

    /// The coding that is to be made next, if any.
    pub(super) fn missing(&self) -> Option<Coding> {
        Coding::ALL.into_iter().rev().find(|coding| self.get(*coding).is_none())
    }

    /// Makes a coding. It is served from then on.
    pub(super) fn make(&self, coding: Coding) -> io::Result<()> {
        self.keep(coding, coding.code(&self.identity())?);
        Ok(())
    }

    /// The first to make it wins; a second makes the same.
    fn keep(&self, coding: Coding, bytes: Vec<u8>) {
        let _ = self.bytes[coding as usize].set(bytes.into_boxed_slice().into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    fn text(octets: usize) -> Vec<u8> {
        (0..).flat_map(|number: u32| format!("<item>{number} 北の川を渡る</item>").into_bytes()).take(octets).collect()
    }

    fn decoded(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        match coding {
            Coding::Identity => text.extend(bytes),
            Coding::Gzip => drop(flate2::read::GzDecoder::new(bytes).read_to_end(&mut text).unwrap()),
            Coding::Brotli => drop(brotli::Decompressor::new(bytes, 4096).read_to_end(&mut text).unwrap()),
            Coding::Zstd => text = zstd::bulk::decompress(bytes, 10_000_000).unwrap(),
        }
        text
    }

    #[test]
    fn every_coding_gives_the_same_bytes_back_and_is_the_same_each_time() {
        for octets in [0, 1, 5_000, WORTH_THE_BEST + 1] {
            let plain = text(octets);
            for coding in Coding::ALL {
                let coded = coding.code(&plain).unwrap();
                assert_eq!(decoded(coding, &coded), plain, "{coding:?} of {octets}");
                assert_eq!(coding.code(&plain).unwrap(), coded, "{coding:?} of {octets}");
            }
        }
    }

    #[test]
    fn what_takes_longer_is_made_one_by_one_and_named_before() {
        let coded = Coded::new(text(9_000), "h").unwrap();
        assert_eq!(
            Coding::ALL.map(|coding| coded.etag(coding).to_str().unwrap().to_owned()),
            ["\"h-br\"", "\"h-zstd\"", "\"h-gzip\"", "\"h\""]
        );
        assert_eq!(Coding::ALL.map(|coding| coded.get(coding).is_some()), [false, false, true, true]);
        let mut made = Vec::new();
        while let Some(coding) = coded.missing() {
            coded.make(coding).unwrap();
            made.push(coding);
        }
        assert_eq!(made, [Coding::Zstd, Coding::Brotli]);
        let size = |coding| coded.get(coding).unwrap().len();
        assert!(size(Coding::Brotli) < size(Coding::Gzip) && size(Coding::Zstd) < size(Coding::Gzip));
        assert!(size(Coding::Gzip) < size(Coding::Identity));
    }
}
