"""The A2A SDK for Python, of the line 0.3: as a client by JSON-RPC. A line for each check."""

import asyncio
import json

import httpx

from a2a import types as a2a
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.client.errors import A2AClientHTTPError, A2AClientJSONRPCError
from a2a.utils import get_artifact_text
from harness import CONTEXT, check, equal, main, new_id, refused, told, true, upstream

HUB, KEY, OTHER, OPERATOR = (CONTEXT[name] for name in ("url", "key", "other", "operator"))
WORDS = CONTEXT["words"]
STATE = a2a.TaskState


def http(key):
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(headers=headers, timeout=30)


async def card_of(path=None):
    async with http(None) as client:
        return await A2ACardResolver(client, HUB).get_agent_card(relative_card_path=path)


async def client(key=KEY, **config):
    return ClientFactory(ClientConfig(httpx_client=http(key), **config)).create(await card_of())


def message(text, model=None, task=None, context=None, part=None):
    metadata = {"model": model} if model else None
    parts = [a2a.Part(root=part or a2a.TextPart(text=text))]
    return a2a.Message(
        message_id=new_id(), role=a2a.Role.user, parts=parts, task_id=task, context_id=context, metadata=metadata
    )


async def send(by, said, **more):
    """The only answer of a client that does not stream."""
    answers = [answer async for answer in by.send_message(said, **more)]
    equal(len(answers), 1, "the number of answers")
    true(isinstance(answers[0], tuple), f"a task is the answer: {answers}")
    return answers[0][0]


async def begun(by, model, text=f"echo: {WORDS}", hook=None):
    """A task that is being worked on."""
    configuration = a2a.MessageSendConfiguration(blocking=False, push_notification_config=hook)
    task = await send(by, message(text, model), configuration=configuration)
    true(task.status.state in (STATE.submitted, STATE.working), f"it is worked on: {task.status}")
    return task


async def hanging(by):
    """A task that is worked on for ever, and tells nothing of it any more."""
    task = await begun(by, "hanging")
    while (await by.get_task(a2a.TaskQueryParams(id=task.id))).status.state != STATE.working:
        await asyncio.sleep(0.02)
    return task


def text_of(artifact):
    return "".join(part.root.text for part in artifact.parts if part.root.kind == "text")


def answer_of(task):
    found = [one for one in task.artifacts or [] if one.artifact_id == "answer"]
    equal(len(found), 1, "the number of answers")
    return found[0]


async def failed(work, kind):
    """What a call is refused with, by its own kind of error."""
    error = (await refused(work, A2AClientJSONRPCError)).error
    equal(error.code, kind.model_fields["code"].default, kind.__name__)
    kind.model_validate(error.model_dump())


async def followed(events):
    """A stream, judged: what the first event told of the answer, the pieces behind it, and the last status."""
    first, pieces, states, whole, is_final = None, [], [], None, []
    before = ""
    # The SDK goes on writing into what it has handed out.
    async for whole, event in events:
        if first is None:
            equal(event, None, "the first event besides the task")
            first = whole.id
            before = "".join(text_of(one) for one in whole.artifacts or [] if one.artifact_id == "answer")
        elif isinstance(event, a2a.TaskArtifactUpdateEvent):
            if event.artifact.artifact_id == "answer":
                pieces.append(event.model_copy(deep=True))
        else:
            true(isinstance(event, a2a.TaskStatusUpdateEvent), f"an event of a task: {event}")
            states.append(event.status.state)
            is_final.append(event.final)
    true(is_final and is_final[-1] and not any(is_final[:-1]), f"the last event is the last: {is_final}")
    return first, before, pieces, states, whole


@check("the card is found, with its skills")
async def _():
    card = await card_of()
    expected = {"smart-routing", "quota-management", "provider-discovery", "cost-analysis", "health-report", "list-capabilities"}
    equal({skill.id for skill in card.skills}, expected)
    true(card.capabilities.streaming and card.capabilities.push_notifications, "what it can do")
    equal((card.url, card.preferred_transport, card.protocol_version), (f"{HUB}/a2a", "JSONRPC", "0.3.0"))
    equal(card.supports_authenticated_extended_card, True)
    equal(card.security_schemes["bearer"].root.type, "http")
    equal(await card_of("/.well-known/agent.json"), card)


@check("the extended card is for those who have a key")
async def _():
    skills = {skill.id for skill in (await (await client(OPERATOR)).get_card()).skills}
    true({"smart-routing", "list_models", "revoke_key"} <= skills, f"operations are skills: {sorted(skills)}")
    narrow = {skill.id for skill in (await (await client()).get_card()).skills}
    true("smart-routing" in narrow and "revoke_key" not in narrow, f"what this key may: {sorted(narrow)}")
    error = await refused((await client(None)).get_card(), A2AClientHTTPError)
    equal(error.status_code, 401)


@check("a message that waits for its answer")
async def _():
    task = await send(await client(streaming=False), message("echo: hello there", "quick"))
    equal(task.status.state, STATE.completed)
    equal(text_of(answer_of(task)), "hello there")
    true("quick/quick answered" in task.metadata.get("routing_explanation", ""), f"how it came about: {task.metadata}")
    true({"cost_envelope", "resilience_trace", "policy_verdict"} <= set(task.metadata), f"how it came about: {task.metadata}")


@check("the SDK's own helper reads the answer")
async def _():
    task = await send(await client(streaming=False), message(f"echo: {WORDS}", "pieces"))
    equal(get_artifact_text(answer_of(task)), WORDS)


@check("a message whose answer streams")
async def _():
    by = await client()
    first, before, pieces, states, whole = await followed(by.send_message(message(f"echo: {WORDS}", "pieces")))
    true(len(pieces) > 5, f"as it comes: {len(pieces)} pieces")
    true(not pieces[0].append and all(piece.append for piece in pieces[1:]), "each piece goes behind the one before")
    equal([bool(piece.last_chunk) for piece in pieces], [False] * (len(pieces) - 1) + [True], "the last piece")
    equal(before + "".join(text_of(piece.artifact) for piece in pieces), WORDS)
    equal((states[0], states[-1]), (STATE.working, STATE.completed))
    # What the SDK puts together is what the hub has.
    equal(text_of(answer_of(whole)), WORDS)
    equal(text_of(answer_of(await by.get_task(a2a.TaskQueryParams(id=first)))), WORDS)


@check("a task can be looked at")
async def _():
    by = await client(streaming=False)
    sent = await send(by, message("echo: look", "quick"))
    task = await by.get_task(a2a.TaskQueryParams(id=sent.id, history_length=1))
    equal((task.id, task.context_id, task.status.state), (sent.id, sent.context_id, STATE.completed))
    equal(text_of(answer_of(task)), "look")
    equal([part.root.text for part in task.history[0].parts], ["echo: look"])


@check("messages of a context are one conversation")
async def _():
    by = await client(streaming=False)
    first = await send(by, message("echo: my name is Ada", "quick"))
    second = await send(by, message(f"echo: and yours, {first.id}?", "quick", context=first.context_id))
    equal(second.context_id, first.context_id)
    true(second.id != first.id, "a task of its own")
    asked = [body for body in upstream() if f"and yours, {first.id}?" in json.dumps(body)]
    equal([one["content"] for one in asked[0]["messages"]],
          ["echo: my name is Ada", "my name is Ada", f"echo: and yours, {first.id}?"])


@check("a task that asks back goes on with the answer")
async def _():
    by = await client(streaming=False)
    asked = await send(by, message("echo: which one", "openai/gpt-4o"))
    equal(asked.status.state, STATE.input_required)
    true("router/openai/gpt-4o" in asked.status.message.parts[0].root.text, f"what there is: {asked.status}")
    done = await send(by, message("router/openai/gpt-4o", task=asked.id, context=asked.context_id))
    equal((done.id, done.status.state), (asked.id, STATE.completed))
    equal(text_of(answer_of(done)), "which one")
    await failed(send(by, message("more", task=asked.id, context=asked.context_id)), a2a.InvalidParamsError)


@check("a task is ended, once")
async def _():
    by = await client(streaming=False)
    task = await hanging(by)
    ended = await by.cancel_task(a2a.TaskIdParams(id=task.id))
    equal((ended.id, ended.status.state), (task.id, STATE.canceled))
    await failed(by.cancel_task(a2a.TaskIdParams(id=task.id)), a2a.TaskNotCancelableError)
    equal((await by.get_task(a2a.TaskQueryParams(id=task.id))).status.state, STATE.canceled)


@check("who subscribes gets the rest and the end")
async def _():
    by, streaming = await client(streaming=False), await client()
    task = await begun(by, "slow")
    await asyncio.sleep(1.2)
    asked = a2a.TaskIdParams(id=task.id)
    for first, before, pieces, states, whole in await asyncio.gather(*(followed(streaming.resubscribe(asked)) for _ in range(2))):
        equal(first, task.id)
        true(before and WORDS.startswith(before) and before != WORDS, f"some of it was there: {before!r}")
        equal(before + "".join(text_of(piece.artifact) for piece in pieces), WORDS)
        equal(text_of(answer_of(whole)), WORDS)
        equal(states[-1], STATE.completed)


@check("a client that lost its stream comes back")
async def _():
    by = await client()
    stream, task, heard = by.send_message(message(f"echo: {WORDS}", "slow")), None, ""
    async for whole, event in stream:
        task = whole.id
        if isinstance(event, a2a.TaskArtifactUpdateEvent):
            heard += text_of(event.artifact)
            if len(heard) > 5:
                break
    await stream.aclose()
    _, before, pieces, states, _ = await followed(by.resubscribe(a2a.TaskIdParams(id=task)))
    true(before.startswith(heard), f"what was heard is in what there is: {heard!r}, {before!r}")
    equal(before + "".join(text_of(piece.artifact) for piece in pieces), WORDS)
    equal(states[-1], STATE.completed)


def is_over(deliveries):
    return any(a2a.Task.model_validate_json(one["body"]).status.state in (STATE.completed, STATE.canceled) for one in deliveries)


@check("a webhook that came with the message is told")
async def _():
    by, hook = await client(streaming=False), f"with-{new_id()}"
    task = await begun(by, "pieces", hook=a2a.PushNotificationConfig(url=f"{CONTEXT['hooks']}/{hook}", token="my-token", id="mine"))
    deliveries = await told(hook, is_over)
    for delivery in deliveries:
        equal(delivery["headers"]["content-type"], "application/json")
        equal(delivery["headers"]["x-a2a-notification-token"], "my-token")
        equal(a2a.Task.model_validate_json(delivery["body"]).id, task.id)
    last = a2a.Task.model_validate_json(deliveries[-1]["body"])
    equal((last.status.state, text_of(answer_of(last))), (STATE.completed, WORDS))


async def called(request, response):
    """A method for which the client has types but no call."""
    async with http(KEY) as client:
        answer = await client.post(f"{HUB}/a2a", json=request.model_dump(mode="json", by_alias=True, exclude_none=True))
    return response.model_validate(answer.json()).root


@check("webhooks are made, looked at, listed and unmade")
async def _():
    by, hook = await client(streaming=False), f"made-{new_id()}"
    task = await hanging(by)
    url = f"{CONTEXT['hooks']}/{hook}"
    secret = a2a.PushNotificationAuthenticationInfo(schemes=["Bearer"], credentials="my-secret")

    def config(**words):
        return a2a.TaskPushNotificationConfig(task_id=task.id, push_notification_config=a2a.PushNotificationConfig(**words))

    made = await by.set_task_callback(config(id="first", url=url, authentication=secret))
    equal((made.task_id, made.push_notification_config.id, made.push_notification_config.url), (task.id, "first", url))
    await by.set_task_callback(config(id="second", url=f"{CONTEXT['hooks']}/unmade-{hook}"))
    asked = a2a.GetTaskPushNotificationConfigParams(id=task.id, push_notification_config_id="second")
    equal((await by.get_task_callback(asked)).push_notification_config.id, "second")
    listing = a2a.ListTaskPushNotificationConfigRequest(id="1", params=a2a.ListTaskPushNotificationConfigParams(id=task.id))
    listed = await called(listing, a2a.ListTaskPushNotificationConfigResponse)
    equal(sorted(one.push_notification_config.id for one in listed.result), ["first", "second"])
    gone = a2a.DeleteTaskPushNotificationConfigParams(id=task.id, push_notification_config_id="second")
    gone = a2a.DeleteTaskPushNotificationConfigRequest(id="2", params=gone)
    for _ in range(2):
        answer = await called(gone, a2a.DeleteTaskPushNotificationConfigResponse)
        true(isinstance(answer, a2a.DeleteTaskPushNotificationConfigSuccessResponse), f"it is gone: {answer}")
    listed = await called(listing, a2a.ListTaskPushNotificationConfigResponse)
    equal([one.push_notification_config.id for one in listed.result], ["first"])
    await failed(by.get_task_callback(asked), a2a.TaskNotFoundError)
    await by.cancel_task(a2a.TaskIdParams(id=task.id))
    for delivery in await told(hook, is_over):
        equal(delivery["headers"]["authorization"], "Bearer my-secret")
        equal(a2a.Task.model_validate_json(delivery["body"]).id, task.id)


@check("a webhook that has no name is the only one without")
async def _():
    by, hook = await client(streaming=False), f"named-{new_id()}"
    task = await hanging(by)
    config = a2a.PushNotificationConfig(url=f"{CONTEXT['hooks']}/{hook}")
    made = await by.set_task_callback(a2a.TaskPushNotificationConfig(task_id=task.id, push_notification_config=config))
    true(made.push_notification_config.id, "it has got one")
    # Clients of 0.3 ask by the task alone.
    got = await by.get_task_callback(a2a.GetTaskPushNotificationConfigParams(id=task.id))
    equal(got.push_notification_config, made.push_notification_config)
    await by.cancel_task(a2a.TaskIdParams(id=task.id))
    await told(hook, is_over)


@check("what fails does so by its own kind")
async def _():
    by = await client(streaming=False)
    await failed(by.get_task(a2a.TaskQueryParams(id="none")), a2a.TaskNotFoundError)
    await failed(by.cancel_task(a2a.TaskIdParams(id="none")), a2a.TaskNotFoundError)
    await failed(send(by, message("more", task="none")), a2a.TaskNotFoundError)
    picture = a2a.FilePart(file=a2a.FileWithBytes(bytes="aGk=", mime_type="image/png"))
    await failed(send(by, message("", part=picture)), a2a.ContentTypeNotSupportedError)
    nothing = a2a.Message(message_id=new_id(), role=a2a.Role.user, parts=[])
    await failed(send(by, nothing), a2a.InvalidParamsError)
    error = await refused(send(await client("tvm_nobody", streaming=False), message("hello")), A2AClientHTTPError)
    equal(error.status_code, 401)


@check("what fails before a stream does so by its own kind")
async def _():
    by = await client()

    async def all_of(events):
        return [event async for event in events]

    await failed(all_of(by.resubscribe(a2a.TaskIdParams(id="none"))), a2a.TaskNotFoundError)
    await failed(all_of(by.send_message(message("more", task="none"))), a2a.TaskNotFoundError)


@check("tasks of others are not there")
async def _():
    by, other = await client(streaming=False), await client(OTHER, streaming=False)
    task = await hanging(by)
    hook = a2a.PushNotificationConfig(id="x", url=f"{CONTEXT['hooks']}/other")
    for attempt in (
        other.get_task(a2a.TaskQueryParams(id=task.id)),
        other.cancel_task(a2a.TaskIdParams(id=task.id)),
        send(other, message("more", task=task.id)),
        other.set_task_callback(a2a.TaskPushNotificationConfig(task_id=task.id, push_notification_config=hook)),
    ):
        await failed(attempt, a2a.TaskNotFoundError)
    equal((await by.cancel_task(a2a.TaskIdParams(id=task.id))).status.state, STATE.canceled)


main()
