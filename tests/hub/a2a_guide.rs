//! What `docs/a2a.md` shows can be done as it stands there.

use axum::body::Body;
use http::Request;

use super::{a2a::hub, support::TestHub};

/// A call of the guide: path, headers, and what is posted.
type Call = (String, Vec<(String, String)>, Option<String>);

fn calls(guide: &str) -> Vec<Call> {
    let lines = guide.lines().filter_map(|line| line.strip_prefix("curl http://127.0.0.1:20128"));
    let call = |line: &str| {
        let (path, rest) = line.split_once(' ').unwrap();
        let mut headers = Vec::new();
        for part in rest.split(" -H ").flat_map(|part| part.split("-H ")).filter(|part| !part.is_empty()) {
            let quote = part.chars().next().unwrap();
            let header = part[1..].split(quote).next().unwrap();
            // The key is the test's own.
            if let Some((name, value)) = header.split_once(": ").filter(|(name, _)| *name != "Authorization")
            {
                headers.push((name.to_owned(), value.to_owned()));
            }
        }
        let data = rest.split_once(" -d '").map(|(_, data)| data.strip_suffix('\'').unwrap().to_owned());
        (path.to_owned(), headers, data)
    };
    lines.map(call).collect()
}

#[tokio::test(start_paused = true)]
async fn the_calls_of_the_guide_are_answered() {
    let hub: TestHub = hub().await;
    let guide = include_str!("../../docs/a2a.md");
    let calls = calls(guide);
    assert!(calls.len() >= 5, "{calls:?}");
    let mut task = String::new();
    for (path, headers, data) in calls {
        let method = if data.is_some() { "POST" } else { "GET" };
        let mut request = Request::builder().method(method).uri(path.replace("TASK", &task));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = hub.send(request.body(Body::from(data.unwrap_or_default())).unwrap()).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let told = answer.json();
        assert!(told.get("error").is_none(), "{path}: {told}");
        let of_task = [&told["result"]["task"]["id"], &told["task"]["id"]];
        if let Some(id) = of_task.into_iter().find_map(|id| id.as_str()) {
            task = id.to_owned();
        }
    }
    assert!(!task.is_empty());
}

#[test]
fn the_guide_names_every_skill_and_the_extension() {
    let guide = include_str!("../../docs/a2a.md");
    for skill in trivium::ops::skills::ALL {
        assert!(guide.contains(&format!("| `{}` |", skill.id)), "{}", skill.id);
    }
    assert!(guide.contains(trivium::ops::skills::EXTENSION));
}
