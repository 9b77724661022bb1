//! Pages of lists that the hub knows by heart: how many items, and from where on.

use crate::Invalid;

/// Items on a page when nothing was said.
pub(crate) const DEFAULT_PAGE: u32 = 100;
/// Most items on a page.
pub(crate) const MAX_PAGE: u32 = 500;
/// Longest name or cursor that is taken, in bytes.
pub(crate) const MAX_NAME: usize = 1024;

/// Checks what was said of a page; gives the number of items on it.
pub(crate) fn check(cursor: Option<&String>, limit: Option<u32>) -> Result<u32, Invalid> {
    let limit = limit.unwrap_or(DEFAULT_PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Invalid::new("limit", format!("must be between 1 and {MAX_PAGE}")));
    }
    if cursor.is_some_and(|cursor| cursor.len() > MAX_NAME) {
        return Err(Invalid::new("cursor", "must be the next_cursor of an earlier page"));
    }
    Ok(limit)
}

/// A name without spaces around it; `None` stays `None`.
pub(crate) fn check_name(field: &'static str, name: Option<&String>) -> Result<Option<String>, Invalid> {
    name.map(|name| check_required(field, name)).transpose()
}

/// A name without spaces around it.
pub(crate) fn check_required(field: &'static str, name: &str) -> Result<String, Invalid> {
    let name = name.trim();
    if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
        let message = format!("must have 1 to {MAX_NAME} bytes and no control characters");
        return Err(Invalid::new(field, message));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_names_have_bounds() {
        assert_eq!(check(None, None), Ok(DEFAULT_PAGE));
        assert_eq!(check(Some(&"a".to_owned()), Some(1)), Ok(1));
        for (cursor, limit) in [(None, Some(0)), (None, Some(501)), (Some("a".repeat(2000)), None)] {
            assert!(check(cursor.as_ref(), limit).is_err(), "{limit:?}");
        }
        assert_eq!(check_required("model", " m "), Ok("m".to_owned()));
        assert!(check_required("model", " ").is_err() && check_required("model", "a\nb").is_err());
        assert_eq!(check_name("model", None), Ok(None));
    }
}
