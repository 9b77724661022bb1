//! The losses of each version, made by hand. Each stands beside the name by which it is declared.

use a2a::model::{
    Content, GetPush, ListPushes, ListTasks, Message, Params, Part, PushPage, Reply, Request, Role,
    SendMessage, Sent, StreamEvent, Task, TaskPush,
};
use serde_json::json;

/// What comes back of a request in 1.0; `None` if it is refused.
pub(crate) fn of_v1(mut request: Request) -> Option<Request> {
    match &mut request.params {
        // "webhook without an id"
        Params::GetPush(get) if get.id.is_none() => return None,
        // "earlier messages"
        Params::Send(send) | Params::Stream(send) => send.earlier.clear(),
        _ => {}
    }
    Some(request)
}

/// What comes back of a request in 0.3.
pub(crate) fn of_v03(mut request: Request) -> Request {
    // "tenant"
    request.tenant = None;
    match &mut request.params {
        Params::Send(send) | Params::Stream(send) => {
            // "earlier messages"
            send.earlier.clear();
            message(&mut send.message);
        }
        // "list of tasks"
        Params::List(list) => *list = ListTasks::default(),
        // "pages of webhooks"
        Params::ListPushes(list) => (list.page_size, list.page_token) = (None, None),
        _ => {}
    }
    request
}

/// What comes back of a reply in 0.3.
pub(crate) fn of_reply_in_v03(mut reply: Reply) -> Reply {
    match &mut reply {
        Reply::Sent(Sent::Task(it)) | Reply::Task(it) => task(it),
        Reply::Sent(Sent::Message(it)) => message(it),
        Reply::Tasks(page) => page.tasks.iter_mut().for_each(task),
        // "pages of webhooks"
        Reply::Pushes(page) => page.next_page_token.clear(),
        Reply::Push(_) | Reply::Deleted | Reply::Card(_) => {}
    }
    reply
}

/// What comes back of an event in 0.3.
pub(crate) fn of_event_in_v03(mut event: StreamEvent) -> StreamEvent {
    match &mut event {
        StreamEvent::Task(it) => task(it),
        StreamEvent::Message(it) => message(it),
        StreamEvent::Status(update) => update.status.message.iter_mut().for_each(message),
        StreamEvent::Artifact(update) => update.artifact.parts.iter_mut().for_each(part),
    }
    event
}

fn task(task: &mut Task) {
    task.status.message.iter_mut().for_each(message);
    task.history.iter_mut().for_each(message);
    task.artifacts.iter_mut().flat_map(|artifact| &mut artifact.parts).for_each(part);
}

fn message(message: &mut Message) {
    message.parts.iter_mut().for_each(part);
}

fn part(part: &mut Part) {
    if matches!(part.content, Content::Text(_) | Content::Data(_)) {
        // "name and type of text and data"
        (part.filename, part.media_type) = (None, None);
    }
    if let Content::Data(data) = &mut part.content
        && !data.is_object()
    {
        // "data that is no object"
        *data = json!({ "value": data.take() });
    }
}

/// Something that suffers a declared loss: a request, a reply, or one of each.
pub(crate) fn sample(name: &str) -> (Option<Request>, Option<Reply>) {
    let request = |params| Some(Request { tenant: None, params });
    let send = |part| Params::Send(SendMessage::new(Message::new("m", Role::User, vec![part])));
    let text = || Part::text("x");
    match name {
        "webhook without an id" => {
            (request(Params::GetPush(GetPush { task_id: "t".into(), id: None })), None)
        }
        "earlier messages" => {
            let mut send = SendMessage::new(Message::new("m", Role::User, vec![text()]));
            send.earlier.push(Message::new("n", Role::User, vec![text()]));
            (request(Params::Send(send)), None)
        }
        "tenant" => (Some(Request { tenant: Some("a".into()), params: Params::ExtendedCard }), None),
        "list of tasks" => {
            (request(Params::List(ListTasks { page_size: Some(3), ..ListTasks::default() })), None)
        }
        "pages of webhooks" => {
            let list = ListPushes { task_id: "t".into(), page_size: Some(3), page_token: None };
            let page = PushPage { configs: Vec::<TaskPush>::new(), next_page_token: "n".into() };
            (request(Params::ListPushes(list)), Some(Reply::Pushes(page)))
        }
        "name and type of text and data" => {
            let named = |part| Part { media_type: Some("text/plain".into()), ..part };
            let message = Message::new("m", Role::Agent, vec![named(Part::data(json!({})))]);
            (request(send(named(text()))), Some(Reply::Sent(Sent::Message(message))))
        }
        "data that is no object" => (request(send(Part::data(json!([1])))), None),
        _ => (None, None),
    }
}
