//! What kind of file something is: by its name, if its first bytes agree.

/// How many bytes tell the kind of a file.
pub(in crate::content) const HEAD: usize = 1024;

/// What a file is served as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its media type.
    pub media_type: &'static str,
    /// Whether browsers may show it; else it is only downloaded.
    pub inline: bool,
}

/// What nobody knows, or what lies about itself.
const UNKNOWN: Kind = Kind { media_type: "application/octet-stream", inline: false };

/// Names of files, what they mean, and how such files begin.
struct Known {
    extensions: &'static [&'static str],
    kind: Kind,
    agrees: fn(&[u8]) -> bool,
}

const fn shown(extensions: &'static [&'static str], media_type: &'static str, agrees: fn(&[u8]) -> bool) -> Known {
    Known { extensions, kind: Kind { media_type, inline: true }, agrees }
}

const fn downloaded(extensions: &'static [&'static str], media_type: &'static str, agrees: fn(&[u8]) -> bool) -> Known {
    Known { extensions, kind: Kind { media_type, inline: false }, agrees }
}

/// No kind that may hold a script is shown: HTML, XML and SVG run in our name. An SVG picture
/// still shows in a page, where it is a picture only.
const KNOWN: &[Known] = &[
    shown(&["jpg", "jpeg"], "image/jpeg", |head| head.starts_with(b"\xff\xd8\xff")),
    shown(&["png"], "image/png", |head| head.starts_with(b"\x89PNG\r\n\x1a\n")),
    shown(&["gif"], "image/gif", |head| head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a")),
    shown(&["webp"], "image/webp", |head| head.starts_with(b"RIFF") && part(head, 8, b"WEBP")),
    shown(&["avif"], "image/avif", |head| part(head, 4, b"ftypavi")),
    shown(&["pdf"], "application/pdf", |head| head.windows(5).any(|bytes| bytes == b"%PDF-")),
    shown(&["mp3"], "audio/mpeg", |head| head.starts_with(b"ID3") || matches!(head, [0xff, second, ..] if second & 0xe0 == 0xe0)),
    shown(&["m4a"], "audio/mp4", |head| part(head, 4, b"ftyp")),
    shown(&["ogg", "oga", "opus"], "audio/ogg", |head| head.starts_with(b"OggS")),
    shown(&["wav"], "audio/wav", |head| head.starts_with(b"RIFF") && part(head, 8, b"WAVE")),
    shown(&["flac"], "audio/flac", |head| head.starts_with(b"fLaC")),
    shown(&["mp4", "m4v"], "video/mp4", |head| part(head, 4, b"ftyp")),
    shown(&["webm"], "video/webm", |head| head.starts_with(b"\x1a\x45\xdf\xa3")),
    shown(&["ogv"], "video/ogg", |head| head.starts_with(b"OggS")),
    shown(&["txt"], "text/plain; charset=utf-8", |head| !head.contains(&0)),
    downloaded(&["mov"], "video/quicktime", |head| part(head, 4, b"ftyp") || part(head, 4, b"moov") || part(head, 4, b"wide")),
    downloaded(&["csv"], "text/csv; charset=utf-8", |head| !head.contains(&0)),
    downloaded(&["svg"], "image/svg+xml", |_| true),
    downloaded(&["epub"], "application/epub+zip", is_zip),
    downloaded(&["zip"], "application/zip", is_zip),
    downloaded(&["docx"], "application/vnd.openxmlformats-officedocument.wordprocessingml.document", is_zip),
    downloaded(&["xlsx"], "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", is_zip),
    downloaded(&["pptx"], "application/vnd.openxmlformats-officedocument.presentationml.presentation", is_zip),
    downloaded(&["odt"], "application/vnd.oasis.opendocument.text", is_zip),
    downloaded(&["doc"], "application/msword", is_compound),
    downloaded(&["xls"], "application/vnd.ms-excel", is_compound),
    downloaded(&["ppt"], "application/vnd.ms-powerpoint", is_compound),
];

fn part(head: &[u8], at: usize, expected: &[u8]) -> bool {
    head.get(at..at + expected.len()) == Some(expected)
}

fn is_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04")
}

/// The files of older office programs.
fn is_compound(head: &[u8]) -> bool {
    head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
}

fn known(name: &str) -> Option<&'static Known> {
    let (_, extension) = name.rsplit_once('.')?;
    KNOWN.iter().find(|known| known.extensions.iter().any(|known| known.eq_ignore_ascii_case(extension)))
}

impl Kind {
    /// What a file so named should be.
    pub(in crate::content) fn by_name(name: &str) -> Option<Self> {
        known(name).map(|known| known.kind)
    }

    /// What a file is, from its name and its first [`HEAD`] bytes, which must agree.
    pub(in crate::content) fn of(name: &str, head: &[u8]) -> Self {
        known(name).filter(|known| (known.agrees)(head)).map_or(UNKNOWN, |known| known.kind)
    }

    /// Whether it is a video that browsers play.
    pub fn is_video(self) -> bool {
        self.inline && self.media_type.starts_with("video/")
    }

    /// Its media type without parameters, as feeds name it.
    pub(in crate::content) fn essence(self) -> &'static str {
        self.media_type.split(';').next().unwrap_or(self.media_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_name_and_bytes_agree_on() {
        assert_eq!(Kind::of("a/b.JPG", b"\xff\xd8\xff\xe0x").media_type, "image/jpeg");
        assert_eq!(Kind::of("b.webp", b"RIFF\0\0\0\0WEBPVP8 ").media_type, "image/webp");
        assert_eq!(Kind::of("b.pdf", b"\n%PDF-1.7").media_type, "application/pdf");
        for (name, head) in [
            ("b.jpg", b"<html><script>".as_slice()),
            ("b.png", b"GIF89a"),
            ("b.html", b"<html>"),
            ("b.xml", b"<?xml"),
            ("b.xhtml", b"<html>"),
            ("b", b"\xff\xd8\xff"),
            ("b.txt", b"\0\x01"),
            ("b.mp3", b""),
        ] {
            assert_eq!(Kind::of(name, head), UNKNOWN, "{name}");
        }
        assert!(!Kind::of("b.svg", b"<svg>").inline);
    }
}
