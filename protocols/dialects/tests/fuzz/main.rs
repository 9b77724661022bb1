//! Fuzz targets: whatever comes in, nothing panics, what goes out is well formed, and its size is bounded by what came
//! in. Inputs are bodies as they are, or small programs that change recorded ones (`mutate.rs`), so that the random
//! engine that runs as part of the tests gets deep as well. How to run them for longer stands in CONTRIBUTING.md.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

mod check;
#[path = "../support/fixtures.rs"]
mod fixtures;
mod mutate;
#[path = "../support/streams.rs"]
mod streams;

use std::{sync::LazyLock, time::Duration};

use bytes::Bytes;
use canon::{Dialect, sse};
use mutate::Pool;

/// How long a target runs as a test, unless `BOLERO_RANDOM_TEST_TIME_MS` says otherwise.
const SHORT: Duration = Duration::from_millis(400);

static REQUESTS: LazyLock<Pool> = LazyLock::new(|| Pool::of("requests"));
static ANSWERS: LazyLock<Pool> = LazyLock::new(|| Pool::of("answers"));
static STREAMS: LazyLock<Pool> = LazyLock::new(|| Pool::of("streams"));

#[test]
fn splitter() {
    bolero::check!().with_test_time(SHORT).with_max_len(300).for_each(|input: &[u8]| {
        let at = input.first().map_or(0, |first| usize::from(*first)).min(input.len());
        let mut splitter = sse::Splitter::default();
        let (mut taken, mut events) = (Vec::new(), Vec::new());
        for packet in [&input[..at], &input[at..]] {
            splitter.push(Bytes::copy_from_slice(packet));
            while let Some(event) = splitter.next_event() {
                taken.extend_from_slice(&event);
                events.push(event);
            }
        }
        let pending = splitter.pending();
        assert_eq!(taken.len() + pending, input.len());
        assert_eq!(taken, input[..taken.len()]);
        events.extend(splitter.rest());
        assert_eq!(events, streams::split(input), "the packets matter");
        for event in events {
            let data = sse::data(&event);
            assert!(data.is_none_or(|data| data.len() <= event.len()));
        }
    });
}

#[test]
fn readers() {
    bolero::check!().with_test_time(SHORT).with_max_len(300).for_each(|input: &[u8]| {
        for pool in [&REQUESTS, &ANSWERS, &STREAMS] {
            check::readers(&pool.body(input).1);
        }
    });
}

#[test]
fn foreign_thoughts() {
    bolero::check!().with_test_time(SHORT).with_max_len(120).for_each(|input: &[u8]| {
        let (_, body) = REQUESTS.body(input);
        for own in [true, false] {
            let bodies = [
                anthropic::messages::without_foreign_thoughts(&body, |_| own),
                openai::responses::without_foreign_thoughts(&body, |_| own),
                gemini::generate::without_foreign_thoughts(&body, |_| own),
            ];
            for left in bodies.into_iter().flatten() {
                check::is_bounded("without thoughts", &body, left.len(), 8);
                serde_json::from_slice::<serde_json::Value>(&left).unwrap();
            }
        }
    });
}

#[test]
fn requests() {
    bolero::check!().with_test_time(SHORT).with_max_len(120).for_each(|input: &[u8]| {
        let (dialect, body) = REQUESTS.body(input);
        check::request(dialect, &body, input.len());
    });
}

#[test]
fn requests_of_another_dialect() {
    bolero::check!().with_test_time(SHORT).with_max_len(40).for_each(|input: &[u8]| {
        let (_, body) = REQUESTS.body(input);
        for dialect in Dialect::ALL {
            check::request(dialect, &body, input.len());
        }
    });
}

#[test]
fn answers() {
    bolero::check!().with_test_time(SHORT).with_max_len(120).for_each(|input: &[u8]| {
        let (dialect, body) = ANSWERS.body(input);
        check::answer(dialect, &body);
    });
}

#[test]
fn streams_of_a_provider() {
    bolero::check!().with_test_time(SHORT).with_max_len(120).for_each(|input: &[u8]| {
        let (dialect, stream) = STREAMS.stream(input);
        check::stream(dialect, &stream);
    });
}

#[test]
fn streams_of_another_dialect() {
    bolero::check!().with_test_time(SHORT).with_max_len(40).for_each(|input: &[u8]| {
        let (_, stream) = STREAMS.stream(input);
        for dialect in Dialect::ALL {
            check::stream(dialect, &stream);
        }
    });
}

/// The recorded bodies themselves, unchanged, in every dialect: the seeds of all targets.
#[test]
fn seeds() {
    for fixture in fixtures::fixtures("requests") {
        Dialect::ALL.into_iter().for_each(|dialect| check::request(dialect, &fixture.body, 0));
        check::readers(&fixture.body);
    }
    for fixture in fixtures::fixtures("answers") {
        Dialect::ALL.into_iter().for_each(|dialect| check::answer(dialect, &fixture.body));
        check::readers(&fixture.body);
    }
    for fixture in fixtures::fixtures("streams") {
        assert!(streams::decoded(fixture.dialect, &fixture.body).is_ok(), "{}", fixture.name);
    }
    for kind in ["streams", "errors"] {
        for fixture in fixtures::fixtures(kind) {
            Dialect::ALL.into_iter().for_each(|dialect| check::stream(dialect, &fixture.body));
        }
    }
}
