// OpenAI's client for chat completions, against the hub or the simulator: routing, failover, errors, keys. The same tests
// as python/openai_chat.py; the scenarios stand in ../scenarios.py.

import assert from 'node:assert/strict';
import OpenAI, {
  APIConnectionTimeoutError,
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
  UnprocessableEntityError,
} from 'openai';
import { collect, context, HUB, raises, run, simulatorLog, soon, test, trivium } from './harness.mjs';

const WORDS = 'one two three four five six';
const PIECES = ['one', ' two', ' three', ' four', ' five', ' six'];
const ECHO = [{ role: 'user', content: `echo: ${WORDS}` }];
const QUESTION = [{ role: 'user', content: 'What is the weather like?' }];
const TOOL = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather in a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

const account = (scenario, place) => context.accounts[scenario][place - 1];

/** A client with a good key: the hub's, or the first account's. */
const client = (scenario, options = {}) =>
  new OpenAI({
    apiKey: context.key ?? account(scenario, 1).key,
    baseURL: context.base_url,
    maxRetries: 0,
    timeout: 10_000,
    ...options,
  });

const ask = (scenario, { messages = ECHO, ...more } = {}) =>
  client(scenario).chat.completions.create({ model: scenario, messages, ...more });

const pieces = (chunks) => chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.delta.content)).filter(Boolean);

/** What the simulator saw of an account, oldest first. */
const logOf = async (scenario, place = 1) =>
  (await simulatorLog()).filter((entry) => entry.key === account(scenario, place).key);

const counts = async (scenario) => [(await logOf(scenario, 1)).length, (await logOf(scenario, 2)).length];
const outcomes = async (scenario) => (await logOf(scenario)).map((entry) => entry.outcome);

/** Waits until the provider has seen that the client of its only request left. */
const providerSeesItLeave = (scenario) =>
  soon('the provider sees the client leave', async () => `${await outcomes(scenario)}` === 'client_left');

// Models

test('models are listed', 'both', async () => {
  const seen = (await client('plain').models.list()).data.map((model) => model.id);
  const expected = [...context.models];
  if (HUB) expected.push('auto', 'multirouter-auto');
  assert.deepEqual(seen.sort(), expected.sort());
});

test('a model is retrieved', 'both', async () => {
  const model = await client('plain').models.retrieve('plain');
  assert.deepEqual([model.id, model.object], ['plain', 'model']);
  assert.ok(Number.isInteger(model.created) && model.owned_by);
});

test('an unknown model is not retrieved', 'both', async () => {
  const error = await raises(NotFoundError, client('plain').models.retrieve('plaim'));
  assert.deepEqual([error.status, error.code], [404, 'model_not_found']);
});

// Answers

test('chat', 'both', async () => {
  const answer = await ask('plain');
  assert.equal(answer.object, 'chat.completion');
  assert.equal(answer.model, 'plain');
  assert.equal(answer.choices.length, 1);
  assert.equal(answer.choices[0].message.role, 'assistant');
  assert.equal(answer.choices[0].message.content, WORDS);
  assert.equal(answer.choices[0].finish_reason, 'stop');
  assert.equal(answer.usage.completion_tokens, 6);
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + 6);
});

test('fields reach the provider as sent', 'both', async () => {
  const user = `marker-${process.hrtime.bigint()}`;
  const sent = { model: 'plain', messages: ECHO, seed: 7, user, temperature: 0.5, x_unheard_of: { a: [1, null, 'ü'] } };
  await client('plain').chat.completions.create(sent);
  const entry = (await logOf('plain')).find((one) => one.body.includes(user));
  assert.equal(entry.body, JSON.stringify(sent));
});

test('headers name the account', 'hub', async () => {
  const { data, response, request_id } = await ask('plain').withResponse();
  assert.equal(response.headers.get('x-gateway-route'), 'plain-1');
  assert.equal(response.headers.get('x-gateway-model'), 'plain');
  assert.equal(response.headers.get('x-gateway-attempts'), '1');
  assert.match(request_id, /^req_/);
  assert.equal(data._request_id, request_id);
});

test('auto takes the first account', 'hub', async () => {
  const { data, response } = await client('plain')
    .chat.completions.create({ model: 'auto', messages: ECHO })
    .withResponse();
  assert.equal(response.headers.get('x-gateway-route'), 'plain-1');
  assert.equal(data.choices[0].message.content, WORDS);
});

// Streams

/** What holds for each stream of the echo, the usage chunk apart. */
function checkStream(chunks) {
  assert.ok(chunks.every((chunk) => chunk.object === 'chat.completion.chunk' && chunk.model === 'plain'));
  assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
  assert.equal(chunks[0].choices[0].delta.role, 'assistant');
  assert.deepEqual(pieces(chunks), PIECES);
  const reasons = chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.finish_reason)).filter(Boolean);
  assert.deepEqual(reasons, ['stop']);
}

function checkNoUsage(chunks) {
  for (const chunk of chunks) {
    assert.equal(chunk.usage ?? null, null, 'usage, which nobody asked for');
    assert.equal(chunk.choices.length, 1);
  }
}

test('stream without usage', 'both', async () => {
  const chunks = await collect(await ask('plain', { stream: true }));
  checkStream(chunks);
  checkNoUsage(chunks);
});

test('stream with usage', 'both', async () => {
  const chunks = await collect(await ask('plain', { stream: true, stream_options: { include_usage: true } }));
  checkStream(chunks);
  const last = chunks.pop();
  checkNoUsage(chunks);
  assert.deepEqual(last.choices, []);
  assert.equal(last.usage.completion_tokens, 6);
  assert.equal(last.usage.total_tokens, last.usage.prompt_tokens + 6);
});

test('stream refusing usage', 'both', async () => {
  const chunks = await collect(await ask('plain', { stream: true, stream_options: { include_usage: false } }));
  checkStream(chunks);
  checkNoUsage(chunks);
});

test('stream arrives piece by piece', 'both', async () => {
  const arrivals = [];
  for await (const chunk of await ask('paced', { stream: true })) {
    if (pieces([chunk]).length) arrivals.push(performance.now());
  }
  assert.equal(arrivals.length, 6);
  // The simulator leaves 30 ms between two pieces: all at once would mean that someone holds them back.
  assert.ok(arrivals.at(-1) - arrivals[0] > 90, `the pieces came together: ${arrivals}`);
});

test("the client's stream reader assembles the answer", 'both', async () => {
  const runner = client('plain').chat.completions.stream({ model: 'plain', messages: ECHO });
  assert.equal(await runner.finalContent(), WORDS);
});

// Tools

const getWeather = ({ city }) => `sunny in ${city}, 23 degrees`;

/** Runs the tool that the model asked for; what it said, and the messages that hand it back. */
function runTool(id, name, args) {
  assert.equal(name, 'get_weather');
  const asked = JSON.parse(args);
  assert.deepEqual(Object.keys(asked), ['city']);
  assert.ok(id && typeof asked.city === 'string' && asked.city);
  const result = getWeather(asked);
  const call = { id, type: 'function', function: { name, arguments: args } };
  const messages = [
    ...QUESTION,
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', tool_call_id: id, content: result },
  ];
  return { result, messages };
}

test('tool round trip', 'both', async () => {
  const [choice] = (await ask('plain', { messages: QUESTION, tools: [TOOL] })).choices;
  assert.equal(choice.finish_reason, 'tool_calls');
  assert.equal(choice.message.content, null);
  assert.equal(choice.message.tool_calls.length, 1);
  const [call] = choice.message.tool_calls;
  assert.equal(call.type, 'function');
  const { result, messages } = runTool(call.id, call.function.name, call.function.arguments);
  const answer = await ask('plain', { messages, tools: [TOOL] });
  assert.equal(answer.choices[0].finish_reason, 'stop');
  assert.ok(answer.choices[0].message.content.includes(result), answer.choices[0].message.content);
});

test('tool round trip, streamed', 'both', async () => {
  let id, name;
  const parts = [];
  const reasons = [];
  for await (const chunk of await ask('plain', { messages: QUESTION, tools: [TOOL], stream: true })) {
    assert.equal(chunk.choices.length, 1);
    const [{ delta, finish_reason }] = chunk.choices;
    if (finish_reason) reasons.push(finish_reason);
    for (const part of delta.tool_calls ?? []) {
      assert.equal(part.index, 0);
      id ??= part.id;
      name ??= part.function.name;
      if (part.function.arguments) parts.push(part.function.arguments);
    }
  }
  assert.deepEqual(reasons, ['tool_calls']);
  assert.ok(parts.length > 1, `the arguments came in one piece: ${parts}`);
  const { result, messages } = runTool(id, name, parts.join(''));
  const text = pieces(await collect(await ask('plain', { messages, tools: [TOOL], stream: true }))).join('');
  assert.ok(text.includes(result), text);
});

test('the tool runner goes round by itself', 'both', async () => {
  const said = [];
  const tool = {
    type: 'function',
    function: {
      ...TOOL.function,
      parse: JSON.parse,
      function: (asked) => {
        said.push(getWeather(asked));
        return said.at(-1);
      },
    },
  };
  const runner = client('plain').chat.completions.runTools({ model: 'plain', messages: QUESTION, tools: [tool] });
  const text = await runner.finalContent();
  assert.equal(said.length, 1);
  assert.ok(text.includes(said[0]), text);
});

// Failover

for (const failure of context.failing) {
  test(`failover after ${failure}`, 'hub', async () => {
    const scenario = `failover-${failure}`;
    const { data, response } = await ask(scenario).withResponse();
    assert.equal(response.status, 200);
    assert.equal(data.choices[0].message.content, WORDS);
    assert.equal(response.headers.get('x-gateway-route'), `${scenario}-2`);
    assert.equal(response.headers.get('x-gateway-attempts'), '2');
    assert.deepEqual(await counts(scenario), [1, 1]);
  });

  test(`failover after ${failure}, streamed`, 'hub', async () => {
    const scenario = `failover-${failure}-stream`;
    const { data, response } = await ask(scenario, { stream: true }).withResponse();
    assert.equal(response.headers.get('x-gateway-route'), `${scenario}-2`);
    const chunks = await collect(data);
    assert.deepEqual(pieces(chunks), PIECES);
    assert.equal(chunks.filter((chunk) => chunk.choices[0]?.delta.role).length, 1, 'role chunks');
    assert.deepEqual(await counts(scenario), [1, 1]);
  });
}

test('an account runs dry unseen', 'hub', async () => {
  const routes = [];
  for (let turn = 0; turn < 4; turn += 1) {
    const { data, response } = await ask('runs-dry').withResponse();
    assert.equal(data.choices[0].message.content, WORDS);
    routes.push(response.headers.get('x-gateway-route'));
  }
  assert.deepEqual(routes, ['runs-dry-1', 'runs-dry-1', 'runs-dry-2', 'runs-dry-2']);
  // Two answers and the refusal; the fourth request left it in peace.
  assert.deepEqual((await logOf('runs-dry')).map((entry) => entry.status), [200, 200, 429]);
});

// Errors

test('a wrong key is an AuthenticationError', 'both', async () => {
  const apiKey = HUB ? 'tvm_nonsense' : account('wrong-key', 1).key;
  const error = await raises(
    AuthenticationError,
    client('plain', { apiKey }).chat.completions.create({ model: 'plain', messages: ECHO }),
  );
  assert.deepEqual([error.status, error.code], [401, 'invalid_api_key']);
  if (HUB) assert.match(error.requestID, /^req_/);
});

test('an unknown model is a NotFoundError', 'both', async () => {
  const error = await raises(NotFoundError, client('plain').chat.completions.create({ model: 'plian', messages: ECHO }));
  assert.deepEqual([error.status, error.code], [404, 'model_not_found']);
  assert.ok(error.message.includes('plian'), error.message);
  if (HUB) assert.ok(error.message.includes('`plain`'), `no near match: ${error.message}`);
});

test('dry accounts are a RateLimitError', 'both', async () => {
  // The hub's second answer comes from memory.
  for (const turn of [1, 2]) {
    const error = await raises(RateLimitError, ask('all-dry'));
    assert.equal(error.status, 429);
    const wait = Number(error.headers.get('retry-after'));
    assert.ok(Number.isInteger(wait) && (HUB ? wait >= 1 && wait <= 20 : wait === 20), `retry-after: ${wait}`);
    if (HUB) assert.deepEqual(await counts('all-dry'), [1, 1], `requests after ask ${turn}`);
  }
  const streamed = await raises(RateLimitError, ask('all-dry', { stream: true }));
  assert.ok(Number(streamed.headers.get('retry-after')) >= 1);
});

test('failing accounts are an InternalServerError', 'both', async () => {
  const error = await raises(InternalServerError, ask('all-down'));
  assert.ok((HUB ? [502, 503] : [500]).includes(error.status), `${error.status}`);
});

test("the accounts' own denial is not the caller's", 'hub', async () => {
  const error = await raises(InternalServerError, ask('all-denied'));
  assert.ok([502, 503].includes(error.status), `${error.status}`);
  assert.deepEqual(await counts('all-denied'), [1, 1]);
});

test('a refused request is a BadRequestError', 'both', async () => {
  const error = await raises(BadRequestError, ask('refused'));
  assert.deepEqual([error.status, error.type], [400, 'invalid_request_error']);
  assert.ok(error.message.includes('The request was refused.'), error.message);
  assert.deepEqual(await counts('refused'), [1, 0]);
});

test('a wrong value is a BadRequestError', 'both', async () => {
  const error = await raises(BadRequestError, ask('plain', { temperature: 9 }));
  assert.deepEqual([error.param, error.code], ['temperature', 'above_max_value']);
});

test('an unprocessable request is passed on', 'both', async () => {
  const error = await raises(UnprocessableEntityError, ask('unprocessable'));
  assert.equal(error.status, 422);
  assert.equal((await logOf('unprocessable', 2)).length, 0);
});

test('malformed messages are a BadRequestError', 'both', async () => {
  assert.equal((await raises(BadRequestError, ask('plain', { messages: 'hello' }))).status, 400);
});

// Ends that come too early

async function checkTimeout(scenario, more = {}) {
  const began = performance.now();
  await raises(
    APIConnectionTimeoutError,
    client(scenario, { timeout: 1000 }).chat.completions.create({ model: scenario, messages: ECHO, ...more }),
  );
  const took = performance.now() - began;
  assert.ok(took > 900 && took < 4000, `took ${took} ms`);
  await providerSeesItLeave(scenario);
}

test('a time-out cancels the request', 'both', () => checkTimeout('hang'));
test('a time-out cancels the stream', 'both', () => checkTimeout('hang-stream', { stream: true }));

test('an aborted stream cancels the request', 'both', async () => {
  const stream = await ask('stall', { stream: true });
  const seen = [];
  for await (const chunk of stream) {
    seen.push(...pieces([chunk]));
    if (seen.length === 3) {
      assert.deepEqual(await outcomes('stall'), ['running']);
      stream.controller.abort();
      break;
    }
  }
  assert.deepEqual(seen, PIECES.slice(0, 3));
  await providerSeesItLeave('stall');
});

/** Reads a stream that must break; the error. */
async function brokenStream(scenario) {
  const seen = [];
  let error;
  try {
    for await (const chunk of await ask(scenario, { stream: true })) seen.push(...pieces([chunk]));
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error, `the stream ended as if it were whole: ${seen.join('')}`);
  assert.deepEqual(seen, PIECES.slice(0, 3), 'text before the break');
  return error;
}

test('an error within a stream is an APIError', 'both', async () => {
  const error = await brokenStream('error-late');
  assert.equal(error.constructor, APIError);
  assert.ok(error.message);
  assert.equal((await logOf('error-late', 2)).length, 0);
});

test('a cut stream is an error', 'both', async () => {
  const error = await brokenStream('cut-late');
  // The hub says what happened; without it the client sees the broken connection.
  if (HUB) assert.equal(error.constructor, APIError);
  assert.equal((await logOf('cut-late', 2)).length, 0);
});

// Keys

test('a key lives and ends', 'hub', async () => {
  const name = `e2e-${process.pid}`;
  const apiKey = trivium('keys', 'create', name);
  assert.match(apiKey, /^tvm_\w+$/, 'the key alone should be on stdout');
  const holder = client('plain', { apiKey });
  const answer = await holder.chat.completions.create({ model: 'plain', messages: ECHO });
  assert.equal(answer.choices[0].message.content, WORDS);
  trivium('keys', 'revoke', name);
  const refused = await raises(
    AuthenticationError,
    holder.chat.completions.create({ model: 'plain', messages: ECHO }),
  );
  assert.equal(refused.status, 401);
  await raises(AuthenticationError, holder.models.retrieve('plain'));
});

// Many at once

test('many requests side by side', 'both', async () => {
  const before = (await logOf('plain')).length;
  const shared = client('plain', { timeout: 30_000 });
  const one = async (number) => {
    const request = { model: 'plain', messages: [{ role: 'user', content: `echo: number ${number}` }] };
    if (number % 2) return (await shared.chat.completions.create(request)).choices[0].message.content;
    return pieces(await collect(await shared.chat.completions.create({ ...request, stream: true }))).join('');
  };
  const numbers = Array.from({ length: 60 }, (_, number) => number);
  assert.deepEqual(await Promise.all(numbers.map(one)), numbers.map((number) => `number ${number}`));
  assert.equal((await logOf('plain')).length - before, 60);
});

await run();
