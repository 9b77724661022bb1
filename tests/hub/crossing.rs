//! A conversation with thoughts and tools that goes from one vendor to another in its middle. Clients send back what
//! they got, unchanged; the simulator refuses foreign signatures and unanswered calls as strictly as the vendors do.

use canon::Dialect;
use serde_json::{Value, json};

use super::support::{Answer, TestHub, speech};

/// What a client keeps of a conversation: the messages, items or contents so far.
struct Talk {
    client: Dialect,
    model: &'static str,
    said: Vec<Value>,
}

fn schema() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
}

impl Talk {
    fn new(client: Dialect, model: &'static str) -> Self {
        let mut talk = Self { client, model, said: Vec::new() };
        talk.say("Use the weather tool, in parallel for two cities.");
        talk
    }

    fn say(&mut self, text: &str) {
        self.said.push(match self.client {
            Dialect::Gemini => json!({"role": "user", "parts": [{"text": text}]}),
            _ => json!({"role": "user", "content": text}),
        });
    }

    /// The request that goes on, with thinking on and a tool on offer.
    fn body(&self, model: &str, stream: bool) -> Value {
        let said = &self.said;
        let function = json!({"name": "weather", "description": "The weather", "parameters": schema()});
        match self.client {
            Dialect::Chat => {
                json!({"model": model, "stream": stream, "messages": said, "reasoning_effort": "low",
                "tools": [{"type": "function", "function": function}]})
            }
            Dialect::Responses => json!({"model": model, "stream": stream, "input": said, "store": false,
                "reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"],
                "tools": [{"type": "function", "name": "weather", "parameters": schema(), "strict": false}]}),
            Dialect::Messages => {
                json!({"model": model, "stream": stream, "messages": said, "max_tokens": 9000,
                "thinking": {"type": "enabled", "budget_tokens": 2000},
                "tools": [{"name": "weather", "input_schema": schema()}]})
            }
            Dialect::Gemini => json!({"contents": said,
                "generationConfig": {"thinkingConfig": {"includeThoughts": true, "thinkingBudget": 2000}},
                "tools": [{"functionDeclarations": [{"name": "weather", "parametersJsonSchema": schema()}]}]}),
        }
    }

    /// Takes the answer into the history as a client does, and answers its calls; whether there were any.
    fn hear(&mut self, answer: &Answer) -> usize {
        let whole = answer.json();
        match self.client {
            Dialect::Chat => {
                let message = whole["choices"][0]["message"].clone();
                let calls = message["tool_calls"].as_array().cloned().unwrap_or_default();
                self.said.push(message);
                self.said.extend(
                    calls
                        .iter()
                        .map(|call| json!({"role": "tool", "tool_call_id": call["id"], "content": "sunny"})),
                );
                calls.len()
            }
            Dialect::Responses => {
                let items = whole["output"].as_array().unwrap().clone();
                let calls: Vec<Value> =
                    items.iter().filter(|item| item["type"] == "function_call").cloned().collect();
                self.said.extend(items);
                self.said.extend(calls.iter().map(|call| {
                    json!({"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"})
                }));
                calls.len()
            }
            Dialect::Messages => {
                let content = whole["content"].clone();
                let results: Vec<Value> = content
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(|block| block["type"] == "tool_use")
                    .map(|call| json!({"type": "tool_result", "tool_use_id": call["id"], "content": "sunny"}))
                    .collect();
                self.said.push(json!({"role": "assistant", "content": content}));
                let calls = results.len();
                self.said.extend((calls > 0).then(|| json!({"role": "user", "content": results})));
                calls
            }
            Dialect::Gemini => {
                let content = whole["candidates"][0]["content"].clone();
                let results: Vec<Value> = content["parts"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(|part| part.get("functionCall"))
                    .map(|call| {
                        let mut response = json!({"name": call["name"], "response": {"output": "sunny"}});
                        if let Some(id) = call.get("id") {
                            response["id"] = id.clone();
                        }
                        json!({"functionResponse": response})
                    })
                    .collect();
                self.said.push(content);
                let calls = results.len();
                self.said.extend((calls > 0).then(|| json!({"role": "user", "parts": results})));
                calls
            }
        }
    }

    /// Goes on at an account, and says what went wrong.
    async fn go_on(&mut self, hub: &TestHub, account: &str) -> Result<usize, String> {
        let model = format!("{account}/{}", self.model);
        let body = self.body(&model, false);
        let answer = hub.send(speech::request(self.client, &model, false, &body)).await;
        if answer.status.as_u16() != 200 {
            let sent = hub.upstream().pop().map(|entry| entry.body).unwrap_or_default();
            return Err(format!("{} at {account}: {}\n    sent {sent}", self.client, answer.text));
        }
        Ok(self.hear(&answer))
    }
}

/// Accounts at vendors of each dialect: two different ones of each, which refuse each other's signatures.
async fn world(model: &str) -> TestHub {
    let mut yaml = "providers:\n".to_owned();
    for dialect in Dialect::ALL {
        let (kind, url) = speech::provider(dialect);
        for (name, key) in [("one", "sim-ok"), ("two", "sim-maker-other")] {
            let url = url.replace("simulator", name);
            yaml.push_str(&format!(
                "  - id: {dialect}-{name}\n    type: {kind}\n    base_url: {url}\n    api_key: {key}\n    models: [{model}]\n"
            ));
        }
    }
    TestHub::builder().yaml(&yaml).build().await
}

#[tokio::test(start_paused = true)]
async fn every_client_goes_on_at_every_vendor_after_every_other() {
    let mut wrong = Vec::new();
    // The names decide how Gemini checks signatures and how Claude thinks.
    for model in ["gemini-3-pro", "claude-sonnet-4-5"] {
        let hub = world(model).await;
        let accounts: Vec<String> = Dialect::ALL
            .iter()
            .flat_map(|dialect| ["one", "two"].map(|name| format!("{dialect}-{name}")))
            .collect();
        for client in Dialect::ALL {
            for first in &accounts {
                for second in &accounts {
                    let mut talk = Talk::new(client, model);
                    // A turn with calls, their results at another vendor, back again, and a new question.
                    let journey = async {
                        let calls = talk.go_on(&hub, first).await?;
                        if calls != 2 {
                            return Err(format!("{calls} calls instead of two"));
                        }
                        talk.go_on(&hub, second).await?;
                        talk.say("And the weather tool again, please.");
                        talk.go_on(&hub, second).await?;
                        talk.go_on(&hub, first).await?;
                        Ok(())
                    };
                    if let Err(error) = journey.await {
                        wrong.push(format!("{model}: {first}, {second}: {error}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_runs_dry_in_mid_conversation_is_replaced() {
    for client in Dialect::ALL {
        for (from, to) in [
            (Dialect::Messages, Dialect::Gemini),
            (Dialect::Gemini, Dialect::Responses),
            (Dialect::Responses, Dialect::Messages),
            (Dialect::Messages, Dialect::Chat),
        ] {
            let builder = TestHub::builder().account_at(from, "first", "sim-dry-1");
            let hub = builder.account_at(to, "second", "sim-ok").build().await;
            let mut talk = Talk::new(client, "m");
            for turn in 0..3 {
                let body = talk.body("m", false);
                let answer = hub.send(speech::request(client, "m", false, &body)).await;
                assert_eq!(answer.status.as_u16(), 200, "{client}, {from} to {to}, turn {turn}: {answer:?}");
                assert_eq!(answer.route(), if turn == 0 { "first" } else { "second" }, "{answer:?}");
                talk.hear(&answer);
                if turn == 1 {
                    talk.say("Go on.");
                }
            }
        }
    }
}
