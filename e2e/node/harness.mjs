// What the suites share: the tests' register, checks, and the simulator's log.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export const context = JSON.parse(process.env.E2E_CONTEXT);
export const HUB = context.mode === 'hub';
export const DIALECTS = Object.keys(context.dialects);
const tests = [];

/** A test for both modes, or for `hub` or `simulator` alone. */
export function test(name, where, run) {
  if ((where === 'both' || where === context.mode) && name.includes(context.match)) tests.push({ name, run });
}

/** The error that a promise ends with; it must be of exactly this class. */
export async function raises(kind, promise) {
  let result;
  try {
    result = await promise;
  } catch (error) {
    if (error.constructor !== kind) {
      throw new Error(`expected ${kind.name}, saw ${error.constructor.name}: ${error.message}`, { cause: error });
    }
    return error;
  }
  throw new Error(`expected ${kind.name}, but it returned ${JSON.stringify(result)}`);
}

/** Waits for something that happens behind the client's back. */
export async function soon(what, probe, milliseconds = 2000) {
  const deadline = Date.now() + milliseconds;
  while (!(await probe())) {
    if (Date.now() > deadline) throw new Error(`not within ${milliseconds} ms: ${what}`);
    await sleep(20);
  }
}

/** All that a stream gives. */
export async function collect(stream) {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** All requests that the simulator saw, oldest first. */
export async function simulatorLog() {
  const response = await fetch(`${context.simulator}/__log`, { signal: AbortSignal.timeout(5000) });
  return response.json();
}

/** The requests whose bodies contain `marker`. */
export const seenWith = async (marker) => (await simulatorLog()).filter((entry) => entry.body.includes(marker));

/** The command line, on the running hub's data; what it printed. */
export const trivium = (...args) =>
  execFileSync(context.trivium, args, {
    env: { ...process.env, DATA_DIR: context.data_dir, TRIVIUM_CONFIG: context.config },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
  }).trim();

/** Runs the tests in order, and ends the process. */
export async function run() {
  let passed = 0;
  let failed = 0;
  for (const { name, run: one } of tests) {
    const began = performance.now();
    try {
      await one();
      passed += 1;
      console.log(`ok   ${name} (${Math.round(performance.now() - began)} ms)`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name}\n${error?.stack ?? error}\n`);
    }
  }
  writeFileSync(context.result, JSON.stringify({ passed, failed }));
  process.exit(failed ? 1 : 0);
}
