// Every client against every provider dialect. The same table as ../python/talk.py; speak/ says how each client does it.
// Directly against the simulator each client meets the dialect that it was made for.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import { context, DIALECTS, HUB, run, seenWith, simulatorLog, soon, test } from './harness.mjs';
import { Chat } from './speak/chat.mjs';
import { IMAGE, tool } from './speak/common.mjs';
import { Gemini } from './speak/gemini.mjs';
import { Messages } from './speak/messages.mjs';
import { Responses } from './speak/responses.mjs';

const WORDS = 'one two three four five six';
const TOOLS = [tool('get_weather', 'weather'), tool('get_time', 'time')];
const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' }, degrees: { type: 'integer' } },
  required: ['city', 'degrees'],
  additionalProperties: false,
};

/** A client and a provider. */
class Meeting {
  constructor(kind, provider, stream = false) {
    Object.assign(this, { kind, provider, stream });
  }

  /** The client with a good key: the hub's, or the connection's own. */
  speaker(connection = `on-${this.provider}`) {
    return new this.kind(context.origin, context.key ?? context.connections[connection].key);
  }

  model(provider = this.provider, connection = `on-${provider}`) {
    const { model } = context.dialects[provider];
    return HUB ? `${connection}/${model}` : model;
  }

  ask(text, more = {}) {
    const speaker = this.speaker();
    return speaker.ask(this.model(), speaker.user(text), { stream: this.stream, ...more });
  }

  /** The client and the model of a connection for this pair alone. */
  trouble(name) {
    const connection = `${name}-${this.kind.dialect}-${this.provider}`;
    const { key } = context.connections[connection];
    return { speaker: this.speaker(connection), model: this.model(this.provider, connection), key };
  }
}

/** A text that no other test sends. */
const marked = () => `marker${randomUUID().replaceAll('-', '')}`;

/** The error that an action ends with. */
async function fails(kind, status, action) {
  let result;
  try {
    result = await action();
  } catch (error) {
    assert.ok(error instanceof kind, `expected ${kind.name}, saw ${error.stack}`);
    assert.ok(status.includes(error.status), `expected ${status}, saw ${error.status}: ${error.message}`);
    return error;
  }
  throw new Error(`expected ${kind.name}, but it returned ${JSON.stringify(result)}`);
}

// Conversations

const TALKS = {
  async 'plain text'(meet) {
    const answer = await meet.ask(`echo: ${WORDS}`);
    assert.deepEqual([answer.text, answer.calls, answer.stop], [WORDS, [], 'stop']);
    assert.equal(answer.usage[1], 6);
    assert.ok(answer.usage[0] > 0);
  },

  async 'system prompt and turns'(meet) {
    const [speaker, system, word] = [meet.speaker(), marked(), marked()];
    let history = speaker.user(`echo: I remember ${word}`);
    const more = { stream: meet.stream, system };
    let answer = await speaker.ask(meet.model(), history, more);
    history = [...history, ...answer.turn, ...speaker.user('echo: again')];
    answer = await speaker.ask(meet.model(), history, more);
    assert.equal(answer.text, 'again');
    const [first, second] = await seenWith(system);
    const times = (entry) => entry.body.split(word).length - 1;
    assert.deepEqual([times(first), times(second)], [1, 2], 'how often the provider read of it');
  },

  async 'one tool'(meet) {
    const speaker = meet.speaker();
    const more = { stream: meet.stream, tools: TOOLS };
    let history = speaker.user('What is the weather like?');
    let answer = await speaker.ask(meet.model(), history, more);
    assert.deepEqual([answer.calls.length, answer.calls[0].name, answer.stop], [1, 'get_weather', 'tools']);
    assert.deepEqual(Object.keys(answer.calls[0].args), ['city']);
    history = [...history, ...answer.turn, ...speaker.results([[answer.calls[0], 'sunny, 23 degrees']])];
    answer = await speaker.ask(meet.model(), history, more);
    assert.ok(answer.text.includes('sunny, 23 degrees') && answer.stop === 'stop', answer.text);
  },

  async 'two tools at once'(meet) {
    const speaker = meet.speaker();
    const more = { stream: meet.stream, tools: TOOLS };
    let history = speaker.user('Use both in parallel.');
    let answer = await speaker.ask(meet.model(), history, more);
    assert.deepEqual(
      answer.calls.map((call) => [call.name, ...Object.keys(call.args)]),
      [
        ['get_weather', 'city'],
        ['get_time', 'city'],
      ],
    );
    const results = answer.calls.map((call, place) => [call, ['sunny', 'half past nine'][place]]);
    history = [...history, ...answer.turn, ...speaker.results(results)];
    answer = await speaker.ask(meet.model(), history, more);
    assert.ok(answer.text.includes('half past nine'), answer.text);
  },

  async 'structured output'(meet) {
    const answer = JSON.parse((await meet.ask('Where is it how warm?', { schema: SCHEMA })).text);
    assert.deepEqual([typeof answer.city, typeof answer.degrees], ['string', 'number']);
  },

  thinking: (meet) => continued(meet, meet.provider),

  async image(meet) {
    const [speaker, word] = [meet.speaker(), marked()];
    const answer = await speaker.ask(meet.model(), speaker.user(`echo: ${word}`, true), { stream: meet.stream });
    assert.equal(answer.text, word);
    const [entry] = await seenWith(word);
    assert.ok(entry.body.includes(IMAGE), `the provider did not see the image: ${entry.body.slice(0, 300)}`);
  },

  async 'max tokens'(meet) {
    const words = Array.from({ length: 40 }, (_, number) => `w${number}`).join(' ');
    // The fewest that Responses takes.
    const answer = await meet.ask(`echo: ${words}`, { maxTokens: 16 });
    assert.deepEqual([answer.stop, answer.text.split(' ').length, answer.usage[1]], ['length', 16, 16]);
  },
};

/** Whether thoughts stay unsaid: chat has no words to ask Responses for a summary. */
const silent = (meet, provider) => meet.kind === Chat && provider === 'responses';

/** Thinks and calls a tool at the meeting's provider, and goes on at `second` with all that came back. */
async function continued(meet, second) {
  const speaker = meet.speaker();
  const more = { stream: meet.stream, tools: TOOLS, thinking: true };
  let history = speaker.user('What is the weather like?');
  let answer = await speaker.ask(meet.model(), history, more);
  assert.ok(answer.thought || silent(meet, meet.provider), 'no thoughts');
  history = [...history, ...answer.turn, ...speaker.results([[answer.calls[0], 'sunny, 23 degrees']])];
  answer = await speaker.ask(meet.model(second), history, more);
  assert.ok(answer.text.includes('sunny, 23 degrees'), answer.text);
  history = [...history, ...answer.turn, ...speaker.user(`echo: ${WORDS}`)];
  answer = await speaker.ask(meet.model(), history, more);
  assert.equal(answer.text, WORDS);
  assert.ok(answer.thought || silent(meet, meet.provider), 'no thoughts in the end');
}

// Once per pair

const PAIRS = {
  async 'usage is the same streamed'(meet) {
    for (const [text, more] of [
      [`echo: ${WORDS}`, {}],
      ['What is the weather like?', { tools: TOOLS }],
    ]) {
      const whole = await meet.ask(text, more);
      const streamed = await meet.ask(text, { ...more, stream: true });
      assert.deepEqual(streamed.usage, whole.usage, text);
    }
  },

  async dry(meet) {
    const { speaker, model } = meet.trouble('dry');
    const error = await fails(speaker.rateLimit, [429], () => speaker.ask(model, speaker.user('hello')));
    const wait = speaker.retryAfter(error);
    assert.ok(HUB ? wait >= 1 && wait <= 20 : wait === 20, `retry-after: ${wait}`);
  },

  async refused(meet) {
    const { speaker, model } = meet.trouble('refused');
    await fails(speaker.badRequest, [400], () => speaker.ask(model, speaker.user('hello')));
  },

  async down(meet) {
    const { speaker, model } = meet.trouble('down');
    await fails(speaker.serverError, [500, 502, 503], () => speaker.ask(model, speaker.user('hello')));
  },

  async 'breaks late'(meet) {
    const { speaker, model } = meet.trouble('late');
    const seen = [];
    let error;
    try {
      const { pieces } = await speaker.open(model, speaker.user(`echo: ${WORDS}`));
      for await (const piece of pieces) seen.push(piece);
    } catch (thrown) {
      error = thrown;
    }
    assert.ok(error, `the stream ended as if it were whole: ${seen}`);
    assert.equal(seen.join(''), 'one two three');
    speaker.checkBroken(error);
  },

  async 'left alone'(meet) {
    const { speaker, model, key } = meet.trouble('stall');
    const { pieces, close } = await speaker.open(model, speaker.user(`echo: ${WORDS}`));
    const seen = [];
    while (seen.length < 3) seen.push((await pieces.next()).value);
    assert.deepEqual(seen, ['one', ' two', ' three']);
    const outcomes = async () => (await simulatorLog()).filter((entry) => entry.key === key).map((entry) => entry.outcome);
    assert.deepEqual(await outcomes(), ['running']);
    close();
    await soon('the provider sees it', async () => `${await outcomes()}` === 'client_left');
  },
};

// Once per client

const CLIENTS = {
  async 'wrong key'(meet) {
    const speaker = new meet.kind(context.origin, HUB ? 'tvm_nonsense' : 'sim-nonsense');
    // Google says 400 to a key that is none.
    const status = meet.kind === Gemini && !HUB ? 400 : 401;
    await fails(speaker.wrongKey, [status], () => speaker.ask(meet.model(), speaker.user('hello')));
  },

  async 'unknown model'(meet) {
    const speaker = meet.speaker();
    await fails(speaker.unknownModel, [404], () => speaker.ask('nobody-has-this', speaker.user('hello')));
  },

  async 'bad request'(meet) {
    const speaker = meet.speaker();
    await fails(speaker.badRequest, [400], () => speaker.ask(meet.model(), speaker.user('hello'), speaker.spoiled));
  },
};

// The table

for (const kind of [Chat, Responses, Messages, Gemini]) {
  const name = kind.dialect;
  for (const provider of HUB ? DIALECTS : [name]) {
    for (const stream of [false, true]) {
      for (const [what, talk] of Object.entries(TALKS)) {
        const meet = new Meeting(kind, provider, stream);
        test(`${name} to ${provider}, ${what}${stream ? ', streamed' : ''}`, 'both', () => talk(meet));
      }
    }
    for (const [what, talk] of Object.entries(PAIRS)) {
      test(`${name} to ${provider}, ${what}`, 'both', () => talk(new Meeting(kind, provider)));
    }
    for (const second of DIALECTS.filter((other) => other !== provider)) {
      test(`${name} from ${provider} to ${second}, streamed`, 'hub', () => continued(new Meeting(kind, provider, true), second));
    }
  }
  for (const [what, talk] of Object.entries(CLIENTS)) test(`${name}, ${what}`, 'both', () => talk(new Meeting(kind, name)));
}

await run();
