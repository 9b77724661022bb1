//! Pages of what is known by heart.

/// The items behind the cursor in the order of their keys, as many as fit, and the cursor of the next page.
pub(super) fn page<T>(
    mut items: Vec<(String, T)>,
    cursor: Option<&str>,
    limit: Option<u32>,
) -> (Vec<T>, Option<String>) {
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let after = cursor.unwrap_or_default();
    items.retain(|(key, _)| key.as_str() > after);
    items.sort_by(|(a, _), (b, _)| a.cmp(b));
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|(key, _)| key.clone());
    (items.into_iter().map(|(_, item)| item).collect(), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_gaps() {
        let items = || (0..7).map(|nth| (format!("k{nth}"), nth)).rev().collect::<Vec<_>>();
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let (page, next) = page(items(), cursor.as_deref(), Some(3));
            assert!(!page.is_empty() && page.len() <= 3);
            seen.extend(page);
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6]);
    }
}
