// A real OpenID provider, a model server that takes its tokens alone, and the hub between: logged in to by authorization
// code with PKCE, by device code and by client credentials; a request passes with each; tokens renew themselves. And its
// people manage the hub, if they are among those who may.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Provider } from "oidc-provider";
import { Browser } from "./browser.mjs";

const KEY = "e2e-operator-key";
// Long enough for the hub to send a token, short enough to see two renewals.
const LIVES = 14;
const HUB_SECRET = "the hub's: with+signs & more";

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

async function listening(handler) {
  const server = createServer(handler);
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { server, at: `http://127.0.0.1:${server.address().port}` };
}

async function freePort() {
  const { server, at } = await listening(() => {});
  await new Promise((done) => server.close(done));
  return new URL(at).port;
}

function provider(issuer, callback, admins) {
  const code = { token_endpoint_auth_method: "none", application_type: "native", response_types: ["code"] };
  const made = new Provider(issuer, {
    clients: [
      { client_id: "browser", redirect_uris: [callback], grant_types: ["authorization_code", "refresh_token"], ...code },
      { client_id: "hub", client_secret: HUB_SECRET, redirect_uris: [admins], grant_types: ["authorization_code"] },
      {
        client_id: "device",
        ...code,
        redirect_uris: [],
        response_types: [],
        grant_types: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
      },
      {
        client_id: "machine",
        client_secret: "a secret: with+signs",
        redirect_uris: [],
        response_types: [],
        grant_types: ["client_credentials"],
      },
    ],
    features: { clientCredentials: { enabled: true }, deviceFlow: { enabled: true }, devInteractions: { enabled: true } },
    claims: { openid: ["sub"], email: ["email", "email_verified"] },
    conformIdTokenClaims: false,
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: true }) }),
    rotateRefreshToken: true,
    ttl: { AccessToken: LIVES, ClientCredentials: LIVES },
  });
  made.counts = {};
  made.on("grant.success", (ctx) => {
    const kind = ctx.oidc.params.grant_type;
    made.counts[kind] = (made.counts[kind] ?? 0) + 1;
  });
  return made;
}

// A model server: whoever brings a token that lives is answered, and told which it was.
function models(oidc, used) {
  return async (request, response) => {
    const token = request.headers.authorization?.replace(/^Bearer /, "") ?? "";
    const known = (await oidc.AccessToken.find(token)) ?? (await oidc.ClientCredentials.find(token));
    response.setHeader("content-type", "application/json");
    if (!known?.isValid) {
      response.statusCode = 401;
      return response.end(JSON.stringify({ error: { message: "no such token", type: "invalid_request_error" } }));
    }
    used.push(token);
    response.end(
      JSON.stringify({
        id: "c1",
        object: "chat.completion",
        created: 1,
        model: "m",
        choices: [{ index: 0, message: { role: "assistant", content: "hello" }, finish_reason: "stop" }],
        usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
      }),
    );
  };
}

function configuration(issuer, upstream, hub) {
  const entry = (id, oauth) => `  - id: ${id}
    type: openai-compatible
    base_url: ${upstream}/v1
    models: [${id}-model]
    oauth:
      client_id: ${id}
      token_url: ${issuer}/token
      issuer: ${issuer}
      jwks_url: ${issuer}/jwks
${oauth}`;
  return `server:
  public_url: ${hub}
auth:
  oidc_issuer: ${issuer}
  oidc_client_id: hub
  oidc_client_secret: "${HUB_SECRET}"
  oidc_allowed_emails: [ann@example.com]
providers:
${entry(
  "browser",
  `      authorization_url: ${issuer}/auth
      scopes: [openid, email, offline_access]
      parameters: {prompt: consent}
`,
)}${entry(
    "device",
    `      flow: device
      device_url: ${issuer}/device/auth
      scopes: [openid, email, offline_access]
      parameters: {prompt: consent}
`,
  )}${entry(
    "machine",
    `      flow: client-credentials
      client_secret: "a secret: with+signs"
`,
  )}`;
}

const folder = await mkdtemp(join(tmpdir(), "trivium-oauth-"));
const port = await freePort();
const hub = `http://127.0.0.1:${port}`;
const used = [];
let oidc;
const upstream = await listening((request, response) => models(oidc, used)(request, response));
const issuer = await listening((request, response) => oidc.callback()(request, response));
oidc = provider(issuer.at, `${hub}/auth/callback`, `${hub}/api/session/oidc/callback`);
await writeFile(join(folder, "trivium.yaml"), configuration(issuer.at, upstream.at, hub));

let said = "";
const child = spawn(process.argv[2], [], {
  cwd: folder,
  env: { HOME: folder, DATA_DIR: join(folder, "data"), PORT: port, API_KEY: KEY, LOG_LEVEL: "debug" },
  stdio: ["ignore", "pipe", "pipe"],
});
for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += data));

async function ask(method, path, body) {
  const response = await fetch(`${hub}${path}`, {
    method,
    headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

async function chat(id) {
  const before = used.length;
  const messages = [{ role: "user", content: "hello" }];
  const answer = await ask("POST", "/v1/chat/completions", { model: `${id}-model`, messages });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal(answer.body.choices[0].message.content, "hello");
  assert.equal(used.length, before + 1);
  return used.at(-1);
}

async function until(what, look) {
  const end = Date.now() + 30_000;
  for (;;) {
    const found = await look().catch(() => undefined);
    if (found) return found;
    if (Date.now() > end) throw new Error(`did not happen: ${what}`);
    await wait(100);
  }
}

async function standing(id) {
  const all = (await ask("GET", "/api/oauth/credentials")).body.credentials;
  return all.find((one) => one.connection === id);
}

const answers = { login: "dick", password: "any" };

const tests = {
  "nobody is served before the login": async () => {
    const answer = await ask("POST", "/v1/chat/completions", { model: "browser-model", messages: [] });
    assert.ok(answer.status >= 400 && JSON.stringify(answer.body).includes("needs_login"), JSON.stringify(answer));
  },
  "client credentials": async () => {
    await chat("machine");
  },
  "authorization code with PKCE": async () => {
    const started = (await ask("POST", "/api/oauth/logins", { connection: "browser" })).body;
    const end = await new Browser().go(started.url, answers);
    assert.ok(end.url.startsWith(`${hub}/auth/callback`), end.url);
    assert.match(end.text, /You can close this page/);
    const known = await standing("browser");
    assert.deepEqual([known.state, known.renews, known.email], ["ready", true, "di*****@e****.com"]);
    assert.equal(known.issuer, issuer.at);
    await chat("browser");
  },
  "an address is good once": async () => {
    const started = (await ask("POST", "/api/oauth/logins", { connection: "browser" })).body;
    const back = (url) => url.startsWith(`${hub}/auth/callback`);
    const { url } = await new Browser().go(started.url, answers, back);
    assert.equal((await ask("POST", "/api/oauth/logins/finish", { redirect_url: url })).body.progress, "done");
    assert.equal((await ask("POST", "/api/oauth/logins/finish", { redirect_url: url })).status, 400);
  },
  "device code": async () => {
    const started = (await ask("POST", "/api/oauth/logins", { connection: "device" })).body;
    await new Browser().go(started.verification_url_complete, { ...answers, login: "dora" });
    const path = `/api/oauth/logins/${started.login}`;
    const ended = await until("the login ends", async () => {
      const state = (await ask("GET", path)).body;
      return state.progress !== "pending" && state;
    });
    assert.equal(ended.progress, "done", JSON.stringify(ended));
    assert.equal(ended.credential.email, "do*****@e****.com");
    await chat("device");
  },
  "tokens renew themselves, again and again": async () => {
    const first = await chat("browser");
    const renewed = oidc.counts.refresh_token ?? 0;
    await wait(LIVES * 1000);
    const second = await chat("browser");
    await wait(LIVES * 1000);
    const third = await chat("browser");
    assert.equal(new Set([first, second, third]).size, 3);
    assert.ok(oidc.counts.refresh_token >= renewed + 2, JSON.stringify(oidc.counts));
    for (const id of ["device", "machine"]) await chat(id);
  },
  "a logout ends it": async () => {
    assert.equal((await ask("DELETE", "/api/oauth/credentials/browser")).body.had_tokens, true);
    const answer = await ask("POST", "/v1/chat/completions", { model: "browser-model", messages: [] });
    assert.ok(JSON.stringify(answer.body).includes("needs_login"));
  },
  "an operator logs in at the provider": async () => {
    const browser = new Browser();
    const end = await browser.go(`${hub}/api/session/oidc`, { ...answers, login: "ann" });
    assert.match(end.text, /logged in at the hub as ann@example.com/);
    const who = await (await browser.open(`${hub}/api/session`)).json();
    assert.equal(who.who, "ann@example.com");
    assert.equal((await browser.open(`${hub}/api/keys`)).status, 200);
  },
  "somebody else of the provider's people does not": async () => {
    const browser = new Browser();
    await assert.rejects(browser.go(`${hub}/api/session/oidc`, { ...answers, login: "eve" }), /403 .*eve@example.com. is not among/s);
    assert.equal((await browser.open(`${hub}/api/session`)).status, 401);
    const entries = (await ask("GET", "/api/audit?operation=log_in")).body.entries;
    assert.deepEqual(entries.map((one) => one.outcome), ["denied", "done"]);
  },
  "no token is in the log": async () => {
    for (const token of used) assert.ok(!said.includes(token));
  },
};

let failed = 0;
try {
  await until("the hub is ready", async () => (await fetch(`${hub}/readyz`)).ok);
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test();
      console.log(`ok   ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name}: ${error.stack}`);
    }
  }
} finally {
  child.kill();
  if (failed) console.log(said.split("\n").slice(-30).join("\n"));
  for (const { server } of [upstream, issuer]) {
    server.closeAllConnections();
    server.close();
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
process.exit(failed ? 1 : 0);
