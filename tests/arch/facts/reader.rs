//! The walk over a syntax tree that gathers the facts of a file.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::{Declared, Facts, Function, Import, ModuleFacts};
use crate::cfg::{attributes, is_test_only};
use crate::tokens::{self, Mark, Strings, Written, plain};

pub(super) fn read(file: &syn::File) -> Facts {
    let test = file.attrs.iter().any(is_test_only);
    let mut reader = Reader { facts: Facts::default(), module: 0, test };
    reader.facts.modules.push(ModuleFacts { test, ..ModuleFacts::default() });
    reader.visit_file(file);
    let tests = file.items.iter().filter(|item| attributes(item).iter().any(is_test_only));
    reader.facts.test_lines = tests.map(|item| height(item.span())).sum();
    reader.facts
}

struct Reader {
    facts: Facts,
    /// Index of the module that is being read.
    module: usize,
    /// Inside of test code.
    test: bool,
}

impl Reader {
    fn here(&mut self) -> &mut ModuleFacts {
        &mut self.facts.modules[self.module]
    }

    fn uses(&mut self, path: Written) {
        let bare = path.segments.len() == 1
            && matches!(path.segments[0].as_str(), "crate" | "self" | "super" | "Self" | "_");
        if !self.test && !bare {
            self.here().uses.push(path);
        }
    }

    fn import(&mut self, name: Option<String>, path: Written, public: bool) {
        if !self.test {
            self.here().imports.push(Import { name, path, public });
        }
    }

    fn mark(&mut self, mark: Mark) {
        if !self.test || mark.what == "#[allow]" {
            self.facts.marks.push(mark);
        }
    }

    fn scan(&mut self, stream: TokenStream, strings: Strings) {
        let scan = tokens::scan(stream, strings);
        scan.paths.into_iter().for_each(|path| self.uses(path));
        scan.marks.into_iter().for_each(|mark| self.mark(mark));
    }

    fn within_test(&mut self, test: bool, read: impl FnOnce(&mut Self)) {
        let before = self.test;
        self.test |= test;
        read(self);
        self.test = before;
    }

    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        if !self.test {
            let line = signature.fn_token.span.start().line;
            let lines = block.brace_token.span.close().end().line + 1 - line;
            self.facts.functions.push(Function { name: plain(&signature.ident), line, lines });
        }
    }

    fn tree(&mut self, tree: &syn::UseTree, prefix: &[String], absolute: bool, public: bool) {
        let line = tree.span().start().line;
        let with = |ident: &syn::Ident| prefix.iter().cloned().chain([plain(ident)]).collect::<Vec<_>>();
        let (name, segments, glob) = match tree {
            syn::UseTree::Path(path) => return self.tree(&path.tree, &with(&path.ident), absolute, public),
            syn::UseTree::Group(group) => {
                return group.items.iter().for_each(|item| self.tree(item, prefix, absolute, public));
            }
            syn::UseTree::Glob(_) => (None, prefix.to_vec(), true),
            syn::UseTree::Name(name) if name.ident == "self" => {
                (prefix.last().cloned(), prefix.to_vec(), false)
            }
            syn::UseTree::Name(name) => (Some(plain(&name.ident)), with(&name.ident), false),
            syn::UseTree::Rename(rename) if rename.ident == "self" && !prefix.is_empty() => {
                (Some(plain(&rename.rename)), prefix.to_vec(), false)
            }
            syn::UseTree::Rename(rename) => (Some(plain(&rename.rename)), with(&rename.ident), false),
        };
        let path = Written { segments, absolute, import: true, glob, line };
        self.uses(path.clone());
        if glob || name.as_deref() != Some("_") {
            self.import(name, path, public);
        }
    }

    fn define(&mut self, item: &syn::Item) {
        let name = match item {
            syn::Item::Const(item) => &item.ident,
            syn::Item::Enum(item) => &item.ident,
            syn::Item::Fn(item) => &item.sig.ident,
            syn::Item::Static(item) => &item.ident,
            syn::Item::Struct(item) => &item.ident,
            syn::Item::Trait(item) => &item.ident,
            syn::Item::Union(item) => &item.ident,
            syn::Item::Type(item) => {
                if let syn::Type::Path(target) = &*item.ty
                    && target.qself.is_none()
                {
                    let public = !matches!(item.vis, syn::Visibility::Inherited);
                    return self.import(Some(plain(&item.ident)), written(&target.path), public);
                }
                &item.ident
            }
            syn::Item::Macro(item) => {
                let Some(ident) = &item.ident else { return };
                if item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export")) {
                    return self.here().exported_macros.push(plain(ident));
                }
                ident
            }
            _ => return,
        };
        let name = plain(name);
        self.here().items.push(name);
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        self.within_test(attributes(item).iter().any(is_test_only), |reader| {
            if !reader.test {
                reader.define(item);
            }
            if let syn::Item::Verbatim(tokens) = item {
                reader.scan(tokens.clone(), Strings::AreText);
            }
            visit::visit_item(reader, item);
        });
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        let attributes: &[syn::Attribute] = match item {
            syn::ImplItem::Fn(item) => &item.attrs,
            syn::ImplItem::Const(item) => &item.attrs,
            syn::ImplItem::Type(item) => &item.attrs,
            _ => &[],
        };
        self.within_test(attributes.iter().any(is_test_only), |reader| visit::visit_impl_item(reader, item));
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let name = plain(&item.ident);
        if item.content.is_none() {
            let file = item.attrs.iter().find_map(path_attribute);
            let test = self.test;
            self.here().declared.push(Declared { name, file, test });
            return item.attrs.iter().for_each(|attribute| self.visit_attribute(attribute));
        }
        let mut path = self.here().path.clone();
        path.push(name);
        let module = self.facts.modules.len();
        self.facts.modules.push(ModuleFacts { path, test: self.test, ..ModuleFacts::default() });
        let outer = std::mem::replace(&mut self.module, module);
        visit::visit_item_mod(self, item);
        self.module = outer;
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        item.attrs.iter().for_each(|attribute| self.visit_attribute(attribute));
        let public = !matches!(item.vis, syn::Visibility::Inherited);
        self.tree(&item.tree, &[], item.leading_colon.is_some(), public);
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        let line = item.ident.span().start().line;
        let path =
            Written { segments: vec![plain(&item.ident)], absolute: true, import: true, glob: false, line };
        let name = item.rename.as_ref().map_or(&item.ident, |(_, name)| name);
        self.uses(path.clone());
        self.import(Some(plain(name)), path, !matches!(item.vis, syn::Visibility::Inherited));
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    /// What the parser does not know is still tokens.
    fn visit_expr(&mut self, expr: &'ast syn::Expr) {
        if let syn::Expr::Verbatim(tokens) = expr {
            self.scan(tokens.clone(), Strings::AreText);
        }
        visit::visit_expr(self, expr);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let name = plain(&call.method);
        if tokens::is_panicking_call(&name) {
            self.mark(Mark { what: format!(".{name}()"), line: call.method.span().start().line });
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let found = written(path);
        if let [_, .., last] = found.segments.as_slice()
            && tokens::is_panicking_call(last)
        {
            self.mark(Mark { what: format!("::{last}"), line: found.line });
        }
        self.uses(found);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let line = call.path.span().start().line;
        let name = call.path.segments.last().map(|segment| plain(&segment.ident)).unwrap_or_default();
        if let Some(what) = tokens::mark_of_macro(&name, call.tokens.clone()) {
            self.mark(Mark { what, line });
        }
        self.visit_path(&call.path);
        self.scan(call.tokens.clone(), Strings::AreText);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        let name = attribute.path();
        let text = ["doc", "deprecated", "expect", "instrument", "cfg"].iter().any(|it| name.is_ident(it));
        if name.is_ident("allow") {
            let line = attribute.pound_token.span.start().line;
            self.mark(Mark { what: "#[allow]".into(), line });
        }
        if text || name.is_ident("allow") {
            return;
        }
        self.visit_path(name);
        match &attribute.meta {
            syn::Meta::List(list) => {
                if name.is_ident("cfg_attr") && has_call_of_allow(&list.tokens) {
                    let line = attribute.pound_token.span.start().line;
                    self.mark(Mark { what: "#[allow]".into(), line });
                }
                self.scan(list.tokens.clone(), Strings::MayBePaths);
            }
            syn::Meta::NameValue(pair) => visit::visit_expr(self, &pair.value),
            syn::Meta::Path(_) => {}
        }
    }

    /// `pub(in some::path)` names an ancestor and uses nothing.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

fn written(path: &syn::Path) -> Written {
    Written {
        segments: path.segments.iter().map(|segment| plain(&segment.ident)).collect(),
        absolute: path.leading_colon.is_some(),
        import: false,
        glob: false,
        line: path.span().start().line,
    }
}

fn has_call_of_allow(tokens: &TokenStream) -> bool {
    let tokens: Vec<_> = tokens.clone().into_iter().collect();
    tokens
        .windows(2)
        .any(|pair| matches!(pair, [TokenTree::Ident(name), TokenTree::Group(_)] if name == "allow"))
}

fn height(span: Span) -> usize {
    span.end().line + 1 - span.start().line
}

fn path_attribute(attribute: &syn::Attribute) -> Option<String> {
    match &attribute.meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}
