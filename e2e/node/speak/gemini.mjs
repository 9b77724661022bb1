// Google's client.

import assert from 'node:assert/strict';
import { ApiError, GoogleGenAI, ThinkingLevel } from '@google/genai';

import { IMAGE } from './common.mjs';

const STOPS = { STOP: 'stop', MAX_TOKENS: 'length', SAFETY: 'refusal', PROHIBITED_CONTENT: 'refusal' };

export class Gemini {
  static dialect = 'gemini';
  wrongKey = ApiError;
  unknownModel = ApiError;
  badRequest = ApiError;
  rateLimit = ApiError;
  serverError = ApiError;
  spoiled = { temperature: 9 };

  constructor(baseUrl, apiKey) {
    this.client = new GoogleGenAI({ apiKey, httpOptions: { baseUrl, timeout: 10_000 } });
  }

  user(text, image = false) {
    const picture = { inlineData: { data: IMAGE, mimeType: 'image/png' } };
    return [{ role: 'user', parts: image ? [{ text }, picture] : [{ text }] }];
  }

  results(pairs) {
    const parts = pairs.map(([{ id, name }, result]) => ({ functionResponse: { id, name, response: { result } } }));
    return [{ role: 'user', parts }];
  }

  request(model, contents, { system, tools, thinking, maxTokens, schema, ...more } = {}) {
    const config = {
      ...(system && { systemInstruction: system }),
      ...(tools && { tools: [{ functionDeclarations: tools.map(toFunction) }] }),
      ...(thinking && { thinkingConfig: { includeThoughts: true, thinkingLevel: ThinkingLevel.LOW } }),
      ...(maxTokens && { maxOutputTokens: maxTokens }),
      ...(schema && { responseMimeType: 'application/json', responseJsonSchema: schema }),
      ...more,
    };
    return { model, contents, config };
  }

  async ask(model, history, { stream, ...more } = {}) {
    const request = this.request(model, history, more);
    if (!stream) return said([await this.client.models.generateContent(request)]);
    const chunks = [];
    for await (const chunk of await this.client.models.generateContentStream(request)) chunks.push(chunk);
    return said(chunks);
  }

  async open(model, contents) {
    const control = new AbortController();
    const config = { abortSignal: control.signal };
    const stream = await this.client.models.generateContentStream({ model, contents, config });
    const pieces = async function* () {
      for await (const chunk of stream) if (chunk.text) yield chunk.text;
    };
    return { pieces: pieces(), close: () => control.abort() };
  }

  checkBroken(error) {
    assert.ok(error instanceof ApiError && error.message, `${error?.stack}`);
  }

  retryAfter(error) {
    // This client keeps the body alone.
    const details = JSON.parse(error.message).error.details ?? [];
    const told = details.find((detail) => detail.retryDelay)?.retryDelay;
    return told === undefined ? undefined : Number.parseFloat(told);
  }
}

const toFunction = ({ name, description, schema }) => ({ name, description, parametersJsonSchema: schema });

function said(chunks) {
  const contents = chunks.map((chunk) => chunk.candidates?.[0].content).filter((content) => content?.parts?.length);
  const parts = contents.flatMap((content) => content.parts);
  const reasons = chunks.map((chunk) => chunk.candidates?.[0].finishReason).filter(Boolean);
  assert.equal(reasons.length, 1, `reasons to stop: ${reasons}`);
  const calls = parts.filter((part) => part.functionCall).map(({ functionCall: { id, name, args } }) => ({ id, name, args }));
  const { promptTokenCount, candidatesTokenCount, thoughtsTokenCount = 0, totalTokenCount } = chunks.at(-1).usageMetadata;
  assert.equal(totalTokenCount, promptTokenCount + candidatesTokenCount + thoughtsTokenCount);
  const texts = (thought) => parts.filter((part) => part.text && Boolean(part.thought) === thought).map((part) => part.text);
  return {
    text: texts(false).join(''),
    calls,
    stop: calls.length ? 'tools' : STOPS[reasons[0]],
    usage: [promptTokenCount, candidatesTokenCount + thoughtsTokenCount],
    thought: texts(true).join(''),
    turn: contents,
  };
}
