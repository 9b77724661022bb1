// The official TypeScript clients against a hub: each lists and calls every tool, and what comes back is checked against the
// tool's own schema.
//
//   node clients.mjs CLIENT TRANSPORT    with E2E_MCP: {url, key, trivium, env, calls}

import assert from "node:assert/strict";
import { Client as Client2, SSEClientTransport as Sse2, StreamableHTTPClientTransport as Http2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as Stdio2 } from "@modelcontextprotocol/client/stdio";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport as Sse1 } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport as Stdio1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as Http1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const { url, key, trivium, env, calls } = JSON.parse(process.env.E2E_MCP);
const ME = { name: "trivium-e2e", version: "1.0.0" };

const CLIENTS = {
  v1: () => ({ client: new Client1(ME), Http: Http1, Sse: Sse1, Stdio: Stdio1 }),
  v2: () => ({ client: new Client2(ME), Http: Http2, Sse: Sse2, Stdio: Stdio2 }),
  "v2-auto": () => ({
    client: new Client2(ME, { versionNegotiation: { mode: "auto" } }),
    Http: Http2,
    Sse: Sse2,
    Stdio: Stdio2,
  }),
};

const headers = { authorization: `Bearer ${key}` };

const TRANSPORTS = {
  http: ({ Http }) => new Http(new URL(`${url}/mcp`), { requestInit: { headers } }),
  sse: ({ Sse }) => {
    const opened = (address, init) => fetch(address, { ...init, headers: { ...Object.fromEntries(new Headers(init?.headers)), ...headers } });
    return new Sse(new URL(`${url}/api/mcp/sse`), { eventSourceInit: { fetch: opened }, requestInit: { headers } });
  },
  stdio: ({ Stdio }) => new Stdio({ command: trivium, args: ["--mcp", "--scopes", "*", "--profile", "full"], env, stderr: "inherit" }),
};

async function everyTool(client) {
  const tools = [];
  let cursor;
  do {
    const page = await client.listTools(cursor ? { cursor } : undefined);
    tools.push(...page.tools);
    cursor = page.nextCursor;
  } while (cursor);
  return new Map(tools.map((tool) => [tool.name, tool]));
}

function textOf(result) {
  return result.content.map((block) => block.text ?? "").join("");
}

// What is wrong with a call's result, if anything.
function complaint(ajv, tool, call, result) {
  if (call.refused) return result.isError && textOf(result) ? null : "it should have been refused";
  if (result.isError) return textOf(result);
  const check = ajv.compile(tool.outputSchema);
  if (!check(result.structuredContent)) return ajv.errorsText(check.errors);
  // Clients that do not know structured results read the same as text.
  assert.deepEqual(JSON.parse(textOf(result)), result.structuredContent, tool.name);
  return null;
}

// What prompts are filled in with.
const ARGUMENTS = { model: "plain", period: "week", client: "claude-code" };

// Reads every resource that is listed and fills in every prompt; what is wrong with them.
async function besideTools(client) {
  const failed = [];
  const { resources } = await client.listResources();
  const { prompts } = await client.listPrompts();
  if (!resources.length || !prompts.length) failed.push("there are no resources or no prompts");
  for (const { uri } of resources) {
    const { contents } = await client.readResource({ uri });
    if (!contents.every((one) => one.uri === uri && JSON.parse(one.text))) failed.push(`${uri}: ${JSON.stringify(contents)}`);
  }
  for (const { name, arguments: wanted } of prompts) {
    const args = Object.fromEntries((wanted ?? []).map((one) => [one.name, ARGUMENTS[one.name]]));
    const { messages } = await client.getPrompt({ name, arguments: args });
    if (!messages.length) failed.push(`${name}: no messages`);
  }
  return failed;
}

async function main([clientName, transportName]) {
  const made = CLIENTS[clientName]();
  await made.client.connect(TRANSPORTS[transportName](made));
  const tools = await everyTool(made.client);
  assert.deepEqual([...tools.keys()].sort(), calls.map((call) => call.tool).sort(), "the tools are the operations");
  const ajv = addFormats(new Ajv({ strict: true, allowUnionTypes: true, strictRequired: false, allErrors: true }));
  const failed = [];
  for (const call of calls) {
    const tool = tools.get(call.tool);
    const args = { ...call.arguments };
    if (tool.inputSchema.properties?.confirm) {
      const warned = await made.client.callTool({ name: call.tool, arguments: args });
      if (!warned.isError) failed.push(`${call.tool}: it did not ask first`);
      args.confirm = true;
    }
    try {
      const wrong = complaint(ajv, tool, call, await made.client.callTool({ name: call.tool, arguments: args }));
      if (wrong) failed.push(`${call.tool}: ${wrong}`);
    } catch (error) {
      failed.push(`${call.tool}: ${error}`);
    }
  }
  failed.push(...(await besideTools(made.client)));
  await made.client.close();
  if (failed.length) throw new Error(failed.join("\n"));
  console.log(`${calls.length} tools`);
}

await main(process.argv.slice(2));
