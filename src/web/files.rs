//! Files that public articles refer to: pictures, recordings, documents.

use super::conditional::{Condition, condition, http_date, range_applies};
use super::range::{Extent, extent};
use super::{State, WebError};
use crate::content::{self, Kind, Opened, Standing, Unopened};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    ACCEPT_RANGES, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, HeaderValue, LAST_MODIFIED, RETRY_AFTER,
};
use axum::http::response::Builder;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::io::SeekFrom;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

/// How long a cache may keep a file unasked. Short: a picture that endangers somebody must be
/// gone soon after its article.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=600");
/// Whatever a file holds, it does nothing in our name.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");
/// The same for documents, whose viewers do not open in a sandbox: they are no part of the page.
const DOCUMENT_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'");
/// In octets: what is read from the disk at once.
const PIECE: usize = 64 * 1024;
/// What RFC 8187 §3.2.1 lets stand in the name of a download.
const NAME: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where files are served.
pub(super) fn router() -> Router<State> {
    Router::new().route("/files/{*path}", get(serve))
}

async fn serve(axum::extract::State(state): axum::extract::State<State>, request: Request) -> Result<Response, WebError> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    answer(&state, &method, &path, request.headers()).await?.ok_or(WebError::NotFound)
}

/// The file at an address, also at the one it had on an old site; `None` if there never was one.
pub(super) async fn answer(state: &State, method: &Method, address: &str, headers: &HeaderMap) -> Result<Option<Response>, WebError> {
    let Some(path) = content::path_of_address(address) else { return Ok(None) };
    let mut connection = state.db.reader().acquire().await?;
    let standing = content::file_standing(&mut connection, &path).await?;
    drop(connection);
    match standing {
        Standing::Public => {}
        // Feeds show it, whether an article does or not.
        _ if state.site.imprint.shows(&path) => {}
        Standing::Gone => return Err(WebError::Gone),
        Standing::Unknown => return Ok(None),
    }
    match content::open_file(&state.content, &path).await {
        Ok(opened) => Ok(Some(respond(state, method, &path, headers, opened).await?)),
        Err(Unopened::Missing) => Ok(None),
        Err(Unopened::Unavailable(error)) => {
            // It was there at the last look, so it may be there again: a disk, a synchroniser.
            tracing::warn!(%error, path, "a file of an article cannot be read now");
            Ok(Some((StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "30")]).into_response()))
        }
    }
}

/// The answer with an open file.
pub(super) async fn respond(state: &State, method: &Method, path: &str, headers: &HeaderMap, opened: Opened) -> anyhow::Result<Response> {
    let now = state.clock.now();
    let Opened { file, length, modified, validator, kind } = opened;
    // Never later than the answer (RFC 9110 §8.8.2.1).
    let (etag, modified) = (format!("\"{validator}\""), modified.min(now));
    let start = Response::builder().header(ETAG, &etag).header(LAST_MODIFIED, http_date(modified)).header(CACHE_CONTROL, KEPT);
    match condition(headers.into(), &etag, modified) {
        Condition::Holds => {}
        Condition::Unchanged => return Ok(start.status(StatusCode::NOT_MODIFIED).body(Body::empty())?),
        Condition::Failed => return Ok(start.status(StatusCode::PRECONDITION_FAILED).body(Body::empty())?),
    }
    let start = described(start, path, kind);
    // Parts are a matter of GET (§14.2).
    let wants_part = *method == Method::GET && range_applies(headers.into(), &etag, modified, now);
    let (start, first, count) = match if wants_part { extent(headers, length) } else { Extent::Whole } {
        Extent::Whole => (start.status(StatusCode::OK), 0, length),
        Extent::Part { first, last } => {
            let start = start.status(StatusCode::PARTIAL_CONTENT).header(CONTENT_RANGE, format!("bytes {first}-{last}/{length}"));
            (start, first, last - first + 1)
        }
        Extent::Beyond => {
            let start = start.status(StatusCode::RANGE_NOT_SATISFIABLE).header(CONTENT_RANGE, format!("bytes */{length}"));
            return Ok(start.body(Body::empty())?);
        }
    };
    let start = start.header(CONTENT_LENGTH, count);
    if *method == Method::HEAD {
        return Ok(start.body(Body::empty())?);
    }
    let mut file = tokio::fs::File::from_std(file);
    file.seek(SeekFrom::Start(first)).await?;
    Ok(start.body(Body::from_stream(ReaderStream::with_capacity(file.take(count), PIECE)))?)
}

/// What it is, and that it is nothing more.
fn described(start: Builder, path: &str, kind: Kind) -> Builder {
    let policy = if kind.media_type == "application/pdf" { DOCUMENT_POLICY } else { POLICY };
    let start = start
        .header(CONTENT_TYPE, kind.media_type)
        .header(CONTENT_SECURITY_POLICY, policy)
        .header(ACCEPT_RANGES, "bytes")
        // Feed readers in a browser show pictures from here.
        .header(ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    if kind.inline {
        return start;
    }
    let name = utf8_percent_encode(path.rsplit('/').next().unwrap_or(path), &NAME);
    start.header(CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{name}"))
}
