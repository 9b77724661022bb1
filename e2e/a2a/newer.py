"""The A2A SDK for Python, of the line 1: as a client of 1.0 by either binding, and of 0.3. A line for each check."""

import asyncio
import hashlib
import json
import sys

import httpx
from google.protobuf import json_format
from jwt import PyJWK

from a2a.client import A2ACardResolver, ClientCallContext, ClientConfig, ClientFactory
from a2a.client.errors import A2AClientError
from a2a.client.service_parameters import ServiceParametersFactory, with_a2a_extensions
from a2a.compat.v0_3 import types as types03
from a2a.helpers import get_artifact_text
from a2a.types import a2a_pb2 as a2a
from a2a.utils import errors
from a2a.utils.signing import InvalidSignaturesError, create_signature_verifier
from harness import CONTEXT, check, equal, main, new_id, refused, told, true, upstream

# `JSONRPC`, `HTTP+JSON`, or `0.3`: the version before, by JSON-RPC.
MODE = sys.argv[1]
IS_OLD = MODE == "0.3"
BINDING = "JSONRPC" if IS_OLD else MODE

HUB, KEY, OTHER, OPERATOR = (CONTEXT[name] for name in ("url", "key", "other", "operator"))
WORDS = CONTEXT["words"]
STATE = a2a.TaskState


def http(key):
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(headers=headers, timeout=30)


async def card_of(path=None, **more):
    async with http(None) as client:
        return await A2ACardResolver(client, HUB).get_agent_card(relative_card_path=path, **more)


async def client(key=KEY, **config):
    """A client by the interface that is tested."""
    card = await card_of()
    versions = {"0.3"} if IS_OLD else {"1.0"}
    kept = [one for one in card.supported_interfaces if one.protocol_version in versions and one.protocol_binding == BINDING]
    equal(len(kept), 1, "the number of interfaces")
    del card.supported_interfaces[:]
    card.supported_interfaces.extend(kept)
    config = ClientConfig(httpx_client=http(key), supported_protocol_bindings=[BINDING], **config)
    return ClientFactory(config).create(card)


def message(text, model=None, task=None, context=None, part=None):
    said = a2a.Message(message_id=new_id(), role=a2a.ROLE_USER, parts=[part or a2a.Part(text=text)])
    said.task_id, said.context_id = task or "", context or ""
    if model:
        said.metadata.update({"model": model})
    return a2a.SendMessageRequest(message=said)


async def send(by, request):
    """The only answer of a client that does not stream."""
    answers = [answer async for answer in by.send_message(request)]
    equal(len(answers), 1, "the number of answers")
    equal(answers[0].WhichOneof("payload"), "task")
    return answers[0].task


async def begun(by, model, text=f"echo: {WORDS}", **config):
    """A task that is being worked on."""
    request = message(text, model)
    request.configuration.return_immediately = True
    if config:
        request.configuration.task_push_notification_config.CopyFrom(a2a.TaskPushNotificationConfig(**config))
    task = await send(by, request)
    true(task.status.state in (STATE.TASK_STATE_SUBMITTED, STATE.TASK_STATE_WORKING), f"it is worked on: {task.status}")
    return task


async def hanging(by):
    """A task that is worked on for ever, and tells nothing of it any more."""
    task = await begun(by, "hanging")
    while (await by.get_task(a2a.GetTaskRequest(id=task.id))).status.state != STATE.TASK_STATE_WORKING:
        await asyncio.sleep(0.02)
    return task


def text_of(artifact):
    return "".join(part.text for part in artifact.parts)


def answer_of(task):
    found = [one for one in task.artifacts if one.artifact_id == "answer"]
    equal(len(found), 1, "the number of answers")
    return found[0]


async def followed(events):
    """A stream, judged: what the first event told of the answer, the pieces behind it, and the last status."""
    first, pieces, states, count = None, [], [], 0
    async for event in events:
        count += 1
        kind = event.WhichOneof("payload")
        if first is None:
            equal(kind, "task", "the first event")
            first = event.task
        elif kind == "artifact_update":
            true(not states or states[-1] != STATE.TASK_STATE_COMPLETED, "no piece behind the end")
            if event.artifact_update.artifact.artifact_id == "answer":
                pieces.append(event.artifact_update)
        else:
            equal(kind, "status_update")
            states.append(event.status_update.status.state)
    begun_with = "".join(text_of(one) for one in first.artifacts if one.artifact_id == "answer")
    return first, begun_with, pieces, states


@check("the card is found, with its skills")
async def _():
    card = await card_of()
    expected = {"smart-routing", "quota-management", "provider-discovery", "cost-analysis", "health-report", "list-capabilities"}
    equal({skill.id for skill in card.skills}, expected)
    true(card.capabilities.streaming and card.capabilities.push_notifications, "what it can do")
    equal([(one.protocol_binding, one.protocol_version) for one in card.supported_interfaces],
          [("JSONRPC", "1.0"), ("HTTP+JSON", "1.0"), ("JSONRPC", "0.3")])
    equal((await card_of("/.well-known/agent.json")).name, card.name)


@check("the extended card is for those who have a key")
async def _():
    card = await (await client(OPERATOR)).get_extended_agent_card(a2a.GetExtendedAgentCardRequest())
    skills = {skill.id for skill in card.skills}
    true({"smart-routing", "list_models", "revoke_key"} <= skills, f"operations are skills: {sorted(skills)}")
    narrow = await (await client()).get_extended_agent_card(a2a.GetExtendedAgentCardRequest())
    narrow = {skill.id for skill in narrow.skills}
    true("smart-routing" in narrow and "revoke_key" not in narrow, f"what this key may: {sorted(narrow)}")
    error = await refused((await client(None)).get_extended_agent_card(a2a.GetExtendedAgentCardRequest()), A2AClientError)
    true("401" in str(error), f"the status is told: {error}")


@check("a message that waits for its answer")
async def _():
    task = await send(await client(streaming=False), message("echo: hello there", "quick"))
    equal(task.status.state, STATE.TASK_STATE_COMPLETED)
    equal(text_of(answer_of(task)), "hello there")
    told_of = json_format.MessageToDict(task.metadata)
    true("quick/quick answered" in told_of.get("routing_explanation", ""), f"how it came about: {told_of}")
    true({"cost_envelope", "resilience_trace", "policy_verdict"} <= set(told_of), f"how it came about: {told_of}")


@check("the SDK's own helper reads the answer")
async def _():
    task = await send(await client(streaming=False), message(f"echo: {WORDS}", "pieces"))
    equal(get_artifact_text(answer_of(task)), WORDS)


@check("the extension that is asked for is told back")
async def _():
    by, extension = await client(streaming=False), (await card_of()).capabilities.extensions[0].uri
    told_of = []

    async def listen(response):
        told_of.append({response.headers.get(name) for name in ("a2a-extensions", "x-a2a-extensions")} - {None})

    by._transport.httpx_client.event_hooks["response"] = [listen]
    asked = ServiceParametersFactory.create([with_a2a_extensions([extension])])
    request = message("echo: hello", "quick")
    answers = [one async for one in by.send_message(request, context=ClientCallContext(service_parameters=asked))]
    equal(told_of, [{extension}])
    true(any(extension in one.extensions for one in answers[0].task.artifacts), "an artifact is of the extension")
    await send(by, message("echo: hello", "quick"))
    equal(told_of[1], set(), "what is told to who did not ask")


@check("a message whose answer streams")
async def _():
    by = await client()
    first, before, pieces, states = await followed(by.send_message(message(f"echo: {WORDS}", "pieces")))
    true(len(pieces) > 5, f"as it comes: {len(pieces)} pieces")
    true(not pieces[0].append and all(piece.append for piece in pieces[1:]), "each piece goes behind the one before")
    equal([piece.last_chunk for piece in pieces].count(True), 1, "the number of last pieces")
    true(pieces[-1].last_chunk, "the last piece is the last")
    equal(before + "".join(text_of(piece.artifact) for piece in pieces), WORDS)
    equal((states[0], states[-1]), (STATE.TASK_STATE_WORKING, STATE.TASK_STATE_COMPLETED))
    whole = await by.get_task(a2a.GetTaskRequest(id=first.id))
    equal(text_of(answer_of(whole)), WORDS)


@check("a task can be looked at")
async def _():
    by = await client(streaming=False)
    sent = await send(by, message("echo: look", "quick"))
    task = await by.get_task(a2a.GetTaskRequest(id=sent.id))
    equal((task.id, task.context_id, task.status.state), (sent.id, sent.context_id, STATE.TASK_STATE_COMPLETED))
    equal(text_of(answer_of(task)), "look")
    equal(text_of(task.history[0]), "echo: look")
    # 0.3 leaves open what none means.
    if not IS_OLD:
        short = await by.get_task(a2a.GetTaskRequest(id=sent.id, history_length=0))
        equal(len(short.history), 0, "the length of no history")


if not IS_OLD:

    @check("tasks are listed, by context and page by page")
    async def _():
        by = await client(streaming=False)
        first = await send(by, message("echo: 0", "quick"))
        sent = [first.id]
        for number in (1, 2):
            sent.append((await send(by, message(f"echo: {number}", "quick", context=first.context_id))).id)
        found, token = [], ""
        while True:
            asked = a2a.ListTasksRequest(context_id=first.context_id, page_size=2, page_token=token)
            page = await by.list_tasks(asked)
            equal((page.total_size, page.page_size), (3, 2))
            found += [task.id for task in page.tasks]
            token = page.next_page_token
            if not token:
                break
        equal(found, sent[::-1], "the newest come first")
        page = await by.list_tasks(a2a.ListTasksRequest(context_id=first.context_id, status=STATE.TASK_STATE_CANCELED))
        equal(page.total_size, 0)
        page = await by.list_tasks(a2a.ListTasksRequest(context_id=first.context_id, include_artifacts=True))
        equal([text_of(answer_of(task)) for task in page.tasks], ["2", "1", "0"])


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
    equal(asked.status.state, STATE.TASK_STATE_INPUT_REQUIRED)
    true("router/openai/gpt-4o" in text_of(asked.status.message), f"what there is: {asked.status}")
    done = await send(by, message("router/openai/gpt-4o", task=asked.id, context=asked.context_id))
    equal((done.id, done.status.state), (asked.id, STATE.TASK_STATE_COMPLETED))
    equal(text_of(answer_of(done)), "which one")
    over = send(by, message("more", task=asked.id, context=asked.context_id))
    await refused(over, errors.InvalidParamsError if IS_OLD else errors.UnsupportedOperationError)


@check("a task is ended, once")
async def _():
    by = await client(streaming=False)
    task = await hanging(by)
    ended = await by.cancel_task(a2a.CancelTaskRequest(id=task.id))
    equal((ended.id, ended.status.state), (task.id, STATE.TASK_STATE_CANCELED))
    await refused(by.cancel_task(a2a.CancelTaskRequest(id=task.id)), errors.TaskNotCancelableError)
    equal((await by.get_task(a2a.GetTaskRequest(id=task.id))).status.state, STATE.TASK_STATE_CANCELED)


@check("a stream hears that its task is ended")
async def _():
    by = await client()
    states, task = [], None
    async for event in by.send_message(message("echo: never", "hanging")):
        if task is None:
            task = event.task.id
            asyncio.get_running_loop().create_task(by.cancel_task(a2a.CancelTaskRequest(id=task)))
        else:
            states.append(event.status_update.status.state)
    equal(states[-1], STATE.TASK_STATE_CANCELED)


@check("who subscribes gets the rest and the end")
async def _():
    by, streaming = await client(streaming=False), await client()
    task = await begun(by, "slow")
    await asyncio.sleep(1.2)
    asked = a2a.SubscribeToTaskRequest(id=task.id)
    told_twice = await asyncio.gather(*(followed(streaming.subscribe(asked)) for _ in range(2)))
    for first, before, pieces, states in told_twice:
        equal(first.id, task.id)
        true(before and WORDS.startswith(before) and before != WORDS, f"some of it was there: {before!r}")
        equal(before + "".join(text_of(piece.artifact) for piece in pieces), WORDS)
        equal(states[-1], STATE.TASK_STATE_COMPLETED)
    equal(*([text_of(piece.artifact) for piece in one[2]][-3:] for one in told_twice))

    async def again():
        await followed(streaming.subscribe(asked))

    if not IS_OLD:
        await refused(again(), errors.UnsupportedOperationError)


@check("a client that lost its stream comes back")
async def _():
    by = await client()
    stream, task, heard = by.send_message(message(f"echo: {WORDS}", "slow")), None, ""
    async for event in stream:
        if event.HasField("task"):
            task = event.task.id
        elif event.HasField("artifact_update"):
            heard += text_of(event.artifact_update.artifact)
            if len(heard) > 5:
                break
    await stream.aclose()
    first, before, pieces, states = await followed(by.subscribe(a2a.SubscribeToTaskRequest(id=task)))
    true(before.startswith(heard), f"what was heard is in what there is: {heard!r}, {before!r}")
    equal(before + "".join(text_of(piece.artifact) for piece in pieces), WORDS)
    equal(states[-1], STATE.TASK_STATE_COMPLETED)


def parsed(delivery):
    """What a webhook was told, by the SDK's types; its headers are judged too."""
    headers, body = delivery["headers"], json.loads(delivery["body"])
    if IS_OLD:
        equal(headers["content-type"], "application/json")
        task = types03.Task.model_validate(body)
        return task.id, task.status.state.value
    equal(headers["content-type"], "application/a2a+json")
    event = json_format.ParseDict(body, a2a.StreamResponse())
    kind = event.WhichOneof("payload")
    told_of = getattr(event, kind)
    state = STATE.Name(told_of.status.state) if kind != "artifact_update" else None
    return (told_of.id if kind == "task" else told_of.task_id), state


COMPLETED, CANCELED = ("completed", "canceled") if IS_OLD else ("TASK_STATE_COMPLETED", "TASK_STATE_CANCELED")


def is_over(deliveries):
    return any(parsed(delivery)[1] in (COMPLETED, CANCELED) for delivery in deliveries)


@check("a webhook that came with the message is told")
async def _():
    by, hook = await client(streaming=False), f"with-{new_id()}"
    task = await begun(by, "pieces", url=f"{CONTEXT['hooks']}/{hook}", token="my-token", id="mine")
    deliveries = await told(hook, is_over)
    for delivery in deliveries:
        equal(parsed(delivery)[0], task.id)
        equal(delivery["headers"]["x-a2a-notification-token"], "my-token")
    states = [state for _, state in map(parsed, deliveries) if state]
    equal(states[-1], COMPLETED)
    if not IS_OLD:
        events = [json_format.ParseDict(json.loads(one["body"]), a2a.StreamResponse()) for one in deliveries]
        pieces = [one.artifact_update.artifact for one in events if one.HasField("artifact_update")]
        equal("".join(text_of(piece) for piece in pieces if piece.artifact_id == "answer"), WORDS)


@check("webhooks are made, looked at, listed and unmade")
async def _():
    by, hook = await client(streaming=False), f"made-{new_id()}"
    task = await hanging(by)
    url = f"{CONTEXT['hooks']}/{hook}"
    secret = a2a.AuthenticationInfo(scheme="Bearer", credentials="my-secret")
    asked = a2a.TaskPushNotificationConfig(task_id=task.id, id="first", url=url, authentication=secret)
    made = await by.create_task_push_notification_config(asked)
    equal((made.task_id, made.id, made.url), (task.id, "first", url))
    asked = a2a.TaskPushNotificationConfig(task_id=task.id, id="second", url=f"{CONTEXT['hooks']}/unmade-{hook}")
    await by.create_task_push_notification_config(asked)
    got = await by.get_task_push_notification_config(a2a.GetTaskPushNotificationConfigRequest(task_id=task.id, id="second"))
    equal((got.id, got.url), ("second", asked.url))
    listed = await by.list_task_push_notification_configs(a2a.ListTaskPushNotificationConfigsRequest(task_id=task.id))
    equal(sorted(one.id for one in listed.configs), ["first", "second"])
    gone = a2a.DeleteTaskPushNotificationConfigRequest(task_id=task.id, id="second")
    await by.delete_task_push_notification_config(gone)
    await by.delete_task_push_notification_config(gone)
    listed = await by.list_task_push_notification_configs(a2a.ListTaskPushNotificationConfigsRequest(task_id=task.id))
    equal([one.id for one in listed.configs], ["first"])
    got = by.get_task_push_notification_config(a2a.GetTaskPushNotificationConfigRequest(task_id=task.id, id="second"))
    await refused(got, errors.TaskNotFoundError)
    await by.cancel_task(a2a.CancelTaskRequest(id=task.id))
    for delivery in await told(hook, is_over):
        equal(delivery["headers"]["authorization"], "Bearer my-secret")
        equal(parsed(delivery)[0], task.id)


@check("a webhook that fails is told again")
async def _():
    by, hook = await client(streaming=False), f"flaky-{new_id()}"
    await begun(by, "quick", url=f"{CONTEXT['hooks']}/{hook}", id="mine")
    deliveries = await told(hook, is_over)
    ids = [one["headers"]["webhook-id"] for one in deliveries]
    equal(ids[0], ids[1], "the first one came twice")
    equal(len(set(ids)), len(ids) - 1, "and nothing else")
    equal(hashlib.sha256(deliveries[0]["body"].encode()).digest(), hashlib.sha256(deliveries[1]["body"].encode()).digest())


@check("what fails does so by its own kind")
async def _():
    by = await client(streaming=False)
    await refused(by.get_task(a2a.GetTaskRequest(id="none")), errors.TaskNotFoundError)
    await refused(by.cancel_task(a2a.CancelTaskRequest(id="none")), errors.TaskNotFoundError)
    await refused(send(by, message("more", task="none")), errors.TaskNotFoundError)
    picture = a2a.Part(raw=b"hi", media_type="image/png")
    await refused(send(by, message("", part=picture)), errors.ContentTypeNotSupportedError)
    nothing = a2a.SendMessageRequest(message=a2a.Message(message_id=new_id(), role=a2a.ROLE_USER, parts=[]))
    await refused(send(by, nothing), errors.InvalidParamsError)
    error = await refused(send(await client("tvm_nobody", streaming=False), message("hello")), A2AClientError)
    true("401" in str(error), f"the status is told: {error}")


@check("what fails before a stream does so by its own kind")
async def _():
    by = await client()

    async def all_of(events):
        return [event async for event in events]

    await refused(all_of(by.subscribe(a2a.SubscribeToTaskRequest(id="none"))), errors.TaskNotFoundError)
    await refused(all_of(by.send_message(message("more", task="none"))), errors.TaskNotFoundError)
    picture = a2a.Part(raw=b"hi", media_type="image/png")
    await refused(all_of(by.send_message(message("", part=picture))), errors.ContentTypeNotSupportedError)


@check("tasks of others are not there")
async def _():
    by, other, streaming = await client(streaming=False), await client(OTHER, streaming=False), await client(OTHER)
    task = await hanging(by)
    hook = a2a.TaskPushNotificationConfig(task_id=task.id, id="x", url=f"{CONTEXT['hooks']}/other")

    async def subscribed():
        return [event async for event in streaming.subscribe(a2a.SubscribeToTaskRequest(id=task.id))]

    for attempt in (
        other.get_task(a2a.GetTaskRequest(id=task.id)),
        other.cancel_task(a2a.CancelTaskRequest(id=task.id)),
        send(other, message("more", task=task.id)),
        subscribed(),
        other.create_task_push_notification_config(hook),
        other.list_task_push_notification_configs(a2a.ListTaskPushNotificationConfigsRequest(task_id=task.id)),
    ):
        await refused(attempt, errors.TaskNotFoundError)
    if not IS_OLD:
        listed = await other.list_tasks(a2a.ListTasksRequest(context_id=task.context_id))
        equal(listed.total_size, 0)
    equal((await by.cancel_task(a2a.CancelTaskRequest(id=task.id))).status.state, STATE.TASK_STATE_CANCELED)


if not IS_OLD:

    def verifier():
        def key(kid, jku):
            equal(jku, f"{HUB}/.well-known/jwks.json")
            keys = httpx.get(jku).json()["keys"]
            return PyJWK.from_dict(next(one for one in keys if one["kid"] == kid))

        return create_signature_verifier(key, ["ES256"])

    @check("the SDK believes the card's signature, and not another's")
    async def _():
        card = await card_of("/a2a/v1/.well-known/agent-card.json", signature_verifier=verifier())
        verify = verifier()
        await asyncio.to_thread(verify, card)
        card.description = card.description[:-1] + "!"
        await refused(asyncio.to_thread(verify, card), InvalidSignaturesError)
        asked = a2a.GetExtendedAgentCardRequest()
        card = await (await client(OPERATOR)).get_extended_agent_card(asked, signature_verifier=verify)
        card.skills[0].name += "!"
        await refused(asyncio.to_thread(verify, card), InvalidSignaturesError)


main()
