// What the clients' modules share. Each has a class with the same methods, so that one table of tests fits them all:
// `user`, `results` and `ask` make and answer a history, `open` gives the pieces of a stream. An answer is
// {text, calls: [{id, name, args}], stop, usage: [input, output], thought, turn}; `turn` is what goes into the history.

// A red dot, 1 by 1.
export const IMAGE =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

/** A tool as the clients' `ask` takes it; it asks for a city. */
export const tool = (name, what) => ({
  name,
  description: `The ${what} in a city`,
  schema: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
});
