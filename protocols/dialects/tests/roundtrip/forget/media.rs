//! Which pictures, files, sounds and films a target can be shown.

use canon::{Block, Dialect, Kind, Losses, Media, Role, Source};

use crate::alike::{Way, changed, lost};

/// A medium as the target sees it; `None` if it is declared that it does not.
pub(super) fn seen(mut block: Block, role: Role, way: Way, losses: &Losses) -> Option<Block> {
    let (name, media) = match &mut block.kind {
        Kind::Image(media) => ("image", media),
        Kind::Audio(media) => ("audio", media),
        Kind::Video(media) => ("video", media),
        Kind::File(media) => ("file", media),
        _ => return Some(block),
    };
    if !shows(name, media, role, way) && lost(losses, name) {
        return None;
    }
    if let (Source::Text(text), true) = (&media.source, changed(losses, "file")) {
        let text = match (way.to, &media.name) {
            (Dialect::Responses, Some(name)) => format!("{name}\n\n{text}"),
            (Dialect::Chat, Some(name)) => format!("{name}\n\n{text}"),
            (Dialect::Gemini, Some(name)) => format!("{name}:\n{text}"),
            _ => text.clone(),
        };
        return Some(Block { cache: block.cache, ..Block::text(text) });
    }
    let unlooked =
        matches!(way.to, Dialect::Messages | Dialect::Gemini) || (way.to == Dialect::Chat && name == "file");
    if unlooked && lost(losses, "detail") {
        media.detail = None;
    }
    let unnamed = match way.to {
        Dialect::Gemini => true,
        Dialect::Responses => !matches!(media.source, Source::Base64(_)),
        Dialect::Chat | Dialect::Messages => false,
    };
    if unnamed && lost(losses, "filename") {
        media.name = None;
    }
    if let Source::Uploaded { dialect, .. } = &mut media.source {
        // The two dialects of one vendor share their files.
        *dialect = way.to;
    }
    Some(block)
}

fn shows(kind: &str, media: &Media, role: Role, way: Way) -> bool {
    let of_openai =
        matches!(&media.source, Source::Uploaded { dialect: Dialect::Chat | Dialect::Responses, .. });
    let address = matches!(media.source, Source::Url(_));
    let bytes = matches!(media.source, Source::Base64(_));
    let text = matches!(media.source, Source::Text(_));
    match (way.to, kind) {
        (Dialect::Messages, "image") => role == Role::User && (address || bytes),
        (Dialect::Messages, "file") => {
            let pdf = media.mime.as_deref().is_none_or(|mime| mime == "application/pdf");
            role == Role::User && (address || text || (bytes && pdf))
        }
        (Dialect::Chat, "image") => role == Role::User && (address || bytes),
        (Dialect::Chat, "file") => bytes || text || of_openai,
        (Dialect::Chat, "audio") => bytes,
        (Dialect::Responses, "image" | "file") => {
            role == Role::User && (address || bytes || text || of_openai)
        }
        (Dialect::Responses, "audio") => bytes && way.from == Dialect::Responses,
        (Dialect::Gemini, _) => {
            let url = match &media.source {
                Source::Url(url) => url.rsplit('/').next().unwrap_or_default().contains('.'),
                _ => false,
            };
            bytes || text || url
        }
        _ => false,
    }
}
