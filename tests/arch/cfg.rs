//! Tells test code from production code by its attributes.

use syn::punctuated::Punctuated;
use syn::{Attribute, Item, Meta, Token};

/// The attributes of any item.
pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Whether the attribute keeps its item out of every build but tests: `#[test]`, `#[tokio::test]`,
/// `#[cfg(test)]`, `#[cfg(all(test, unix))]`; not `#[cfg(any(test, unix))]`.
pub(crate) fn is_test_only(attribute: &Attribute) -> bool {
    let path = attribute.path();
    if path.segments.last().is_some_and(|last| last.ident == "test") {
        return true;
    }
    path.is_ident("cfg") && attribute.parse_args::<Meta>().is_ok_and(|condition| needs_test(&condition))
}

fn needs_test(condition: &Meta) -> bool {
    match condition {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) => {
            let parse = Punctuated::<Meta, Token![,]>::parse_terminated;
            let Ok(parts) = list.parse_args_with(parse) else { return false };
            if list.path.is_ident("all") {
                parts.iter().any(needs_test)
            } else {
                list.path.is_ident("any") && !parts.is_empty() && parts.iter().all(needs_test)
            }
        }
        Meta::NameValue(_) => false,
    }
}

#[test]
fn conditions_are_understood() {
    let test_only = |source: &str| {
        let item: Item = syn::parse_str(&format!("{source} fn f() {{}}")).unwrap();
        attributes(&item).iter().any(is_test_only)
    };
    for source in
        ["#[test]", "#[tokio::test(start_paused = true)]", "#[cfg(test)]", "#[cfg(all(unix, test))]"]
    {
        assert!(test_only(source), "{source}");
    }
    for source in ["", "#[inline]", "#[cfg(not(test))]", "#[cfg(any(test, unix))]", "#[cfg(unix)]"] {
        assert!(!test_only(source), "{source}");
    }
}
