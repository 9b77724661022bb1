//! Reads paths and forbidden calls out of token streams that have no syntax tree: the bodies of macros and
//! the arguments of attributes. It errs on the side of seeing a path where there is none.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A path as it is written, before it is resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) segments: Vec<String>,
    /// Starts with `::`.
    pub(crate) absolute: bool,
    /// Written in a `use`, where a single name may be that of a crate.
    pub(crate) import: bool,
    /// Ends with `::*`; the star is not among the segments.
    pub(crate) glob: bool,
    pub(crate) line: usize,
}

/// Something that a rule may forbid, apart from paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// As it is shown to people: `panic!`, `.unwrap()`, `#[allow]`, `env!("HOME")`.
    pub(crate) what: String,
    pub(crate) line: usize,
}

/// What a token stream contains.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) paths: Vec<Written>,
    pub(crate) marks: Vec<Mark>,
}

/// Whether string literals are read as paths, as in `#[serde(with = "crate::codec")]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strings {
    AreText,
    MayBePaths,
}

/// The name of an identifier without a raw prefix.
pub(crate) fn plain(ident: &proc_macro2::Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map(str::to_owned).unwrap_or(name)
}

/// The macros and methods that end a process or a task where an error was due.
pub(crate) fn mark_of_macro(name: &str, arguments: TokenStream) -> Option<String> {
    match name {
        "panic" | "todo" | "unimplemented" => Some(format!("{name}!")),
        "env" | "option_env" => {
            let first = arguments.into_iter().next().map(|token| token.to_string()).unwrap_or_default();
            Some(format!("{name}!({first})"))
        }
        _ => None,
    }
}

/// The name of a method or function that panics on an error.
pub(crate) fn is_panicking_call(name: &str) -> bool {
    matches!(name, "unwrap" | "expect" | "unwrap_err" | "expect_err")
}

pub(crate) fn scan(stream: TokenStream, strings: Strings) -> Scan {
    let mut scan = Scan::default();
    scan.stream(stream, strings);
    scan
}

impl Scan {
    fn stream(&mut self, stream: TokenStream, strings: Strings) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Ident(_) => at = self.path(&tokens, at, &[], strings),
                TokenTree::Group(group) => {
                    self.group(&tokens[..at], group, strings);
                    at += 1;
                }
                TokenTree::Literal(literal) if strings == Strings::MayBePaths => {
                    self.string(&literal.to_string(), literal.span().start().line);
                    at += 1;
                }
                _ => at += 1,
            }
        }
    }

    fn group(&mut self, before: &[TokenTree], group: &Group, strings: Strings) {
        let attribute = match before {
            [.., hash, bang] => is(hash, '#') && is(bang, '!') || is(bang, '#'),
            [hash] => is(hash, '#'),
            [] => false,
        };
        if attribute && group.delimiter() == Delimiter::Bracket {
            let mut inner = group.stream().into_iter();
            if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(_))) = (inner.next(), inner.next())
                && name == "allow"
            {
                self.mark("#[allow]", name.span().start().line);
            }
        }
        self.stream(group.stream(), strings);
    }

    /// Reads the path that starts at `tokens[at]`, `prefix` being what a surrounding `a::{…}` puts before it.
    /// Returns the place after it.
    fn path(&mut self, tokens: &[TokenTree], mut at: usize, prefix: &[String], strings: Strings) -> usize {
        let TokenTree::Ident(first) = &tokens[at] else { return at + 1 };
        let line = first.span().start().line;
        let colons = at >= 2 && is_colons(&tokens[at - 2..]);
        let of_a_type = colons && at >= 3 && is(&tokens[at - 3], '>');
        let method = at >= 1 && is(&tokens[at - 1], '.');
        let mut segments = prefix.to_vec();
        segments.push(plain(first));
        at += 1;
        let mut written = |segments: &[String], glob| {
            if !of_a_type && !method {
                let segments = segments.to_vec();
                self.paths.push(Written {
                    segments,
                    absolute: colons && prefix.is_empty(),
                    import: false,
                    glob,
                    line,
                });
            }
        };
        while is_colons(&tokens[at..]) {
            match tokens.get(at + 2) {
                Some(TokenTree::Ident(next)) => {
                    segments.push(plain(next));
                    at += 3;
                }
                Some(TokenTree::Punct(star)) if star.as_char() == '*' => {
                    written(&segments, true);
                    return at + 3;
                }
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    self.branches(group, &segments, strings);
                    return at + 3;
                }
                _ => break,
            }
        }
        written(&segments, false);
        self.call(&segments, &tokens[at..], method, line);
        at
    }

    /// `a::{b, c::d, e::*}`: each branch with the prefix `a`.
    fn branches(&mut self, group: &Group, prefix: &[String], strings: Strings) {
        let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Ident(_) => at = self.path(&tokens, at, prefix, strings),
                TokenTree::Punct(star) if star.as_char() == '*' => {
                    let line = star.span().start().line;
                    self.paths.push(Written {
                        segments: prefix.to_vec(),
                        absolute: false,
                        import: true,
                        glob: true,
                        line,
                    });
                    at += 1;
                }
                _ => at += 1,
            }
        }
    }

    fn call(&mut self, segments: &[String], after: &[TokenTree], method: bool, line: usize) {
        let Some(name) = segments.last() else { return };
        match after {
            [bang, TokenTree::Group(arguments), ..] if is(bang, '!') => {
                if let Some(what) = mark_of_macro(name, arguments.stream()) {
                    self.mark(&what, line);
                }
            }
            [TokenTree::Group(arguments), ..]
                if method && is_panicking_call(name) && arguments.delimiter() == Delimiter::Parenthesis =>
            {
                self.mark(&format!(".{name}()"), line);
            }
            _ if segments.len() > 1 && is_panicking_call(name) => self.mark(&format!("::{name}"), line),
            _ => {}
        }
    }

    fn string(&mut self, literal: &str, line: usize) {
        let text = literal.trim_matches('"');
        let Ok(path) = syn::parse_str::<syn::Path>(text) else { return };
        if path.segments.len() > 1 {
            let segments = path.segments.iter().map(|segment| plain(&segment.ident)).collect();
            self.paths.push(Written {
                segments,
                absolute: path.leading_colon.is_some(),
                import: false,
                glob: false,
                line,
            });
        }
    }

    fn mark(&mut self, what: &str, line: usize) {
        self.marks.push(Mark { what: what.to_owned(), line });
    }
}

fn is(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

fn is_colons(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [first, second, ..] if is(first, ':') && is(second, ':'))
}

#[cfg(test)]
mod tests {
    use super::{Scan, Strings, scan};

    fn read(source: &str) -> Scan {
        scan(source.parse().unwrap(), Strings::AreText)
    }

    fn paths(source: &str) -> Vec<String> {
        let show = |path: &super::Written| {
            let star = if path.glob { "::*" } else { "" };
            format!("{}{}{star}", if path.absolute { "::" } else { "" }, path.segments.join("::"))
        };
        read(source).paths.iter().filter(|path| path.segments.len() > 1).map(show).collect()
    }

    fn marks(source: &str) -> Vec<String> {
        read(source).marks.into_iter().map(|mark| mark.what).collect()
    }

    #[test]
    fn paths_are_seen_in_any_position() {
        assert_eq!(paths("x = crate::store::get(a, $crate::ops::B)"), ["crate::store::get", "crate::ops::B"]);
        assert_eq!(paths("a => { ::std::env::var(\"X\") }"), ["::std::env::var"]);
        assert_eq!(paths("f::<crate::store::Key>()"), ["crate::store::Key"]);
        assert_eq!(paths("r#mod::r#fn"), ["mod::fn"]);
    }

    #[test]
    fn import_groups_are_unfolded() {
        assert_eq!(
            paths("use crate::{store::{Key, self}, ops::*};"),
            ["crate::store::Key", "crate::store::self", "crate::ops::*"]
        );
    }

    #[test]
    fn methods_and_associated_items_are_no_paths() {
        assert!(paths("a.store.get(); <T>::store::get; x: y").is_empty());
    }

    #[test]
    fn forbidden_calls_are_marked() {
        assert_eq!(
            marks("a.unwrap(); b.expect(\"c\"); map(Option::unwrap)"),
            [".unwrap()", ".expect()", "::unwrap"]
        );
        assert_eq!(marks("{ ( panic!(\"x\") ) } std::todo!()"), ["panic!", "todo!"]);
        assert_eq!(marks("#[allow(dead_code)] #![allow(dead_code)]"), ["#[allow]", "#[allow]"]);
        assert_eq!(marks("env!(\"HOME\")"), ["env!(\"HOME\")"]);
    }

    #[test]
    fn look_alikes_are_left_alone() {
        assert!(
            marks("unwrap(); x.unwrap_or(1); allow(y); x.expect; panic::x(); #[expect(dead_code)]")
                .is_empty()
        );
    }

    #[test]
    fn strings_are_paths_only_where_asked() {
        assert!(paths("with = \"crate::store\"").is_empty());
        let found = scan("with = \"crate::store\"".parse().unwrap(), Strings::MayBePaths).paths;
        assert!(found.iter().any(|path| path.segments == ["crate", "store"]));
    }
}
