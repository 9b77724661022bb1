// The A2A SDK for JavaScript: as a client of 1.0 by either binding, and of 0.3. A line for each check.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  AgentCard, ListTasksRequest, Role, SendMessageRequest, StreamResponse, Task, TaskPushNotificationConfig, TaskState,
  verifyAgentCardSignature,
} from '@a2a-js/sdk';
import {
  ClientFactory, DefaultAgentCardResolver, JsonRpcTransportFactory, RestTransportFactory, createAuthenticatingFetchWithRetry,
} from '@a2a-js/sdk/client';
import * as errors from '@a2a-js/sdk/errors';

// `JSONRPC`, `HTTP+JSON`, or `0.3`: the version before, by JSON-RPC.
const MODE = process.argv[2];
const IS_OLD = MODE === '0.3';
const BINDING = IS_OLD ? 'JSONRPC' : MODE;
const CHECK_SECONDS = 60;
const HOOK_SECONDS = 20;

const { url: HUB, key: KEY, other: OTHER, operator: OPERATOR, hooks: HOOKS, simulator: SIMULATOR, words: WORDS } =
  JSON.parse(process.env.E2E_A2A);

const checks = [];
const check = (name, work) => checks.push([name, work]);

function equal(got, expected, what = 'it') {
  const [left, right] = [JSON.stringify(got), JSON.stringify(expected)];
  if (left !== right) throw new Error(`${what} is ${left} and should be ${right}`);
}

function ok(holds, what) {
  if (!holds) throw new Error(what);
}

async function refused(work, kind) {
  try {
    await work;
  } catch (thrown) {
    // What an event of a stream told is the cause of an error of no kind.
    const error = thrown.message?.startsWith('SSE event contained an error') ? thrown.cause : thrown;
    if (!(error instanceof kind)) throw new Error(`${kind.name} was expected, not ${error?.constructor?.name}: ${error}`);
    return error;
  }
  throw new Error(`${kind.name} was expected, and it went well`);
}

/** An error for want of a key. By JSON-RPC this SDK tells the words of it, not the status. */
const noKey = (error) => ok(error.statusCode === 401 || /API key/.test(error.message), `that it is for want of a key: ${error}`);

const fetchAs = (key) => (input, init = {}) => {
  const headers = new Headers(init.headers);
  if (key) headers.set('authorization', `Bearer ${key}`);
  return fetch(input, { ...init, headers });
};

const card = (path) => new DefaultAgentCardResolver().resolve(HUB, path);

/** A client by the interface that is tested. */
async function client(key = KEY, fetchImpl = fetchAs(key)) {
  const found = await card();
  const version = IS_OLD ? '0.3' : '1.0';
  const kept = found.supportedInterfaces.filter((one) => one.protocolVersion === version && one.protocolBinding === BINDING);
  equal(kept.length, 1, 'the number of interfaces');
  const options = { fetchImpl, legacyCompat: { enabled: IS_OLD } };
  const transports = [new JsonRpcTransportFactory(options), new RestTransportFactory(options)];
  return new ClientFactory({ transports }).createFromAgentCard({ ...found, supportedInterfaces: kept });
}

function message(text, { model, task, context, part, configuration } = {}) {
  return SendMessageRequest.fromJSON({
    message: {
      messageId: randomUUID(), role: 'ROLE_USER', parts: part === null ? [] : [part ?? { text }], taskId: task, contextId: context,
      metadata: model && { model },
    },
    configuration,
  });
}

/** A task that is being worked on. */
async function begun(by, model, taskPushNotificationConfig = undefined) {
  const configuration = { returnImmediately: true, taskPushNotificationConfig };
  const task = await by.sendMessage(message(`echo: ${WORDS}`, { model, configuration }));
  ok([TaskState.TASK_STATE_SUBMITTED, TaskState.TASK_STATE_WORKING].includes(task.status.state), `it is worked on: ${task.status.state}`);
  return task;
}

/** A task that is worked on for ever, and tells nothing of it any more. */
async function hanging(by) {
  const task = await begun(by, 'hanging');
  while ((await by.getTask({ tenant: '', id: task.id })).status.state !== TaskState.TASK_STATE_WORKING) await sleep(20);
  return task;
}

const textOf = (artifact) =>
  artifact.parts.map((part) => (part.content?.$case === 'text' ? part.content.value : '')).join('');

function answerOf(task) {
  const found = task.artifacts.filter((one) => one.artifactId === 'answer');
  equal(found.length, 1, 'the number of answers');
  return found[0];
}

/** A stream, judged: what the first event told of the answer, the pieces behind it, and what became of the task. */
async function followed(events) {
  let first, before = '';
  const [pieces, states] = [[], []];
  for await (const event of events) {
    const { $case, value } = event.payload;
    if (!first) {
      equal($case, 'task', 'the first event');
      first = value;
      before = first.artifacts.filter((one) => one.artifactId === 'answer').map(textOf).join('');
    } else if ($case === 'artifactUpdate') {
      if (value.artifact.artifactId === 'answer') pieces.push(value);
    } else {
      equal($case, 'statusUpdate');
      states.push(value.status.state);
    }
  }
  return { first, before, pieces, states, text: before + pieces.map((piece) => textOf(piece.artifact)).join('') };
}

async function all(events) {
  const found = [];
  for await (const event of events) found.push(event);
  return found;
}

/** What a webhook was told, as soon as it is enough. */
async function told(hook, enough) {
  for (const deadline = Date.now() + HOOK_SECONDS * 1000; ; await sleep(100)) {
    const deliveries = await (await fetch(`${HOOKS}/${hook}`)).json();
    if (enough(deliveries)) return deliveries;
    ok(Date.now() < deadline, `the webhook was told only ${JSON.stringify(deliveries)}`);
  }
}

check('the card is found, with its skills', async () => {
  const found = await card();
  const expected = ['smart-routing', 'quota-management', 'provider-discovery', 'cost-analysis', 'health-report', 'list-capabilities'];
  equal(found.skills.map((skill) => skill.id), expected);
  ok(found.capabilities.streaming && found.capabilities.pushNotifications, 'what it can do');
  const interfaces = found.supportedInterfaces.map((one) => `${one.protocolBinding} ${one.protocolVersion}`);
  equal(interfaces, ['JSONRPC 1.0', 'HTTP+JSON 1.0', 'JSONRPC 0.3']);
  equal((await card('/.well-known/agent.json')).name, found.name);
});

check('the extended card is for those who have a key', async () => {
  const all = (await (await client(OPERATOR)).getAgentCard()).skills.map((skill) => skill.id);
  ok(['smart-routing', 'list_models', 'revoke_key'].every((id) => all.includes(id)), `operations are skills: ${all}`);
  const narrow = (await (await client()).getAgentCard()).skills.map((skill) => skill.id);
  ok(narrow.includes('smart-routing') && !narrow.includes('revoke_key'), `what this key may: ${narrow}`);
  noKey(await refused((await client(null)).getAgentCard(), Error));
});

check('a message that waits for its answer', async () => {
  const task = await (await client()).sendMessage(message('echo: hello there', { model: 'quick' }));
  equal(task.status.state, TaskState.TASK_STATE_COMPLETED);
  equal(textOf(answerOf(task)), 'hello there');
  ok(task.metadata.routing_explanation.includes('quick/quick answered'), JSON.stringify(task.metadata));
  for (const name of ['cost_envelope', 'resilience_trace', 'policy_verdict']) ok(task.metadata[name], name);
});

check('who is asked for a key sends it', async () => {
  const asked = [];
  const fetchImpl = createAuthenticatingFetchWithRetry(fetch, {
    headers: async () => ({}),
    shouldRetryWithHeaders: async (_, response) => {
      asked.push(`${response.status} ${response.headers.get('www-authenticate')?.split(' ')[0] ?? ''}`.trim());
      return response.status === 401 ? { authorization: `Bearer ${KEY}` } : undefined;
    },
  });
  const task = await (await client(null, fetchImpl)).sendMessage(message('echo: let me in', { model: 'quick' }));
  equal([asked[0], textOf(answerOf(task))], ['401 Bearer', 'let me in']);
});

check('a message whose answer streams', async () => {
  const by = await client();
  const { first, pieces, states, text } = await followed(by.sendMessageStream(message(`echo: ${WORDS}`, { model: 'pieces' })));
  ok(pieces.length > 5, `as it comes: ${pieces.length} pieces`);
  ok(!pieces[0].append && pieces.slice(1).every((piece) => piece.append), 'each piece goes behind the one before');
  equal(pieces.map((piece) => piece.lastChunk), pieces.map((_, at) => at === pieces.length - 1), 'the last piece');
  equal(text, WORDS);
  equal([states[0], states.at(-1)], [TaskState.TASK_STATE_WORKING, TaskState.TASK_STATE_COMPLETED]);
  equal(textOf(answerOf(await by.getTask({ tenant: '', id: first.id }))), WORDS);
});

check('a task can be looked at', async () => {
  const by = await client();
  const sent = await by.sendMessage(message('echo: look', { model: 'quick' }));
  const task = await by.getTask({ tenant: '', id: sent.id });
  equal([task.id, task.contextId, task.status.state], [sent.id, sent.contextId, TaskState.TASK_STATE_COMPLETED]);
  equal(textOf(answerOf(task)), 'look');
  equal([task.history[0].role, textOf(task.history[0])], [Role.ROLE_USER, 'echo: look']);
  // 0.3 leaves open what none means.
  if (!IS_OLD) equal((await by.getTask({ tenant: '', id: sent.id, historyLength: 0 })).history.length, 0, 'the length of no history');
});

if (!IS_OLD) {
  check('tasks are listed, by context and page by page', async () => {
    const by = await client();
    const first = await by.sendMessage(message('echo: 0', { model: 'quick' }));
    const sent = [first.id];
    for (const number of [1, 2]) {
      sent.push((await by.sendMessage(message(`echo: ${number}`, { model: 'quick', context: first.contextId }))).id);
    }
    const found = [];
    let pageToken = '';
    do {
      const page = await by.listTasks(ListTasksRequest.fromJSON({ contextId: first.contextId, pageSize: 2, pageToken }));
      equal([page.totalSize, page.pageSize], [3, 2]);
      found.push(...page.tasks.map((task) => task.id));
      pageToken = page.nextPageToken;
    } while (pageToken);
    equal(found, sent.reverse(), 'the newest come first');
    const whole = await by.listTasks(ListTasksRequest.fromJSON({ contextId: first.contextId, includeArtifacts: true }));
    equal(whole.tasks.map((task) => textOf(answerOf(task))), ['2', '1', '0']);
  });
}

check('messages of a context are one conversation', async () => {
  const by = await client();
  const first = await by.sendMessage(message('echo: my name is Ada', { model: 'quick' }));
  const question = `echo: and yours, ${first.id}?`;
  const second = await by.sendMessage(message(question, { model: 'quick', context: first.contextId }));
  equal(second.contextId, first.contextId);
  ok(second.id !== first.id, 'a task of its own');
  const log = await (await fetch(`${SIMULATOR}/__log`)).json();
  const asked = log.filter((entry) => entry.body?.includes(question)).map((entry) => JSON.parse(entry.body));
  equal(asked[0].messages.map((one) => one.content), ['echo: my name is Ada', 'my name is Ada', question]);
});

check('a task that asks back goes on with the answer', async () => {
  const by = await client();
  const asked = await by.sendMessage(message('echo: which one', { model: 'openai/gpt-4o' }));
  equal(asked.status.state, TaskState.TASK_STATE_INPUT_REQUIRED);
  ok(textOf(asked.status.message).includes('router/openai/gpt-4o'), 'what there is');
  const more = { task: asked.id, context: asked.contextId };
  const done = await by.sendMessage(message('router/openai/gpt-4o', more));
  equal([done.id, done.status.state], [asked.id, TaskState.TASK_STATE_COMPLETED]);
  equal(textOf(answerOf(done)), 'which one');
  await refused(by.sendMessage(message('more', more)), IS_OLD ? errors.RequestMalformedError : errors.UnsupportedOperationError);
});

check('a task is ended, once', async () => {
  const by = await client();
  const task = await hanging(by);
  const ended = await by.cancelTask({ tenant: '', id: task.id });
  equal([ended.id, ended.status.state], [task.id, TaskState.TASK_STATE_CANCELED]);
  await refused(by.cancelTask({ tenant: '', id: task.id }), errors.TaskNotCancelableError);
});

check('who subscribes gets the rest and the end', async () => {
  const by = await client();
  const task = await begun(by, 'slow');
  await sleep(1200);
  const twice = await Promise.all([1, 2].map(() => followed(by.resubscribeTask({ tenant: '', id: task.id }))));
  for (const { first, before, states, text } of twice) {
    equal(first.id, task.id);
    ok(before && before !== WORDS && WORDS.startsWith(before), `some of it was there: ${before}`);
    equal(text, WORDS);
    equal(states.at(-1), TaskState.TASK_STATE_COMPLETED);
  }
  if (!IS_OLD) await refused(all(by.resubscribeTask({ tenant: '', id: task.id })), errors.UnsupportedOperationError);
});

check('a client that lost its stream comes back', async () => {
  const by = await client();
  let task, heard = '';
  for await (const { payload: { $case, value } } of by.sendMessageStream(message(`echo: ${WORDS}`, { model: 'slow' }))) {
    if ($case === 'task') task = value.id;
    if ($case === 'artifactUpdate') heard += textOf(value.artifact);
    if (heard.length > 5) break;
  }
  const { before, states, text } = await followed(by.resubscribeTask({ tenant: '', id: task }));
  ok(before.startsWith(heard), `what was heard is in what there is: ${heard}, ${before}`);
  equal(text, WORDS);
  equal(states.at(-1), TaskState.TASK_STATE_COMPLETED);
});

/** What a webhook was told: of which task, and its state, where that changed. */
function parsed({ headers, body }) {
  const json = JSON.parse(body);
  if (IS_OLD) {
    equal(headers['content-type'], 'application/json');
    equal(json.kind, 'task');
    return [json.id, json.status.state];
  }
  equal(headers['content-type'], 'application/a2a+json');
  const { $case, value } = StreamResponse.fromJSON(json).payload;
  if ($case === 'task') return [value.id, Task.toJSON(value).status.state];
  return [value.taskId, $case === 'statusUpdate' ? json.statusUpdate.status.state : undefined];
}

const OVER = ['completed', 'canceled', 'TASK_STATE_COMPLETED', 'TASK_STATE_CANCELED'];
const isOver = (deliveries) => deliveries.some((one) => OVER.includes(parsed(one)[1]));

check('a webhook that came with the message is told', async () => {
  const hook = `with-${randomUUID()}`;
  const task = await begun(await client(), 'pieces', { id: 'mine', url: `${HOOKS}/${hook}`, token: 'my-token' });
  for (const delivery of await told(hook, isOver)) {
    equal(delivery.headers['x-a2a-notification-token'], 'my-token');
    equal(parsed(delivery)[0], task.id);
  }
});

check('webhooks are made, looked at, listed and unmade', async () => {
  const [by, hook] = [await client(), `made-${randomUUID()}`];
  const task = await hanging(by);
  const url = `${HOOKS}/${hook}`;
  const config = (words) => TaskPushNotificationConfig.fromJSON({ taskId: task.id, ...words });
  const authentication = { scheme: 'Bearer', credentials: 'my-secret' };
  const made = await by.createTaskPushNotificationConfig(config({ id: 'first', url, authentication }));
  equal([made.taskId, made.id, made.url], [task.id, 'first', url]);
  await by.createTaskPushNotificationConfig(config({ id: 'second', url: `${HOOKS}/unmade-${hook}` }));
  const second = { tenant: '', taskId: task.id, id: 'second' };
  equal((await by.getTaskPushNotificationConfig(second)).id, 'second');
  const listed = async () => {
    const page = await by.listTaskPushNotificationConfig({ tenant: '', taskId: task.id, pageSize: 0, pageToken: '' });
    return page.configs.map((one) => one.id).sort();
  };
  equal(await listed(), ['first', 'second']);
  await by.deleteTaskPushNotificationConfig(second);
  await by.deleteTaskPushNotificationConfig(second);
  equal(await listed(), ['first']);
  await refused(by.getTaskPushNotificationConfig(second), errors.TaskNotFoundError);
  await by.cancelTask({ tenant: '', id: task.id });
  for (const delivery of await told(hook, isOver)) {
    equal(delivery.headers.authorization, 'Bearer my-secret');
    equal(parsed(delivery)[0], task.id);
  }
});

check('what fails does so by its own kind', async () => {
  const by = await client();
  await refused(by.getTask({ tenant: '', id: 'none' }), errors.TaskNotFoundError);
  await refused(by.cancelTask({ tenant: '', id: 'none' }), errors.TaskNotFoundError);
  await refused(by.sendMessage(message('more', { task: 'none' })), errors.TaskNotFoundError);
  const picture = { raw: 'aGk=', mediaType: 'image/png' };
  await refused(by.sendMessage(message('', { part: picture })), errors.ContentTypeNotSupportedError);
  await refused(by.sendMessage(message('', { part: null })), errors.RequestMalformedError);
  noKey(await refused((await client('tvm_nobody')).sendMessage(message('hello')), Error));
});

check('what fails before a stream does so by its own kind', async () => {
  const by = await client();
  await refused(all(by.resubscribeTask({ tenant: '', id: 'none' })), errors.TaskNotFoundError);
  await refused(all(by.sendMessageStream(message('more', { task: 'none' }))), errors.TaskNotFoundError);
});

check('tasks of others are not there', async () => {
  const [by, other] = [await client(), await client(OTHER)];
  const task = await hanging(by);
  const id = { tenant: '', id: task.id };
  const hook = TaskPushNotificationConfig.fromJSON({ taskId: task.id, id: 'x', url: `${HOOKS}/other` });
  for (const attempt of [
    () => other.getTask(id),
    () => other.cancelTask(id),
    () => other.sendMessage(message('more', { task: task.id })),
    () => all(other.resubscribeTask(id)),
    () => other.createTaskPushNotificationConfig(hook),
  ]) {
    await refused(attempt(), errors.TaskNotFoundError);
  }
  if (!IS_OLD) equal((await other.listTasks(ListTasksRequest.fromJSON({ contextId: task.contextId }))).totalSize, 0);
  equal((await by.cancelTask(id)).status.state, TaskState.TASK_STATE_CANCELED);
});

if (!IS_OLD) {
  check("the SDK believes the card's signature, and not another's", async () => {
    console.debug = () => {};
    const verify = verifyAgentCardSignature(async (kid, jku) => {
      equal(jku, `${HUB}/.well-known/jwks.json`);
      return (await (await fetch(jku)).json()).keys.find((key) => key.kid === kid);
    });
    // As it came: of what the SDK has read, it would not find the security schemes again.
    const found = await (await fetch(`${HUB}/a2a/v1/.well-known/agent-card.json`)).json();
    equal(AgentCard.fromJSON(found).signatures.length > 0, true, 'that it is signed');
    await verify(found);
    await refused(verify({ ...found, description: `${found.description}!` }), Error);
  });
}

let failures = 0;
for (const [name, work] of checks) {
  try {
    const late = sleep(CHECK_SECONDS * 1000, undefined, { ref: false }).then(() => {
      throw new Error(`not within ${CHECK_SECONDS} s`);
    });
    await Promise.race([work(), late]);
    console.log(`ok     ${name}`);
  } catch (error) {
    failures += 1;
    const line = /client\.mjs:(\d+)/.exec([...(error.stack ?? '').split('\n')].reverse().find((one) => one.includes('client.mjs')) ?? '');
    console.log(`FAILED ${name}: line ${line?.[1] ?? '?'}: ${String(error).replaceAll(/\s+/g, ' ').slice(0, 1500)}`);
  }
}
process.exit(failures ? 1 : 0);
