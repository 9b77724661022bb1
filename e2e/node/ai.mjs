// The `ai` package through its provider for servers that speak OpenAI's chat completions.

import assert from 'node:assert/strict';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, generateText, isStepCount, Output, streamText, tool } from 'ai';
import { z } from 'zod';

import { context, DIALECTS, HUB, raises, run, test } from './harness.mjs';

const WORDS = 'one two three four five six';
const STEPS = isStepCount(5);

/** The model of a connection. */
function model(dialect, connection = `on-${dialect}`, key = context.key ?? context.connections[connection].key) {
  const provider = createOpenAICompatible({
    name: 'trivium',
    apiKey: key,
    baseURL: context.base_url,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
  const name = context.dialects[dialect].model;
  return provider(HUB ? `${connection}/${name}` : name);
}

function each(name, action) {
  for (const dialect of HUB ? DIALECTS : ['chat']) {
    test(`${dialect}, ${name}`, 'both', () => action(model(dialect), dialect));
  }
}

/** Two tools, and what was asked of them. */
function tools() {
  const asked = [];
  const one = (name, description, answer) =>
    tool({
      description,
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }) => {
        asked.push(name);
        return `${answer} ${city}`;
      },
    });
  const list = {
    get_weather: one('get_weather', 'The weather in a city', 'sunny in'),
    get_train: one('get_train', 'The next train to a city', 'at noon to'),
  };
  return { asked, list };
}

each('a text', async (model) => {
  const result = await generateText({ model, maxRetries: 0, system: 'Be brief.', prompt: `echo: ${WORDS}` });
  assert.deepEqual([result.text, result.finishReason, result.usage.outputTokens], [WORDS, 'stop', 6]);
});

each('a text, streamed', async (model) => {
  const result = streamText({ model, maxRetries: 0, prompt: `echo: ${WORDS}` });
  const pieces = [];
  for await (const piece of result.textStream) pieces.push(piece);
  assert.equal(pieces.join(''), WORDS);
  assert.ok(pieces.length > 1, `${pieces}`);
  assert.deepEqual([await result.finishReason, (await result.usage).outputTokens], ['stop', 6]);
});

each('two tools at once and an answer', async (model) => {
  const { asked, list } = tools();
  const prompt = 'Use both in parallel.';
  const result = await generateText({ model, maxRetries: 0, tools: list, stopWhen: STEPS, prompt });
  assert.deepEqual([asked, result.steps.length], [['get_weather', 'get_train'], 2]);
  assert.ok(result.text.includes('at noon'), result.text);
});

each('tools and an answer, streamed', async (model) => {
  const { asked, list } = tools();
  const result = streamText({ model, maxRetries: 0, tools: list, stopWhen: STEPS, prompt: 'What is the weather like?' });
  const parts = [];
  for await (const part of result.fullStream) parts.push(part.type);
  assert.deepEqual([asked, (await result.steps).length], [['get_weather'], 2]);
  assert.ok((await result.text).includes('sunny'), await result.text);
  for (const part of ['tool-input-start', 'tool-input-delta', 'tool-call', 'tool-result', 'finish']) {
    assert.ok(parts.includes(part), `${part} is missing: ${parts}`);
  }
});

each('an object', async (model) => {
  const schema = z.object({ city: z.string(), degrees: z.number().int() });
  const result = await generateText({ model, maxRetries: 0, output: Output.object({ schema }), prompt: 'How warm is it?' });
  assert.ok(Number.isInteger(result.output.degrees), result.text);
});

each('reasoning goes along', async (model, dialect) => {
  const { list } = tools();
  const providerOptions = { trivium: { reasoningEffort: 'low' } };
  const shared = { model, maxRetries: 0, tools: list, stopWhen: STEPS, providerOptions };
  const first = await generateText({ ...shared, prompt: 'What is the weather like?' });
  assert.ok(first.text.includes('sunny'), first.text);
  // Chat has no words to ask Responses for a summary.
  assert.ok(dialect === 'responses' || first.steps[0].reasoningText, 'no reasoning');
  const messages = [
    { role: 'user', content: 'What is the weather like?' },
    ...first.response.messages,
    { role: 'user', content: `echo: ${WORDS}` },
  ];
  const result = streamText({ ...shared, messages });
  assert.equal(await result.text, WORDS);
});

each('an image', async (model) => {
  const data = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
  const content = [
    { type: 'text', text: 'echo: seen' },
    { type: 'file', data, mediaType: 'image/png' },
  ];
  assert.equal((await generateText({ model, maxRetries: 0, messages: [{ role: 'user', content }] })).text, 'seen');
});

for (const dialect of HUB ? DIALECTS : ['chat']) {
  test(`${dialect}, two tools in turn`, 'both', async () => {
    const { asked, list } = tools();
    // A forced tool needs a question each time: what a tool said is answered with words.
    const shared = { model: model(dialect), maxRetries: 0, tools: list };
    const messages = [{ role: 'user', content: 'hello' }];
    for (const toolName of ['get_weather', 'get_train']) {
      const result = await generateText({ ...shared, messages, toolChoice: { type: 'tool', toolName }, stopWhen: isStepCount(1) });
      messages.push(...result.response.messages, { role: 'user', content: 'Go on.' });
    }
    assert.deepEqual(asked, ['get_weather', 'get_train']);
    messages.at(-1).content = 'echo: all done';
    assert.equal((await generateText({ ...shared, messages })).text, 'all done');
  });

  test(`${dialect}, a dry account is an error with its wait`, 'both', async () => {
    const dry = model(dialect, `dry-chat-${dialect}`);
    const error = await raises(APICallError, generateText({ model: dry, maxRetries: 0, prompt: 'hello' }));
    assert.deepEqual([error.statusCode, error.isRetryable], [429, true]);
    assert.ok(Number(error.responseHeaders['retry-after']) >= 1);
  });

  test(`${dialect}, a broken stream is an error`, 'both', async () => {
    const late = model(dialect, `late-chat-${dialect}`);
    const seen = [];
    const result = streamText({ model: late, maxRetries: 0, prompt: `echo: ${WORDS}`, onError: () => {} });
    for await (const part of result.fullStream) seen.push(part);
    const text = seen.filter((part) => part.type === 'text-delta').map((part) => part.text);
    assert.equal(text.join(''), 'one two three');
    assert.ok(seen.some((part) => part.type === 'error'), seen.map((part) => part.type).join());
  });
}

await run();
