//! Method and path to operation. A table, read segment by segment.

use crate::operation::Operation;

/// What a path means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The operation.
    pub operation: Operation,
    /// The segment before the path.
    pub tenant: Option<String>,
    /// The task in the path.
    pub task: Option<String>,
    /// The webhook in the path.
    pub push: Option<String>,
}

/// A path or a method that means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRoute {
    /// Nothing is there: 404.
    Path,
    /// Something is there, which takes these methods: 405.
    Method(Vec<&'static str>),
}

/// One segment of a pattern.
#[derive(Clone, Copy)]
enum Segment {
    /// These very letters.
    Is(&'static str),
    /// A task's id.
    Task,
    /// A task's id, with a colon and this verb behind it.
    TaskVerb(&'static str),
    /// A webhook's id.
    Push,
}

use Segment::{Is, Push, Task, TaskVerb};

const PUSHES: Segment = Is("pushNotificationConfigs");

/// The specification's text has `POST` for subscribing, its proto file `GET`; official servers take both, and so does
/// this.
#[rustfmt::skip]
const ROUTES: &[(&str, &[Segment], Operation)] = &[
    ("POST",   &[Is("message:send")],                      Operation::Send),
    ("POST",   &[Is("message:stream")],                    Operation::Stream),
    ("GET",    &[Is("tasks")],                             Operation::List),
    ("POST",   &[Is("tasks"), TaskVerb("cancel")],         Operation::Cancel),
    ("POST",   &[Is("tasks"), TaskVerb("subscribe")],      Operation::Subscribe),
    ("GET",    &[Is("tasks"), TaskVerb("subscribe")],      Operation::Subscribe),
    ("GET",    &[Is("tasks"), Task],                       Operation::Get),
    ("POST",   &[Is("tasks"), Task, PUSHES],               Operation::CreatePush),
    ("GET",    &[Is("tasks"), Task, PUSHES],               Operation::ListPushes),
    ("GET",    &[Is("tasks"), Task, PUSHES, Push],         Operation::GetPush),
    ("DELETE", &[Is("tasks"), Task, PUSHES, Push],         Operation::DeletePush),
    ("GET",    &[Is("extendedAgentCard")],                 Operation::ExtendedCard),
];

/// What a method and a path below the interface's address mean. The path is as it came, with its escapes, and without
/// the query; slashes at its end do not count.
///
/// # Errors
///
/// Nothing is there, or nothing that takes the method.
pub fn route(method: &str, path: &str) -> Result<Route, NoRoute> {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let mut allowed = Vec::new();
    // Without a tenant first: nobody's tenant is called `tasks`.
    for tenant in [false, true] {
        let (before, rest) =
            if tenant { segments.split_at(1.min(segments.len())) } else { (&[][..], &segments[..]) };
        for (takes, pattern, operation) in ROUTES {
            let Some(mut found) = matches(pattern, rest, *operation) else { continue };
            found.tenant = match before {
                [] => None,
                [tenant, ..] => Some(unescape(tenant).filter(|it| !it.is_empty()).ok_or(NoRoute::Path)?),
            };
            if *takes == method {
                return Ok(found);
            }
            if !allowed.contains(takes) {
                allowed.push(*takes);
            }
        }
    }
    if allowed.is_empty() { Err(NoRoute::Path) } else { Err(NoRoute::Method(allowed)) }
}

fn matches(pattern: &[Segment], segments: &[&str], operation: Operation) -> Option<Route> {
    if pattern.len() != segments.len() {
        return None;
    }
    let mut route = Route { operation, tenant: None, task: None, push: None };
    let some = |text: &str| unescape(text).filter(|text| !text.is_empty());
    for (pattern, segment) in pattern.iter().zip(segments) {
        match pattern {
            Is(word) => (unescape(segment)? == *word).then_some(())?,
            Task => route.task = Some(some(segment)?),
            TaskVerb(verb) => {
                let (task, said) = segment.rsplit_once(':').or_else(|| escaped_colon(segment))?;
                (said == *verb).then_some(())?;
                route.task = Some(some(task)?);
            }
            Push => route.push = Some(some(segment)?),
        }
    }
    Some(route)
}

/// Some clients escape the colon before the verb.
fn escaped_colon(segment: &str) -> Option<(&str, &str)> {
    segment.rsplit_once("%3A").or_else(|| segment.rsplit_once("%3a"))
}

/// Undoes percent escapes; `None` for what is none, or no text behind it.
fn unescape(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let value = digit(rest.next()?)? * 16 + digit(rest.next()?)?;
        bytes.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::panic, reason = "a test reports by panicking")]

    use super::*;

    fn found(method: &str, path: &str) -> (Operation, [Option<String>; 3]) {
        let it = route(method, path).unwrap_or_else(|error| panic!("{method} {path}: {error:?}"));
        (it.operation, [it.tenant, it.task, it.push])
    }

    #[test]
    fn every_path_of_the_specification_is_known() {
        let some = |text: &str| Some(text.to_owned());
        let table = [
            ("POST", "/message:send", Operation::Send, [None, None, None]),
            ("POST", "/message:stream", Operation::Stream, [None, None, None]),
            ("GET", "/tasks/t1", Operation::Get, [None, some("t1"), None]),
            ("GET", "/tasks", Operation::List, [None, None, None]),
            ("GET", "/tasks/", Operation::List, [None, None, None]),
            ("POST", "/tasks/t1:cancel", Operation::Cancel, [None, some("t1"), None]),
            ("POST", "/tasks/t1%3Acancel", Operation::Cancel, [None, some("t1"), None]),
            ("POST", "/tasks/t1:subscribe", Operation::Subscribe, [None, some("t1"), None]),
            ("GET", "/tasks/t1:subscribe", Operation::Subscribe, [None, some("t1"), None]),
            ("POST", "/tasks/t1/pushNotificationConfigs", Operation::CreatePush, [None, some("t1"), None]),
            ("GET", "/tasks/t1/pushNotificationConfigs", Operation::ListPushes, [None, some("t1"), None]),
            ("GET", "/tasks/t1/pushNotificationConfigs/p", Operation::GetPush, [None, some("t1"), some("p")]),
            (
                "DELETE",
                "/tasks/t1/pushNotificationConfigs/p",
                Operation::DeletePush,
                [None, some("t1"), some("p")],
            ),
            ("GET", "/extendedAgentCard", Operation::ExtendedCard, [None, None, None]),
            ("POST", "/acme/message:send", Operation::Send, [some("acme"), None, None]),
            ("GET", "/acme/tasks/t1", Operation::Get, [some("acme"), some("t1"), None]),
            ("GET", "/tasks/tasks", Operation::Get, [None, some("tasks"), None]),
            ("GET", "/tasks/a%2Fb%20c", Operation::Get, [None, some("a/b c"), None]),
            ("GET", "/tasks/a:b", Operation::Get, [None, some("a:b"), None]),
            ("POST", "/tasks/a:b:cancel", Operation::Cancel, [None, some("a:b"), None]),
        ];
        for (method, path, operation, ids) in table {
            assert_eq!(found(method, path), (operation, ids), "{method} {path}");
        }
    }

    #[test]
    fn what_is_not_there_is_told_from_what_takes_another_method() {
        for path in [
            "",
            "/",
            "/nothing",
            "/a/b/tasks",
            "/tasks/%zz",
            "/tasks/%ff",
            "/tasks//x",
            "/%/tasks",
            "//tasks/x/y",
        ] {
            assert_eq!(route("GET", path), Err(NoRoute::Path), "{path}");
        }
        assert_eq!(route("GET", "/message:send"), Err(NoRoute::Method(vec!["POST"])));
        assert_eq!(
            route("PUT", "/tasks/t/pushNotificationConfigs"),
            Err(NoRoute::Method(vec!["POST", "GET"]))
        );
        assert_eq!(route("POST", "/tasks/t:explode"), Err(NoRoute::Method(vec!["GET"])));
    }
}
