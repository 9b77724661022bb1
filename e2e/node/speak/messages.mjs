// Anthropic's client.

import assert from 'node:assert/strict';
import Anthropic, {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from '@anthropic-ai/sdk';

import { IMAGE } from './common.mjs';

const STOPS = { end_turn: 'stop', max_tokens: 'length', tool_use: 'tools', refusal: 'refusal' };

export class Messages {
  static dialect = 'messages';
  wrongKey = AuthenticationError;
  unknownModel = NotFoundError;
  badRequest = BadRequestError;
  rateLimit = RateLimitError;
  serverError = InternalServerError;
  spoiled = { temperature: 9 };

  constructor(origin, apiKey) {
    this.client = new Anthropic({ apiKey, baseURL: origin, maxRetries: 0, timeout: 10_000 });
  }

  user(text, image = false) {
    if (!image) return [{ role: 'user', content: text }];
    const source = { type: 'base64', media_type: 'image/png', data: IMAGE };
    return [{ role: 'user', content: [{ type: 'image', source }, { type: 'text', text }] }];
  }

  results(pairs) {
    const content = pairs.map(([call, content]) => ({ type: 'tool_result', tool_use_id: call.id, content }));
    return [{ role: 'user', content }];
  }

  request(model, messages, { system, tools, thinking, maxTokens = 4096, schema, ...more } = {}) {
    return {
      model,
      messages,
      max_tokens: maxTokens,
      ...(system && { system }),
      ...(tools && { tools: tools.map(toFunction) }),
      ...(thinking && { thinking: { type: 'enabled', budget_tokens: 1024 } }),
      ...(schema && { output_config: { format: { type: 'json_schema', schema } } }),
      ...more,
    };
  }

  async ask(model, history, { stream, ...more } = {}) {
    const request = this.request(model, history, more);
    if (!stream) return said(await this.client.messages.create(request));
    const runner = this.client.messages.stream(request);
    let seen = '';
    runner.on('text', (delta) => (seen += delta));
    const answer = said(await runner.finalMessage());
    assert.equal(answer.text, seen, 'the answer and its events');
    return answer;
  }

  async open(model, messages) {
    const stream = await this.client.messages.create({ model, messages, max_tokens: 4096, stream: true });
    const pieces = async function* () {
      for await (const event of stream) if (event.delta?.type === 'text_delta') yield event.delta.text;
    };
    return { pieces: pieces(), close: () => stream.controller.abort() };
  }

  checkBroken(error) {
    assert.ok(error instanceof APIError && error.message, `${error?.stack}`);
    assert.equal(error.error?.type, 'error', JSON.stringify(error.error));
  }

  retryAfter(error) {
    return Number(error.headers.get('retry-after'));
  }
}

const toFunction = ({ name, description, schema }) => ({ name, description, input_schema: schema });

function said(answer) {
  const of = (type) => answer.content.filter((block) => block.type === type);
  const { input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens } = answer.usage;
  return {
    text: of('text')
      .map((block) => block.text)
      .join(''),
    calls: of('tool_use').map(({ id, name, input }) => ({ id, name, args: input })),
    stop: STOPS[answer.stop_reason],
    usage: [input_tokens + (cache_read_input_tokens ?? 0) + (cache_creation_input_tokens ?? 0), output_tokens],
    thought: of('thinking')
      .map((block) => block.thinking)
      .join(''),
    turn: [{ role: 'assistant', content: answer.content }],
  };
}
