// OpenAI's client, Responses. Nothing is stored: the history goes back and forth whole.

import assert from 'node:assert/strict';
import { APIError } from 'openai';

import { Chat } from './chat.mjs';
import { IMAGE } from './common.mjs';

export class Responses extends Chat {
  static dialect = 'responses';

  user(text, image = false) {
    if (!image) return [{ role: 'user', content: text }];
    const picture = { type: 'input_image', detail: 'auto', image_url: `data:image/png;base64,${IMAGE}` };
    return [{ role: 'user', content: [{ type: 'input_text', text }, picture] }];
  }

  results(pairs) {
    return pairs.map(([call, output]) => ({ type: 'function_call_output', call_id: call.id, output }));
  }

  request(model, history, { system, tools, thinking, maxTokens, schema, ...more } = {}) {
    return {
      model,
      input: history,
      store: false,
      ...(system && { instructions: system }),
      ...(tools && { tools: tools.map(toFunction) }),
      ...(thinking && {
        reasoning: { effort: 'low', summary: 'auto' },
        include: ['reasoning.encrypted_content'],
      }),
      ...(maxTokens && { max_output_tokens: maxTokens }),
      ...(schema && { text: { format: { type: 'json_schema', name: 'answer', schema, strict: true } } }),
      ...more,
    };
  }

  async ask(model, history, { stream, ...more } = {}) {
    const request = this.request(model, history, more);
    if (!stream) return said(await this.client.responses.create(request));
    const runner = this.client.responses.stream(request);
    const events = [];
    for await (const event of runner) events.push(event);
    assert.deepEqual(
      events.map((event) => event.sequence_number),
      events.map((_, place) => place),
      'sequence numbers',
    );
    const deltas = events.filter((event) => event.type === 'response.output_text.delta');
    const answer = said(await runner.finalResponse());
    assert.equal(answer.text, deltas.map((event) => event.delta).join(''), 'the answer and its events');
    return answer;
  }

  async open(model, input) {
    const stream = await this.client.responses.create({ model, input, stream: true, store: false });
    const pieces = async function* () {
      for await (const event of stream) {
        if (event.type === 'response.failed') throw new Failed(event.response.error);
        if (event.type === 'response.output_text.delta') yield event.delta;
      }
    };
    return { pieces: pieces(), close: () => stream.controller.abort() };
  }

  checkBroken(error) {
    // A failure is an event of this dialect, and `error` one that the client makes an exception of.
    assert.ok([Failed, APIError].includes(error.constructor) && error.message, `${error?.stack}`);
  }
}

class Failed extends Error {
  constructor({ code, message }) {
    super(`${code}: ${message}`);
    assert.ok(code && message);
  }
}

const toFunction = ({ name, description, schema }) => ({
  type: 'function',
  name,
  description,
  parameters: schema,
  strict: true,
});

/** An item without what the client's stream helper adds to it, which OpenAI does not take back. */
function asSaid({ parsed_arguments, ...item }) {
  if (item.type !== 'message') return item;
  return { ...item, content: item.content.map(({ parsed, ...part }) => part) };
}

function said(answer) {
  assert.ok(['completed', 'incomplete'].includes(answer.status), answer.status);
  const calls = answer.output
    .filter((item) => item.type === 'function_call')
    .map((item) => ({ id: item.call_id, name: item.name, args: JSON.parse(item.arguments) }));
  const summaries = answer.output.filter((item) => item.type === 'reasoning').flatMap((item) => item.summary);
  const parts = answer.output.filter((item) => item.type === 'message').flatMap((item) => item.content);
  const reason = { max_output_tokens: 'length', content_filter: 'refusal' }[answer.incomplete_details?.reason];
  const { input_tokens, output_tokens, total_tokens } = answer.usage;
  assert.equal(total_tokens, input_tokens + output_tokens);
  return {
    text: answer.output_text,
    calls,
    stop: reason ?? (calls.length ? 'tools' : parts.some((part) => part.type === 'refusal') ? 'refusal' : 'stop'),
    usage: [input_tokens, output_tokens],
    thought: summaries.map((part) => part.text).join(''),
    turn: answer.output.map(asSaid),
  };
}
