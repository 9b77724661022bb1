//! Files as the other systems write them, by our own hand. The keys are nobody's.

pub(super) const LITELLM: &str = "\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
      api_key: os.environ/OPENAI_API_KEY
      rpm: 500
      tpm: 90000
    model_info:
      mode: chat
      max_input_tokens: 128000
      supports_vision: true
      input_cost_per_token: 0.0000025
      output_cost_per_token: 1e-05
  - model_name: gpt-4o
    litellm_params:
      model: azure/my-gpt-4o
      api_base: https://contoso.openai.azure.com/
      api_key: az-1a2b3c
      api_version: '2024-10-21'
      rpm: 100
  - model_name: claude
    litellm_params:
      model: anthropic/claude-sonnet-5
      temperature: 0.2
  - model_name: llama-3.3-70b-versatile
    litellm_params: {model: groq/llama-3.3-70b-versatile, api_key: os.environ/GROQ_ONE}
  - model_name: llama-3.3-70b-versatile
    litellm_params: {model: groq/llama-3.3-70b-versatile, api_key: os.environ/GROQ_TWO}
  - model_name: local
    litellm_params:
      model: ollama_chat/llama3.2
      api_base: http://localhost:11434
  - model_name: house
    litellm_params:
      model: openai/house-model
      api_base: https://llm.example.net/v1
      api_key: house$key
  - model_name: embed
    litellm_params: {model: openai/text-embedding-3-small, api_key: os.environ/OPENAI_API_KEY}
    model_info: {mode: embedding}
  - model_name: picture
    litellm_params: {model: openai/dall-e-3}
    model_info: {mode: image_generation}
  - model_name: aws
    litellm_params: {model: bedrock/anthropic.claude-3}
  - model_name: vague
    litellm_params: {model: nobody-knows/it}
  - model_name: openrouter/*
    litellm_params: {model: openrouter/*, api_key: os.environ/OPENROUTER_API_KEY}
router_settings:
  routing_strategy: simple-shuffle
  num_retries: 2
  cooldown_time: 60
  model_group_alias: {gpt-4: gpt-4o, fast: llama-3.3-70b-versatile, lost: nowhere}
  fallbacks:
    - gpt-4o: [claude]
    - claude: [gpt-4o, local]
    - ghost: [claude]
litellm_settings:
  drop_params: true
  success_callback: [langfuse]
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
  database_url: postgresql://user:secret-db@db/litellm
guardrails: []
";

pub(super) const CLIPROXYAPI: &str = "\
host: ''
port: 8317
auth-dir: ~/.cli-proxy-api
api-keys: [client-key-one, client-key-two]
proxy-url: socks5://127.0.0.1:1080
routing:
  strategy: fill-first
  session-affinity: true
gemini-api-key:
  - api-key: AIzaSyFIXTURE01
    proxy-url: direct
  - api-key: AIzaSyFIXTURE02
    prefix: second
    excluded-models: [gemini-2.5-pro]
claude-api-key:
  - api-key: sk-ant-fixture
  - api-key: sk-relay-fixture
    base-url: https://relay.example.net
    models:
      - {name: claude-sonnet-5, alias: sonnet}
codex-api-key:
  - api-key: sk-codex-fixture
    base-url: https://codex.example.net/v1
    headers: {X-Team: one}
    models: [{name: gpt-5-codex, alias: ''}]
openai-compatibility:
  - name: openrouter
    base-url: https://openrouter.ai/api/v1
    api-key-entries:
      - api-key: sk-or-one
      - {api-key: sk-or-two, proxy-url: 'http://proxy.example.net:3128'}
    models:
      - {name: 'moonshotai/kimi-k2:free', alias: kimi-k2, max-context-length: 131072}
  - name: house
    base-url: https://llm.example.net/v1
    api-key-entries: [{api-key: house-key}]
    models:
      - {name: deepseek-v3.1, alias: pool}
      - {name: glm-5, alias: pool}
  - name: off
    disabled: true
    base-url: https://off.example.net/v1
vertex-api-key: [{api-key: vk-1}]
payload: {default: []}
";

pub(super) const CLIPROXYAPI_LOGIN: &str = r#"{
  "type": "codex", "email": "me@example.net", "access_token": "at-SECRET", "refresh_token": "rt-SECRET",
  "account_id": "acc", "expired": "2027-01-01T00:00:00Z"
}"#;

pub(super) const NINEROUTER: &str = r#"{
  "settings": {"fallbackStrategy": "round-robin", "comboStrategies": {"spread": {"fallbackStrategy": "round-robin"}},
               "outboundProxyEnabled": true, "outboundProxyUrl": "http://proxy.example.net:3128"},
  "providerConnections": [
    {"id": "c1", "provider": "groq", "authType": "apikey", "name": "Work", "apiKey": "gsk_fixture1", "priority": 1, "isActive": true},
    {"id": "c2", "provider": "groq", "authType": "apikey", "name": "me@example.net", "apiKey": "gsk_fixture2", "priority": 2,
     "providerSpecificData": {"connectionProxyEnabled": true, "connectionProxyUrl": "socks5://127.0.0.1:1080"}},
    {"id": "c3", "provider": "claude", "authType": "oauth", "email": "me@example.net", "accessToken": "at-SECRET", "refreshToken": "rt-SECRET"},
    {"id": "c4", "provider": "openai-compatible-chat-0b1c", "authType": "apikey", "name": "House", "apiKey": "house-1"},
    {"id": "c5", "provider": "openai-compatible-chat-0b1c", "authType": "apikey", "name": "House two", "apiKey": "house-2"},
    {"id": "c6", "provider": "glm", "authType": "apikey", "name": "GLM", "apiKey": "glm-fixture", "isActive": false},
    {"id": "c7", "provider": "nobody", "authType": "apikey", "name": "?", "apiKey": "x"},
    {"id": "c8", "provider": "minimax", "authType": "oauth", "accessToken": "at-SECRET"}
  ],
  "providerNodes": [
    {"id": "openai-compatible-chat-0b1c", "type": "openai-compatible", "apiType": "chat", "name": "House", "prefix": "house",
     "baseUrl": "https://llm.example.net/v1"}
  ],
  "apiKeys": [{"id": "k1", "name": "laptop", "key": "sk-client-SECRET", "isActive": true}],
  "combos": [
    {"id": "b1", "name": "cheap", "models": ["cc/claude-sonnet-5", "groq/llama-3.3-70b-versatile", "house/big"]},
    {"id": "b2", "name": "spread", "models": ["groq/llama-3.3-70b-versatile", "combo/cheap"]},
    {"id": "b3", "name": "nothing", "models": ["cx/gpt-5-codex"]}
  ],
  "modelAliases": {"quick": "groq/llama-3.1-8b-instant", "gone": "glm/glm-5"},
  "pricing": {"groq": {"llama-3.3-70b-versatile": {"input": 0.59, "output": 0.79, "cached": 0.3}}, "cc": {"x": {"input": 1, "output": 2}}},
  "customModels": [{"providerAlias": "house", "id": "big", "type": "llm"}],
  "disabledModels": {}
}"#;

pub(super) const OMNIROUTE: &str = r#"{
  "_meta": {"version": "omniroute-v3-legacy-export", "exportedAt": "2026-11-01T00:00:00.000Z"},
  "settings": {},
  "providerConnections": [
    {"id": "o1", "provider": "mistral", "authType": "apikey", "name": "mistral", "apiKey": "ms-fixture", "isActive": 1},
    {"id": "o2", "provider": "deepseek", "authType": "apikey", "name": "DS", "apiKey": "ds-fixture"}
  ],
  "providerNodes": [],
  "combos": [
    {"id": "x", "name": "share", "strategy": "weighted", "models": [
      {"kind": "model", "model": "mistral/mistral-large-latest", "weight": 70},
      {"kind": "model", "model": "deepseek-chat", "providerId": "ds", "connectionId": "o2", "weight": 30}]},
    {"id": "y", "name": "outer", "strategy": "sideways", "models": [{"kind": "combo-ref", "comboName": "share", "weight": 0}]}
  ],
  "apiKeys": []
}"#;

pub(super) const FREEROUTER: &str = r#"[
  {"route_id": "groq-compound", "provider_name": "groq", "model_id": "groq/compound", "display_name": "Compound", "rank": 2,
   "enabled": true, "context_window": 131072, "cost": "free-tier", "tags": ["text", "tool-use", "web-search"], "notes": "d\u00e9j\u00e0 \ud83d\ude00"},
  {"route_id": "groq-llama", "provider_name": "groq", "model_id": "llama-3.3-70b-versatile", "rank": 5, "enabled": true,
   "context_window": 131072, "cost": "free-tier", "tags": ["text"]},
  {"route_id": "gemini-flash", "provider_name": "gemini", "model_id": "gemini-2.5-flash", "rank": 1, "context_window": 1000000,
   "tags": ["text", "vision"]},
  {"route_id": "nvidia-off", "provider_name": "nvidia", "model_id": "meta/llama", "rank": 9, "enabled": false, "tags": []},
  {"route_id": "lost", "provider_name": "nobody", "model_id": "x", "rank": 10, "tags": []}
]"#;

pub(super) const FREEROUTER_ENV: &str = "\
CEREBRAS_API_KEY=csk-fixture
GROQ_API_KEY='gsk_one,gsk_two'
GEMINI_API_KEY=
GATEWAY_PORT=8000
GATEWAY_MODEL_NAME=auto
MAX_CONCURRENT_REQUESTS=20
";

pub(super) const MULTIVIBE: &str = r#"{
  "accounts": [
    {"id": "a1", "provider": "openai", "email": "me@example.net", "accessToken": "at-SECRET", "refreshToken": "rt-SECRET", "enabled": true},
    {"id": "a2", "provider": "mistral", "accessToken": "ms-fixture", "enabled": true, "priority": 3},
    {"id": "a3", "provider": "openai-compatible", "accessToken": "house", "baseUrl": "https://llm.example.net/v1", "enabled": true,
     "sdkModels": ["big", "small"], "capacityProfile": {"maxConcurrent": 4}},
    {"id": "a4", "provider": "ai-sdk", "sdkProvider": "groq", "accessToken": "gsk_fixture", "enabled": true},
    {"id": "a5", "provider": "zai", "accessToken": "z", "enabled": false}
  ],
  "modelAliases": [
    {"id": "small", "targets": ["gpt-5.1-codex-mini", "devstral-latest", "small"], "enabled": true, "description": "costs $5"},
    {"schemaVersion": 2, "id": "smart", "enabled": true, "rules": [
      {"id": "r1", "match": {"priorities": ["batch"]}, "candidates": [{"model": "llama-3.3-70b-versatile", "accountIds": ["a4"]},
       {"model": "mistral-large-latest", "provider": "mistral"}]}]},
    {"id": "off", "targets": ["big"], "enabled": false},
    {"id": "nothing", "targets": ["gpt-5.3-codex"], "enabled": true}
  ],
  "proxyApiKeys": [{"id": "p1", "application": "editor", "key": "mv-SECRET", "createdAt": 1}],
  "settings": {}
}"#;

pub(super) const MULTIROUTER: &str = "\
routing:
  default_strategy: round-robin
  retry_after_seconds: 120
providers:
  - id: groq-1
    type: groq
    api_key: ${GROQ_ONE}
    models: [llama-3.3-70b-versatile]
    priority: 1
  - id: at-home
    type: openai-compatible
    base_url: http://localhost:11434/v1
    api_key: ollama
    models:
      - llama3.2
  - id: at-home
    type: groq
    api_key: twice
  - {id: wrong, type: grok-cloud, api_key: x, models: [y]}
extra: 1
";

pub(super) const DOTENV: &str = "\
# keys
export GROQ_API_KEY=gsk_fixture
GROQ_API_KEY_2='gsk_fixture2'   # the other one
GROQ_API_KEYS=gsk_a1,gsk_a2
OPENAI_API_KEY=sk-fixture
OPENAI_BASE_URL=http://127.0.0.1:20128/v1
ZAI_API_KEY=z1
ANTHROPIC_API_KEY=your-api-key
GITHUB_TOKEN=ghp_fixture
EDITOR=vi
";
