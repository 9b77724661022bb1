//! How an operation is reached over REST. Where each argument travels follows from this alone, so that servers, clients
//! and the OpenAPI document agree.

/// What is done to what a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Looks.
    Get,
    /// Does or makes something.
    Post,
    /// Makes, or puts in place of what is there.
    Put,
    /// Changes a part.
    Patch,
    /// Takes away.
    Delete,
}

impl Method {
    /// The method as HTTP writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether arguments beyond the path's travel in a body; in the query otherwise.
    #[must_use]
    pub const fn has_body(self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch)
    }
}

/// A route of the management API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, its parameters in braces; each is an argument of that name.
    pub path: &'static str,
    /// The status of an answer when it was done.
    pub status: u16,
    /// The argument that is the whole body; without it, the body is an object of the arguments that the path does not name.
    pub body: Option<&'static str>,
    /// Whether the argument `version` travels in the header `If-Match`.
    pub guarded: bool,
}

impl Route {
    /// A route that answers 200 and takes its arguments one by one.
    #[must_use]
    pub const fn new(method: Method, path: &'static str) -> Self {
        Self { method, path, status: 200, body: None, guarded: false }
    }

    /// The same, answering 201.
    #[must_use]
    pub const fn creates(self) -> Self {
        Self { status: 201, ..self }
    }

    /// The same, with one argument as the whole body.
    #[must_use]
    pub const fn whole(self, argument: &'static str) -> Self {
        Self { body: Some(argument), ..self }
    }

    /// The same, with the version that the caller saw in `If-Match`.
    #[must_use]
    pub const fn guarded(self) -> Self {
        Self { guarded: true, ..self }
    }

    /// The names of the arguments that the path holds, in its order.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_parameters() {
        let route = Route::new(Method::Post, "/api/keys/{key}/rotate");
        assert_eq!(route.parameters().collect::<Vec<_>>(), ["key"]);
        assert_eq!(Route::new(Method::Get, "/api/keys").parameters().count(), 0);
    }
}
