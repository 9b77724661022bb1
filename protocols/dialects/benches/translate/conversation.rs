//! A conversation as a coding agent has it: a system prompt, tools with schemas, and turns with calls and results.

use serde_json::{Value, json};

/// How many turns it has, whatever its size: what grows is what the tools report, as in life.
const TURNS: usize = 30;

/// A chat request of about so many bytes.
pub(crate) fn chat(bytes: usize) -> Vec<u8> {
    let tools: Vec<Value> = (0..12).map(tool).collect();
    let fixed = TURNS * 420 + 12 * 330;
    // Short ones have fewer turns, long ones longer reports.
    let turns = if bytes < 2 * fixed { (bytes / 900).max(1) } else { TURNS };
    let report = (bytes.saturating_sub(12 * 330) / turns).saturating_sub(420);
    let mut messages =
        vec![json!({"role": "system", "content": "You are a careful coding agent. ".repeat(20)})];
    for turn in 0..turns {
        let id = format!("call_{turn:024}");
        let arguments = json!({"path": format!("src/module_{turn}.rs"), "limit": 200}).to_string();
        messages.extend([
            json!({"role": "user", "content": format!("Look at module {turn} and say what is \"wrong\" with it.")}),
            json!({"role": "assistant", "content": "I read it first.", "tool_calls": [
                {"id": id, "type": "function", "function": {"name": "tool_3", "arguments": arguments}}]}),
            json!({"role": "tool", "tool_call_id": id, "content": code(report)}),
            json!({"role": "assistant", "content": "The loop never ends, since the index is not increased."}),
        ]);
    }
    messages.push(json!({"role": "user", "content": "Go on."}));
    json!({"model": "m", "messages": messages, "tools": tools, "tool_choice": "auto", "max_tokens": 8000, "stream": true})
        .to_string()
        .into_bytes()
}

fn tool(number: usize) -> Value {
    json!({"type": "function", "function": {
        "name": format!("tool_{number}"),
        "description": "Reads a part of a file of the workspace and reports it with the numbers of its lines.",
        "parameters": {"type": "object", "properties": {
            "path": {"type": "string", "description": "The path, from the top of the workspace."},
            "limit": {"type": "integer", "minimum": 1}}, "required": ["path"]}}})
}

/// Text with what is escaped in JSON, of about so many bytes.
fn code(bytes: usize) -> String {
    let line = "    if let Some(next) = iter.next() { println!(\"{next}\\n\"); }\n";
    line.repeat(bytes / (line.len() + 6) + 1)
}
