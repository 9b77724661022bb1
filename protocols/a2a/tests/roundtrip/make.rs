//! Anything that the model can hold. Numbers in free JSON are whole: JSON's reader is not exact on others.

use a2a::Timestamp;
use a2a::model::{
    Artifact, ArtifactUpdate, CancelTask, Content, DeletePush, GetPush, GetTask, ListPushes, ListTasks,
    Message, Metadata, Params, Part, PushAuthentication, PushConfig, PushPage, Reply, Request, Role,
    SendConfiguration, SendMessage, Sent, StatusUpdate, StreamEvent, Subscribe, Task, TaskPage, TaskPush,
    TaskState, TaskStatus,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// Names that the wire itself uses come up in free JSON too.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9-]{1,8}",
        "\\PC{1,6}",
        select(vec!["kind", "text", "message", "role", "data", "value", "id"]).prop_map(str::to_owned),
    ]
}

pub(crate) fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((word(), inner), 0..4).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn metadata() -> impl Strategy<Value = Metadata> {
    of(vec((word(), json()), 0..3).prop_map(|fields| fields.into_iter().collect::<Map<_, _>>()))
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    vec(word(), 0..3)
}

fn time() -> impl Strategy<Value = Timestamp> {
    (-62_135_596_800_000..=253_402_300_799_999_i64).prop_map(Timestamp::from_millis)
}

fn part() -> impl Strategy<Value = Part> {
    let content = prop_oneof![
        ".{0,8}".prop_map(Content::Text),
        "([A-Za-z0-9+/]{4}){0,3}".prop_map(Content::Raw),
        word().prop_map(Content::Url),
        json().prop_map(Content::Data),
    ];
    (content, of(word()), of(word()), metadata()).prop_map(|(content, filename, media_type, metadata)| Part {
        content,
        filename,
        media_type,
        metadata,
    })
}

pub(crate) fn message() -> impl Strategy<Value = Message> {
    let role = select(vec![Role::User, Role::Agent]);
    (word(), of(word()), of(word()), role, vec(part(), 1..3), metadata(), texts(), texts()).prop_map(
        |(id, context_id, task_id, role, parts, metadata, extensions, reference_task_ids)| Message {
            id,
            context_id,
            task_id,
            role,
            parts,
            metadata,
            extensions,
            reference_task_ids,
        },
    )
}

fn status() -> impl Strategy<Value = TaskStatus> {
    (select(TaskState::ALL.to_vec()), of(message()), of(time()))
        .prop_map(|(state, message, timestamp)| TaskStatus { state, message, timestamp })
}

fn artifact() -> impl Strategy<Value = Artifact> {
    (word(), of(word()), of(word()), vec(part(), 1..3), metadata(), texts()).prop_map(
        |(id, name, description, parts, metadata, extensions)| Artifact {
            id,
            name,
            description,
            parts,
            metadata,
            extensions,
        },
    )
}

pub(crate) fn task() -> impl Strategy<Value = Task> {
    (word(), of(word()), status(), vec(artifact(), 0..2), vec(message(), 0..2), metadata()).prop_map(
        |(id, context_id, status, artifacts, history, metadata)| Task {
            id,
            context_id,
            status,
            artifacts,
            history,
            metadata,
        },
    )
}

pub(crate) fn event() -> impl Strategy<Value = StreamEvent> {
    let status =
        (word(), word(), status(), metadata()).prop_map(|(task_id, context_id, status, metadata)| {
            StreamEvent::Status(StatusUpdate { task_id, context_id, status, metadata })
        });
    let piece = (word(), word(), artifact(), any::<[bool; 2]>(), metadata()).prop_map(
        |(task_id, context_id, artifact, [append, last_chunk], metadata)| {
            StreamEvent::Artifact(ArtifactUpdate {
                task_id,
                context_id,
                artifact,
                append,
                last_chunk,
                metadata,
            })
        },
    );
    prop_oneof![task().prop_map(StreamEvent::Task), message().prop_map(StreamEvent::Message), status, piece]
}

fn push() -> impl Strategy<Value = PushConfig> {
    let authentication =
        (word(), of(word())).prop_map(|(scheme, credentials)| PushAuthentication { scheme, credentials });
    (of(word()), word(), of(word()), of(authentication))
        .prop_map(|(id, url, token, authentication)| PushConfig { id, url, token, authentication })
}

fn task_push() -> impl Strategy<Value = TaskPush> {
    (word(), push()).prop_map(|(task_id, config)| TaskPush { task_id, config })
}

fn number() -> impl Strategy<Value = Option<u32>> {
    of(0..=i32::MAX.unsigned_abs())
}

fn send() -> impl Strategy<Value = SendMessage> {
    let configuration = (texts(), of(push()), number(), any::<bool>()).prop_map(
        |(accepted_output_modes, push, history_length, return_immediately)| SendConfiguration {
            accepted_output_modes,
            push,
            history_length,
            return_immediately,
        },
    );
    (message(), configuration, metadata(), vec(message(), 0..2)).prop_map(
        |(message, configuration, metadata, earlier)| SendMessage {
            message,
            configuration,
            metadata,
            earlier,
        },
    )
}

fn list() -> impl Strategy<Value = ListTasks> {
    let states = TaskState::ALL.into_iter().filter(|state| *state != TaskState::Unknown).collect::<Vec<_>>();
    (of(word()), of(select(states)), of(1..=100_u32), of(word()), number(), of(time()), any::<bool>())
        .prop_map(
            |(
                context_id,
                status,
                page_size,
                page_token,
                history_length,
                status_timestamp_after,
                include_artifacts,
            )| {
                ListTasks {
                    context_id,
                    status,
                    page_size,
                    page_token,
                    history_length,
                    status_timestamp_after,
                    include_artifacts,
                }
            },
        )
}

pub(crate) fn request() -> impl Strategy<Value = Request> {
    let pages = (word(), of(1..=1000_u32), of(word()))
        .prop_map(|(task_id, page_size, page_token)| ListPushes { task_id, page_size, page_token });
    let params = prop_oneof![
        send().prop_map(Params::Send),
        send().prop_map(Params::Stream),
        (word(), number()).prop_map(|(id, history_length)| Params::Get(GetTask { id, history_length })),
        list().prop_map(Params::List),
        (word(), metadata()).prop_map(|(id, metadata)| Params::Cancel(CancelTask { id, metadata })),
        word().prop_map(|id| Params::Subscribe(Subscribe { id })),
        task_push().prop_map(Params::CreatePush),
        (word(), of(word())).prop_map(|(task_id, id)| Params::GetPush(GetPush { task_id, id })),
        pages.prop_map(Params::ListPushes),
        (word(), word()).prop_map(|(task_id, id)| Params::DeletePush(DeletePush { task_id, id })),
        Just(Params::ExtendedCard),
    ];
    (of(word()), params).prop_map(|(tenant, params)| Request { tenant, params })
}

pub(crate) fn reply() -> impl Strategy<Value = Reply> {
    let page = (vec(task(), 0..2), ".{0,4}", any::<u32>(), any::<u32>()).prop_map(
        |(tasks, next_page_token, page_size, total_size)| TaskPage {
            tasks,
            next_page_token,
            page_size,
            total_size,
        },
    );
    let pushes = (vec(task_push(), 0..3), ".{0,4}")
        .prop_map(|(configs, next_page_token)| PushPage { configs, next_page_token });
    prop_oneof![
        task().prop_map(|task| Reply::Sent(Sent::Task(task))),
        message().prop_map(|message| Reply::Sent(Sent::Message(message))),
        task().prop_map(Reply::Task),
        page.prop_map(Reply::Tasks),
        task_push().prop_map(Reply::Push),
        pushes.prop_map(Reply::Pushes),
        Just(Reply::Deleted),
        Just(Reply::Card(json!({"name": "a"}))),
    ]
}
