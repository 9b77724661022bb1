// What the vendors' clients can besides talking: events, counts, lists, chats, tool runners, stored responses.

import assert from 'node:assert/strict';
import Anthropic, { NotFoundError as AnthropicNotFound } from '@anthropic-ai/sdk';
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod';
import { ApiError, FunctionCallingConfigMode, GoogleGenAI, ThinkingLevel } from '@google/genai';
import OpenAI, { NotFoundError } from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';

import { collect, context, DIALECTS, HUB, raises, run, test } from './harness.mjs';

const WORDS = 'one two three four five six';
const ECHO = [{ role: 'user', content: `echo: ${WORDS}` }];
const WEATHER = z.object({ city: z.string(), degrees: z.number().int() });

const key = (dialect) => context.key ?? context.connections[`on-${dialect}`].key;
const model = (dialect) => `${HUB ? `on-${dialect}/` : ''}${context.dialects[dialect].model}`;

const openai = new OpenAI({ apiKey: key('responses'), baseURL: context.base_url, maxRetries: 0, timeout: 10_000 });
const anthropic = new Anthropic({ apiKey: key('messages'), baseURL: context.origin, maxRetries: 0, timeout: 10_000 });
const genai = new GoogleGenAI({ apiKey: key('gemini'), httpOptions: { baseUrl: context.origin, timeout: 10_000 } });

/** A test with each provider behind the hub, and with the simulator's own dialect. */
function each(client, name, action) {
  for (const dialect of HUB ? DIALECTS : [client]) {
    test(`${client} to ${dialect}, ${name}`, 'both', () => action(model(dialect), dialect));
  }
}

const without = (list, value) => list.filter((item) => item !== value);

// OpenAI's Responses

const weather = {
  type: 'function',
  name: 'get_weather',
  description: 'The weather in a city',
  strict: true,
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
};

each('responses', 'events come in order', async (model) => {
  const events = await collect(await openai.responses.create({ model, input: ECHO, stream: true, store: false }));
  const kinds = events.map((event) => event.type.replace('response.', ''));
  assert.deepEqual(kinds, [
    'created',
    'in_progress',
    'output_item.added',
    'content_part.added',
    ...Array(6).fill('output_text.delta'),
    'output_text.done',
    'content_part.done',
    'output_item.done',
    'completed',
  ]);
});

each('responses', 'an answer is parsed', async (model) => {
  const text = { format: zodTextFormat(WEATHER, 'answer') };
  const answer = await openai.responses.parse({ model, input: 'How warm is it?', text, store: false });
  assert.ok(Number.isInteger(answer.output_parsed.degrees), answer.output_text);
});

each('responses', 'a response goes on from the one before', async (model) => {
  const first = await openai.responses.create({ model, input: 'What is the weather like?', tools: [weather] });
  const call = first.output.find((item) => item.type === 'function_call');
  const input = [{ type: 'function_call_output', call_id: call.call_id, output: 'rain, 9 degrees' }];
  const request = { model, previous_response_id: first.id, input, tools: [weather] };
  const second = await openai.responses.stream(request).finalResponse();
  assert.ok(second.output_text.includes('rain, 9 degrees'), second.output_text);
  const again = await openai.responses.retrieve(second.id);
  assert.equal(again.output_text ?? again.output.at(-1).content[0].text, second.output_text);
  await openai.responses.delete(second.id);
  await raises(NotFoundError, openai.responses.retrieve(second.id));
});

// Anthropic's Messages

each('messages', 'events come in order', async (model) => {
  const stream = await anthropic.messages.create({ model, messages: ECHO, max_tokens: 100, stream: true });
  const kinds = (await collect(stream)).map((event) => event.type);
  assert.deepEqual(without(kinds, 'ping'), [
    'message_start',
    'content_block_start',
    ...Array(6).fill('content_block_delta'),
    'content_block_stop',
    'message_delta',
    'message_stop',
  ]);
});

each('messages', 'tokens are counted', async (model) => {
  const count = await anthropic.messages.countTokens({ model, messages: ECHO, system: 'Be brief.' });
  assert.ok(count.input_tokens > 5, `${count.input_tokens}`);
});

each('messages', 'the tool runner goes round', async (model) => {
  const asked = [];
  const tool = betaZodTool({
    name: 'get_weather',
    description: 'The weather in a city',
    inputSchema: z.object({ city: z.string() }),
    run: ({ city }) => {
      asked.push(city);
      return `sunny in ${city}`;
    },
  });
  const messages = [{ role: 'user', content: 'What is the weather like?' }];
  for (const stream of [false, true]) {
    const final = await anthropic.beta.messages.toolRunner({ model, max_tokens: 500, messages, tools: [tool], stream }).runUntilDone();
    assert.ok(final.content.at(-1).text.includes(`sunny in ${asked.at(-1)}`), JSON.stringify(final.content));
  }
  assert.equal(asked.length, 2);
});

test('messages, models are listed and retrieved', 'both', async () => {
  const seen = await collect(anthropic.models.list({ limit: 1000 }));
  const ids = new Set(seen.map((one) => one.id));
  assert.deepEqual(context.models.filter((name) => !ids.has(name)), []);
  const one = await anthropic.models.retrieve('plain');
  assert.deepEqual([one.id, one.type], ['plain', 'model']);
  await raises(AnthropicNotFound, anthropic.models.retrieve('plaim'));
});

test('messages, requests have ids', 'both', async () => {
  const answer = await anthropic.messages.create({ model: model('messages'), max_tokens: 100, messages: ECHO });
  assert.ok(answer._request_id);
});

// Google's generateContent

each('gemini', 'a chat keeps its history', async (model) => {
  const thinkingConfig = { includeThoughts: true, thinkingLevel: ThinkingLevel.LOW };
  const chat = genai.chats.create({ model, config: { systemInstruction: 'Be brief.', thinkingConfig } });
  assert.equal((await chat.sendMessage({ message: 'echo: first' })).text, 'first');
  const chunks = await collect(await chat.sendMessageStream({ message: 'echo: second time' }));
  assert.equal(chunks.map((chunk) => chunk.text ?? '').join(''), 'second time');
  assert.equal((await chat.sendMessage({ message: 'echo: third' })).text, 'third');
});

each('gemini', 'the client calls a function', async (model) => {
  const asked = [];
  const parametersJsonSchema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
  const declaration = { name: 'get_weather', description: 'The weather', parametersJsonSchema };
  const tool = {
    tool: async () => ({ functionDeclarations: [declaration] }),
    callTool: async (calls) => {
      asked.push(...calls);
      return calls.map(({ id, name, args }) => ({ functionResponse: { id, name, response: { result: `sunny in ${args.city}` } } }));
    },
  };
  const contents = 'What is the weather like?';
  const answer = await genai.models.generateContent({ model, contents, config: { tools: [tool] } });
  assert.equal(asked.length, 1);
  assert.ok(answer.text.includes(`sunny in ${asked[0].args.city}`), answer.text);
  const chunks = await collect(await genai.models.generateContentStream({ model, contents, config: { tools: [tool] } }));
  const text = chunks.map((chunk) => chunk.text ?? '').join('');
  assert.ok(text.includes('sunny in'), text);
});

each('gemini', 'a forced function is called', async (model) => {
  const functionDeclarations = [{ name: 'get_time', description: 'The time' }, { name: 'get_day', description: 'The day' }];
  const functionCallingConfig = { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ['get_day'] };
  const config = { tools: [{ functionDeclarations }], toolConfig: { functionCallingConfig } };
  const answer = await genai.models.generateContent({ model, contents: 'hello', config });
  assert.deepEqual(answer.functionCalls.map((call) => call.name), ['get_day']);
});

each('gemini', 'tokens are counted', async (model) => {
  const count = await genai.models.countTokens({ model, contents: `echo: ${WORDS}` });
  assert.ok(count.totalTokens > 5, `${count.totalTokens}`);
});

test('gemini, models are listed and retrieved', 'both', async () => {
  const seen = await collect(await genai.models.list());
  const ids = new Set(seen.map((one) => one.name.replace(/^models\//, '')));
  assert.deepEqual(context.models.filter((name) => !ids.has(name)), []);
  assert.equal((await genai.models.get({ model: 'plain' })).name, 'models/plain');
  assert.equal((await raises(ApiError, genai.models.get({ model: 'plaim' }))).status, 404);
});

await run();
