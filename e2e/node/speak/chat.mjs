// OpenAI's client, chat completions.

import assert from 'node:assert/strict';
import OpenAI, {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from 'openai';

import { ContentFilterFinishReasonError, LengthFinishReasonError } from 'openai/core/error';

import { IMAGE } from './common.mjs';

const STOPS = { stop: 'stop', length: 'length', tool_calls: 'tools', content_filter: 'refusal' };

export class Chat {
  static dialect = 'chat';
  wrongKey = AuthenticationError;
  unknownModel = NotFoundError;
  badRequest = BadRequestError;
  rateLimit = RateLimitError;
  serverError = InternalServerError;
  spoiled = { temperature: 9 };

  constructor(origin, apiKey) {
    this.client = new OpenAI({ apiKey, baseURL: `${origin}/v1`, maxRetries: 0, timeout: 10_000 });
  }

  user(text, image = false) {
    if (!image) return [{ role: 'user', content: text }];
    const url = `data:image/png;base64,${IMAGE}`;
    return [{ role: 'user', content: [{ type: 'text', text }, { type: 'image_url', image_url: { url } }] }];
  }

  results(pairs) {
    return pairs.map(([call, content]) => ({ role: 'tool', tool_call_id: call.id, content }));
  }

  request(model, history, { system, tools, thinking, maxTokens, schema, ...more } = {}) {
    return {
      model,
      messages: system ? [{ role: 'system', content: system }, ...history] : history,
      ...(tools && { tools: tools.map(toFunction) }),
      ...(thinking && { reasoning_effort: 'low' }),
      ...(maxTokens && { max_completion_tokens: maxTokens }),
      ...(schema && { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } } }),
      ...more,
    };
  }

  async ask(model, history, { stream, ...more } = {}) {
    const request = this.request(model, history, more);
    if (!stream) return said(await this.client.chat.completions.create(request));
    const runner = this.client.chat.completions.stream({ ...request, stream_options: { include_usage: true } });
    let seen = '';
    runner.on('content', (delta) => (seen += delta));
    let answer;
    try {
      answer = said(await runner.finalChatCompletion());
    } catch (error) {
      // To the client an answer that ends early is none, but it has it.
      if (!(error instanceof LengthFinishReasonError || error instanceof ContentFilterFinishReasonError)) throw error;
      answer = said(runner.currentChatCompletionSnapshot);
    }
    assert.equal(answer.text, seen, 'the answer and its events');
    return answer;
  }

  async open(model, messages) {
    const stream = await this.client.chat.completions.create({ model, messages, stream: true });
    const pieces = async function* () {
      for await (const chunk of stream) {
        for (const { delta } of chunk.choices) if (delta.content) yield delta.content;
      }
    };
    return { pieces: pieces(), close: () => stream.controller.abort() };
  }

  checkBroken(error) {
    assert.ok(error.constructor === APIError && error.message, `${error?.stack}`);
  }

  retryAfter(error) {
    return Number(error.headers.get('retry-after'));
  }
}

const toFunction = ({ name, description, schema }) => ({
  type: 'function',
  function: { name, description, parameters: schema },
});

function said(answer) {
  const [{ message, finish_reason }] = answer.choices;
  const { parsed, ...turn } = message;
  const { prompt_tokens, completion_tokens, total_tokens } = answer.usage;
  assert.equal(total_tokens, prompt_tokens + completion_tokens);
  const calls = (message.tool_calls ?? []).map((call) => ({
    id: call.id,
    name: call.function.name,
    args: JSON.parse(call.function.arguments),
  }));
  return {
    text: message.content ?? '',
    calls,
    stop: STOPS[finish_reason],
    usage: [prompt_tokens, completion_tokens],
    thought: message.reasoning_content ?? '',
    turn: [turn],
  };
}
