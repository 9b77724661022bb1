//! What is written and read again is what it was, up to what a version cannot say. Each loss is declared in the codec's
//! `CANNOT_SAY`, and is made here by hand to what is expected to come back: nothing undeclared may be lost, and nothing
//! is declared that is not lost.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

mod loss;
mod make;

use a2a::model::{Params, Reply, Request, Sent};
use a2a::{Operation, v1, v03};
use proptest::prelude::*;
use serde_json::Value;

/// The operation by which a reply is read.
fn operation(reply: &Reply) -> Operation {
    match reply {
        Reply::Sent(_) => Operation::Send,
        Reply::Task(_) => Operation::Get,
        Reply::Tasks(_) => Operation::List,
        Reply::Push(_) => Operation::CreatePush,
        Reply::Pushes(_) => Operation::ListPushes,
        Reply::Deleted => Operation::DeletePush,
        Reply::Card(_) => Operation::ExtendedCard,
    }
}

/// To text and back, as on the wire.
fn sent(value: &Value) -> Value {
    serde_json::from_str(&value.to_string()).unwrap()
}

proptest! {
    #[test]
    fn requests_survive_the_newer_version(request in make::request()) {
        let read = v1::request(request.params.operation(), v1::params(&request).as_ref().map(sent));
        match loss::of_v1(request) {
            Some(expected) => prop_assert_eq!(read, Ok(expected)),
            None => prop_assert!(read.is_err()),
        }
    }

    #[test]
    fn requests_survive_the_older_version_but_for_what_it_cannot_say(request in make::request()) {
        let read = v03::request(request.params.operation(), v03::params(&request).as_ref().map(sent));
        prop_assert_eq!(read, Ok(loss::of_v03(request)));
    }

    #[test]
    fn replies_survive_the_newer_version(reply in make::reply()) {
        prop_assert_eq!(v1::read_reply(operation(&reply), sent(&v1::reply(&reply))), Ok(reply));
    }

    #[test]
    fn replies_survive_the_older_version_but_for_what_it_cannot_say(reply in make::reply()) {
        let read = v03::read_reply(operation(&reply), sent(&v03::reply(&reply)));
        prop_assert_eq!(read, Ok(loss::of_reply_in_v03(reply)));
    }

    #[test]
    fn events_survive_both(event in make::event()) {
        prop_assert_eq!(v1::read_event(sent(&v1::event(&event))), Ok(event.clone()));
        let read = v03::read_event(sent(&v03::event(&event)));
        prop_assert_eq!(read, Ok(loss::of_event_in_v03(event)));
    }

    #[test]
    fn tasks_and_messages_survive_by_themselves(task in make::task(), message in make::message()) {
        prop_assert_eq!(v1::read_task(sent(&v1::task(&task))), Ok(task.clone()));
        prop_assert_eq!(v1::read_message(sent(&v1::message(&message))), Ok(message.clone()));
        let Reply::Sent(Sent::Task(kept)) = loss::of_reply_in_v03(Reply::Sent(Sent::Task(task.clone()))) else { unreachable!() };
        prop_assert_eq!(v03::read_task(sent(&v03::task(&task))), Ok(kept));
        let Reply::Sent(Sent::Message(kept)) = loss::of_reply_in_v03(Reply::Sent(Sent::Message(message.clone()))) else { unreachable!() };
        prop_assert_eq!(v03::read_message(sent(&v03::message(&message))), Ok(kept));
    }

    #[test]
    fn whatever_is_asked_is_read_or_refused(value in make::json(), operation in proptest::sample::select(Operation::all().collect::<Vec<_>>())) {
        for params in [None, Some(value)] {
            let _ = v1::request(operation, params.clone());
            let _ = v03::request(operation, params.clone());
            let _ = a2a::decode(operation, a2a::Version::V03, params, || "id".into());
        }
    }

    #[test]
    fn whatever_comes_as_a_body_is_a_call_or_an_error(body in prop::collection::vec(any::<u8>(), 0..64), text in ".{0,64}") {
        let _ = a2a::rpc::parse(&body);
        let _ = a2a::rpc::parse(text.as_bytes());
    }
}

#[test]
fn every_declared_loss_is_one() {
    for (name, _) in v1::CANNOT_SAY {
        let (request, _) = loss::sample(name);
        let request = request.unwrap();
        let read = v1::request(request.params.operation(), v1::params(&request));
        assert_ne!(read, Ok(request), "{name}");
    }
    for (name, _) in v03::CANNOT_SAY {
        let (request, reply) = loss::sample(name);
        assert!(request.is_some() || reply.is_some(), "there is no sample for {name}");
        if let Some(request) = request {
            let read = v03::request(request.params.operation(), v03::params(&request));
            assert_ne!(read, Ok(request), "{name}");
        }
        if let Some(reply) = reply {
            let read = v03::read_reply(operation(&reply), v03::reply(&reply));
            assert_ne!(read, Ok(reply), "{name}");
        }
    }
    let card = Request { tenant: None, params: Params::ExtendedCard };
    assert_eq!(v03::request(Operation::ExtendedCard, v03::params(&card)), Ok(card));
}
